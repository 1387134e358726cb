// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/check.h"

#include "block/chain/open.h"
#include "block/zoned/header.h"
#include "block/zoned/table.h"

#include <algorithm>
#include <endian.h>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr size_t most_described = 1000;

/// Most entries of the table in memory.
constexpr uint64_t most_entries = 65536;

class Checker {
public:
    Checker(BlockNode& node, bool repair) : node_(node), repair_(repair) {}

    Result<ZonedCheck> run() {
        TRY(check_headers());
        TRY(check_length());
        TRY(check_table());
        if (repair_ && result_.repaired > 0) {
            node_.note_native_write();
            TRY(node_.flush());
        }
        return std::move(result_);
    }

private:
    Status read_header(uint64_t offset, ZonedHeaderBytes& header) { return node_.preadv(offset, IoVec(header.data(), header.size())); }
    Status write_header(uint64_t offset, ZonedHeaderBytes header) {
        return node_.pwritev(offset, IoVec(header.data(), header.size()), {});
    }

    Status check_headers() {
        ZonedHeaderBytes header{};
        ZonedHeaderBytes copy{};
        TRY(read_header(ZonedLayout::header, header));
        TRY(read_header(ZonedLayout::header_copy, copy));
        const Result<ZoneGeometry> first = decode_zoned_header(header);
        const Result<ZoneGeometry> second = decode_zoned_header(copy);
        if (!first.ok() && !second.ok()) {
            return has_zoned_magic(header) ? first.status() : Status::invalid("the file does not hold an emulated zoned device").because(Cause::no_zoned_file);
        }
        geometry_ = first.ok() ? *first : *second;
        if (!first.ok()) {
            result_.add(first.status().message() + "; its copy is good", repair_);
            return repair_ ? write_header(ZonedLayout::header, copy) : Status();
        }
        if (copy != header) {
            result_.add("the copy of the header differs from the header", repair_);
            return repair_ ? write_header(ZonedLayout::header_copy, header) : Status();
        }
        return {};
    }

    Status check_length() {
        const uint64_t length = TRY(node_.driver().length());
        const uint64_t needed = ZonedLayout::file_bytes(geometry_);
        if (length < needed) {
            // Missing data cannot be restored: zeros would look like written data.
            result_.add(fmt::format("the file is truncated: it has {} of {} bytes", length, needed), false);
        }
        const uint64_t table_room = length > ZonedLayout::table ? length - ZonedLayout::table : 0;
        zones_ = std::min(geometry_.zone_count(), table_room / sizeof(ZoneEntry));
        return {};
    }

    /// Finds out whether the current words or the flushed words are valid.
    Status read_session() {
        TRY(node_.preadv(ZonedLayout::session, IoVec(&session_, sizeof(session_))));
        is_believed_ = has_identity(session_, MediumIdentity::of(descriptor_of(node_.driver())));
        return {};
    }

    /// Marks the session page so that a later session does not trust the medium after this repair.
    Status disown() {
        session_.owner = UINT64_MAX;
        return node_.pwritev(ZonedLayout::session, IoVec(&session_, sizeof(session_)), {});
    }

    Status check_table() {
        TRY(zones_ > 0 ? read_session() : Status());
        for (uint64_t first = 0; first < zones_; first += most_entries) {
            TRY(change_part(first, [&] {
                bool changed = false;
                for (size_t i = 0; i < entries_.size(); i++) {
                    changed = check_words(first + i, entries_[i]) || changed;
                    current_.count(word_of(first + i, entries_[i].current));
                    flushed_.count(word_of(first + i, entries_[i].flushed));
                    all_flushed_ = all_flushed_ && entries_[i].current == entries_[i].flushed;
                }
                return changed;
            }));
        }
        if (is_believed_) {
            TRY(check_limits(&ZoneEntry::current, current_, ""));
        }
        // After a power cut, the flushed words are what counts. If they equal the current ones, their problems are
        // reported already.
        return check_limits(&ZoneEntry::flushed, flushed_, "as of the last flush, ");
    }

    /// Reads the part of the table that starts at `zone`, and writes it back if `change` returns true for an entry.
    /// Only that part is in memory.
    template <typename Change>
    Status change_part(uint64_t first, Change&& change) {
        entries_.resize(std::min(most_entries, zones_ - first));
        const uint64_t offset = ZonedLayout::table + first * sizeof(ZoneEntry);
        const IoVec iov(entries_.data(), entries_.size() * sizeof(ZoneEntry));
        TRY(node_.preadv(offset, iov));
        if (!change() || !repair_) {
            return {};
        }
        // The data must be on the medium before the words that refer to it.
        node_.note_native_write();
        TRY(node_.flush());
        TRY(disown());
        return node_.pwritev(offset, iov, {});
    }

