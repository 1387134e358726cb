// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned_check.h"

#include "block/open.h"
#include "block/zone_table.h"
#include "block/zoned_header.h"

#include <endian.h>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr size_t most_described = 1000;

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
            return has_zoned_magic(header) ? first.status() : Status::error(EINVAL, "The file holds no zoned device");
        }
        geometry_ = first.ok() ? *first : *second;
        if (!first.ok()) {
            result_.add(first.status().message() + "; its copy is good", repair_);
            return repair_ ? write_header(ZonedLayout::header, copy) : Status();
        }
        if (copy != header) {
            result_.add("The copy of the header differs from the header", repair_);
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
            result_.add(fmt::format("The file is cut off: it has {} of {} bytes", *length, needed), false);
        }
        return {};
    }

    Status check_table() {
        entries_.resize(geometry_.zone_count());
        Status status = node_.preadv(ZonedLayout::table, IoVec(entries_.data(), entries_.size() * sizeof(ZoneEntry)));
        if (!status.ok()) {
            return status;
        }
        for (uint64_t zone = 0; zone < entries_.size(); zone++) {
            check_words(zone);
        }
        check_limits();
        if (changed_ && repair_) {
            // The words promise that the data is there.
            node_.note_native_write();
            status = node_.flush();
            if (status.ok()) {
                status = node_.pwritev(ZonedLayout::table, IoVec(entries_.data(), entries_.size() * sizeof(ZoneEntry)), {});
            }
        }
        return status;
    }

    void check_words(uint64_t zone) {
        ZoneEntry& entry = entries_[zone];
        const std::string current = problem_of(geometry_, zone, le64toh(entry.current));
        const std::string flushed = problem_of(geometry_, zone, le64toh(entry.flushed));
        if (current.empty() && flushed.empty()) {
            return;
        }
        changed_ = true;
        if (!current.empty() && !flushed.empty()) {
            const bool conventional = geometry_.is_conventional(zone);
            const ZoneWord offline{ZoneState::offline, 0};
            result_.add(current + (conventional ? "" : "; as of the last flush too: the zone goes offline"), repair_);
            entry.flushed = conventional ? 0 : htole64(offline.encode());
            entry.current = entry.flushed;
        } else if (!current.empty()) {
            result_.add(current + "; it is known as of the last flush", repair_);
            entry.current = entry.flushed;
        } else {
            result_.add("As of the last flush, " + flushed + "; it is known as of now", repair_);
            entry.flushed = entry.current;
        }
    }

    ZoneWord current(uint64_t zone) const {
        const uint64_t bits = le64toh(entries_[zone].current);
        return is_valid_word(geometry_, zone, bits) ? ZoneWord::decode(bits) : ZoneWord{};
    }

    void replace(uint64_t zone, const ZoneWord& word) {
        entries_[zone].current = htole64(word.encode());
        changed_ = true;
    }

    /// Surplus open zones are closed, surplus active ones can only be read from then on.
    void check_limits() {
        uint64_t open = 0;
        uint64_t active = 0;
        for (uint64_t zone = 0; zone < entries_.size(); zone++) {
            open += current(zone).is_open() ? 1 : 0;
            active += current(zone).is_active() ? 1 : 0;
        }
        const uint64_t max_open = geometry_.effective_max_open();
        const uint64_t max_active = geometry_.effective_max_active();
        const bool too_many_open = max_open != 0 && open > max_open;
        const bool too_many_active = max_active != 0 && active > max_active;
        if (too_many_open) {
            result_.add(fmt::format("{} zones are open, at most {} may be", open, max_open), repair_);
        }
        if (too_many_active) {
            result_.add(fmt::format("{} zones are active, at most {} may be", active, max_active), repair_);
        }
        for (uint64_t zone = entries_.size(); zone-- > 0;) {
            const ZoneWord word = current(zone);
            if (too_many_active && active > max_active && word.is_active()) {
                active--;
                open -= word.is_open() ? 1 : 0;
                replace(zone, word.pointer == 0 ? ZoneWord{} : ZoneWord{ZoneState::read_only, word.pointer});
            } else if (too_many_open && open > max_open && word.is_open()) {
                open--;
                replace(zone, word.pointer == 0 ? ZoneWord{} : ZoneWord{ZoneState::closed, word.pointer});
            }
        }
    }

    BlockNode& node_;
    bool repair_;
    bool changed_ = false;
    ZoneGeometry geometry_;
    std::vector<ZoneEntry> entries_;
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

Result<ZonedCheck> check_zoned_file(const std::string& filename, bool repair, bool shared) {
    ImageSpec spec;
    spec.flags.read_only = !repair;
    spec.flags.force_share = shared;
    spec.options.set("driver", "file");
    spec.options.set("filename", filename);
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
