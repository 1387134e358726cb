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

/// How much of the table is in memory at a time.
constexpr uint64_t most_entries = 65536;

class Checker {
public:
    Checker(BlockNode& node, bool repair) : node_(node), repair_(repair) {}

    Result<ZonedCheck> run() {
        Status status = check_headers();
        if (status.ok()) {
            status = check_length();
        }
        if (status.ok()) {
            status = check_table();
        }
        if (status.ok() && repair_ && result_.repaired > 0) {
            node_.note_native_write();
            status = node_.flush();
        }
        if (!status.ok()) {
            return status;
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
        Status status = read_header(ZonedLayout::header, header);
        if (status.ok()) {
            status = read_header(ZonedLayout::header_copy, copy);
        }
        if (!status.ok()) {
            return status;
        }
        const Result<ZoneGeometry> first = decode_zoned_header(header);
        const Result<ZoneGeometry> second = decode_zoned_header(copy);
        if (!first.ok() && !second.ok()) {
            return has_zoned_magic(header) ? first.status() : Status::error(EINVAL, "the file does not hold an emulated zoned device").because(Cause::no_zoned_file);
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
        const Result<uint64_t> length = node_.driver().length();
        if (!length.ok()) {
            return length.status();
        }
        const uint64_t needed = ZonedLayout::file_bytes(geometry_);
        if (*length < needed) {
            // What was at the end is not known: zeros there would pass for data.
            result_.add(fmt::format("the file is truncated: it has {} of {} bytes", *length, needed), false);
        }
        const uint64_t table_room = *length > ZonedLayout::table ? *length - ZonedLayout::table : 0;
        zones_ = std::min(geometry_.zone_count(), table_room / sizeof(ZoneEntry));
        return {};
    }

    /// Learns whether the words as of now are what the device is, or those of the last flush.
    Status read_session() {
        Status status = node_.preadv(ZonedLayout::session, IoVec(&session_, sizeof(session_)));
        is_believed_ = status.ok() && has_identity(session_, MediumIdentity::of(descriptor_of(node_.driver())));
        return status;
    }

    /// Whoever opens the device after this repair, and on this medium, must not think that all of it is there for good.
    Status disown() {
        session_.owner = UINT64_MAX;
        return node_.pwritev(ZonedLayout::session, IoVec(&session_, sizeof(session_)), {});
    }

    Status check_table() {
        Status status = zones_ > 0 ? read_session() : Status();
        for (uint64_t first = 0; status.ok() && first < zones_; first += most_entries) {
            status = change_part(first, [&] {
                bool changed = false;
                for (size_t i = 0; i < entries_.size(); i++) {
                    changed = check_words(first + i, entries_[i]) || changed;
                    current_.count(word_of(first + i, entries_[i].current));
                    flushed_.count(word_of(first + i, entries_[i].flushed));
                    all_flushed_ = all_flushed_ && entries_[i].current == entries_[i].flushed;
                }
                return changed;
            });
        }
        if (status.ok() && is_believed_) {
            status = check_limits(&ZoneEntry::current, current_, "");
        }
        // The device is what the words of the last flush say after a power cut; where they are the same, that was told.
        if (status.ok()) {
            status = check_limits(&ZoneEntry::flushed, flushed_, "as of the last flush, ");
        }
        return status;
    }

    /// Reads the part of the table that begins with a zone, and stores it when `change` says that it changed an entry.
    /// A table can be large, the memory for it is not.
    template <typename Change>
    Status change_part(uint64_t first, Change&& change) {
        entries_.resize(std::min(most_entries, zones_ - first));
        const uint64_t offset = ZonedLayout::table + first * sizeof(ZoneEntry);
        const IoVec iov(entries_.data(), entries_.size() * sizeof(ZoneEntry));
        Status status = node_.preadv(offset, iov);
        if (!status.ok()) {
            return status;
        }
        if (!change() || !repair_) {
            return {};
        }
        // The words promise that the data is there.
        node_.note_native_write();
        status = node_.flush();
        if (status.ok()) {
            status = disown();
        }
        return status.ok() ? node_.pwritev(offset, iov, {}) : std::move(status);
    }

    /// True when the entry had to be changed.
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

    /// The word stored there; that of an empty zone when it is none.
    ZoneWord word_of(uint64_t zone, uint64_t stored) const {
        const uint64_t bits = le64toh(stored);
        return is_valid_word(geometry_, zone, bits) ? ZoneWord::decode(bits) : ZoneWord{};
    }

    /// Zones that count against the limits.
    struct Resources {
        uint64_t open = 0;
        uint64_t active = 0;

        void count(const ZoneWord& word) {
            open += word.is_open() ? 1 : 0;
            active += word.is_active() ? 1 : 0;
        }
    };

    /// Surplus open zones are closed, surplus active ones can only be read from then on; the last ones first. `words` says
    /// which of the two words of each zone is meant, `when` begins what is told of them.
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
        Status status;
        for (uint64_t end = zones_; repair_ && status.ok() && end > 0 && (too_many_open || too_many_active);) {
            const uint64_t first = (end - 1) / most_entries * most_entries;
            status = change_part(first, [&] {
                bool changed = false;
                for (size_t i = entries_.size(); i-- > 0;) {
                    changed = limit(first + i, entries_[i].*words) || changed;
                }
                return changed;
            });
            end = first;
        }
        return status;
    }

    BlockNode& node_;
    bool repair_;
    ZoneGeometry geometry_;
    uint64_t zones_ = 0; ///< those that the file has words for
    std::vector<ZoneEntry> entries_;
    Resources current_;
    Resources flushed_;
    bool all_flushed_ = true;
    ZonedSession session_;
    bool is_believed_ = false; ///< the words as of now are what the device is
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
    ImageSpec spec;
    spec.options = file.options;
    spec.flags.read_only = !repair;
    spec.flags.force_share = shared;
    spec.options.set("driver", "file");
    spec.options.set("filename", file.filename);
    std::vector<Notice> notices;
    Result<std::unique_ptr<BlockNode>> node = open_image(std::move(spec), notices);
    if (!node.ok()) {
        return std::move(node).status();
    }
    if (!shared) {
        Permissions permissions;
        permissions.taken = Permissions::consistent_read | (repair ? Permissions::write | Permissions::resize : 0U);
        permissions.shared = Permissions::consistent_read | Permissions::write_unchanged;
        Status status = (*node)->set_permissions(permissions);
        if (!status.ok()) {
            return status;
        }
    }
    return Checker(**node, repair).run();
}

} // namespace zoneio