    /// Checks both words of a zone. True if an entry was changed.
    bool check_words(uint64_t zone, ZoneEntry& entry) {
        if (!is_believed_ && is_valid_word(geometry_, zone, le64toh(entry.flushed))) {
            return false;
        }
        const std::string current = problem_of(geometry_, zone, le64toh(entry.current));
        const std::string flushed = problem_of(geometry_, zone, le64toh(entry.flushed));
        if (current.empty() && flushed.empty()) {
            return false;
        }
        if (!current.empty() && !flushed.empty()) {
            const bool conventional = geometry_.is_conventional(zone);
            const ZoneWord offline{ZoneState::offline, 0};
            result_.add(current + (conventional ? "" : ", also as of the last flush; the zone goes offline"), repair_);
            entry.flushed = conventional ? 0 : htole64(offline.encode());
            entry.current = entry.flushed;
        } else if (!current.empty()) {
            result_.add(current + "; the last flush has a good word", repair_);
            entry.current = entry.flushed;
        } else {
            result_.add("as of the last flush, " + flushed + "; the current word is good", repair_);
            entry.flushed = entry.current;
        }
        return true;
    }

    /// The stored word; for an invalid word, that of an empty zone.
    ZoneWord word_of(uint64_t zone, uint64_t stored) const {
        const uint64_t bits = le64toh(stored);
        return is_valid_word(geometry_, zone, bits) ? ZoneWord::decode(bits) : ZoneWord{};
    }

    /// Number of zones that count against the limits.
    struct Resources {
        uint64_t open = 0;
        uint64_t active = 0;

        void count(const ZoneWord& word) {
            open += word.is_open() ? 1 : 0;
            active += word.is_active() ? 1 : 0;
        }
    };

    /// Checks the limits. Surplus open zones are closed, surplus active ones become read-only, starting with the last.
    /// `words`: current or flushed; `when`: start of the problem's text.
    Status check_limits(uint64_t ZoneEntry::*words, Resources& used, std::string_view when) {
        const uint64_t max_open = geometry_.effective_max_open();
        const uint64_t max_active = geometry_.effective_max_active();
        const bool too_many_open = max_open != 0 && used.open > max_open;
        const bool too_many_active = max_active != 0 && used.active > max_active;
        const bool is_told = words == &ZoneEntry::flushed && is_believed_ && all_flushed_;
        if (too_many_open && !is_told) {
            result_.add(fmt::format("{}{} zones are open; the limit is {}", when, used.open, max_open), repair_);
        }
        if (too_many_active && !is_told) {
            result_.add(fmt::format("{}{} zones are active; the limit is {}", when, used.active, max_active), repair_);
        }
        const auto limit = [&](uint64_t zone, uint64_t& stored) {
            const ZoneWord word = word_of(zone, stored);
            const bool drop = too_many_active && used.active > max_active && word.is_active();
            const bool close = !drop && too_many_open && used.open > max_open && word.is_open();
            if (!drop && !close) {
                return false;
            }
            used.active -= drop || word.pointer == 0 ? 1 : 0;
            used.open -= word.is_open() ? 1 : 0;
            const ZoneState state = drop ? ZoneState::read_only : ZoneState::closed;
            stored = htole64((word.pointer == 0 ? ZoneWord{} : ZoneWord{state, word.pointer}).encode());
            return true;
        };
        for (uint64_t end = zones_; repair_ && end > 0 && (too_many_open || too_many_active);) {
            const uint64_t first = (end - 1) / most_entries * most_entries;
            TRY(change_part(first, [&] {
                bool changed = false;
                for (size_t i = entries_.size(); i-- > 0;) {
                    changed = limit(first + i, entries_[i].*words) || changed;
                }
                return changed;
            }));
            end = first;
        }
        return {};
    }

    BlockNode& node_;
    bool repair_;
    ZoneGeometry geometry_;
    uint64_t zones_ = 0; ///< number of zones with a word in the file
    std::vector<ZoneEntry> entries_;
    Resources current_;
    Resources flushed_;
    bool all_flushed_ = true;
    ZonedSession session_;
    bool is_believed_ = false; ///< the current words are valid
    ZonedCheck result_;
};

} // namespace

void ZonedCheck::add(std::string text, bool is_repaired) {
    found++;
    repaired += is_repaired ? 1 : 0;
    if (problems.size() < most_described) {
        problems.push_back({std::move(text), is_repaired});
    }
}

Result<ZonedCheck> check_zoned_file(const NamedFile& file, bool repair, bool shared) {
    const std::unique_ptr<BlockNode> node =
        TRY(open_file(file.filename, file.options, {.read_only = !repair, .force_share = shared}));
    if (!shared) {
        const unsigned writing = repair ? Permissions::write | Permissions::resize : 0U;
        TRY(node->set_permissions({.taken = Permissions::consistent_read | writing,
                                   .shared = Permissions::consistent_read | Permissions::write_unchanged}));
    }
    return Checker(*node, repair).run();
}

} // namespace zoneio
