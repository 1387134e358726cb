// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/log/reader.h"

#include "block/chain/open.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

namespace {

Status broken_entry(uint64_t number, uint64_t position, std::string_view problem) {
    return Status::invalid(fmt::format("entry {} of the log, at offset {}, is broken: {}", number, position, problem))
        .because(Cause::broken_write_log);
}

} // namespace

Status LogReader::open() {
    end_ = TRY(node_.length());
    const std::span<uint8_t> head = TRY(load(0, LogSuper::bytes));
    if (head.size() < LogSuper::bytes) {
        return Status::invalid("Invalid log superblock magic").because(Cause::not_a_write_log);
    }
    super_ = TRY(LogSuper::decode(head));
    rewind();
    return {};
}

void LogReader::rewind() {
    number_ = 0;
    position_ = super_.sector_size;
}

void LogReader::go_to(const LogEntry& entry) {
    number_ = entry.number;
    position_ = entry.position;
}

Result<std::span<uint8_t>> LogReader::load(uint64_t position, uint64_t bytes) {
    if (position < window_begin_ || position + std::min<uint64_t>(bytes, 1) > window_end_ ||
        (position + bytes > window_end_ && bytes <= window_bytes_ && window_end_ < end_)) {
        // Alignment of the window, a multiple of every block size.
        constexpr uint64_t alignment = 4096;
        window_begin_ = position / alignment * alignment;
        window_end_ = std::min(window_begin_ + window_bytes_ + alignment, end_);
        if (!window_.reserve(window_bytes_ + alignment, std::max<size_t>(node_.limits().memory_alignment, alignment))) {
            return Status::from_errno(ENOMEM);
        }
        const uint64_t part = window_end_ > window_begin_ ? window_end_ - window_begin_ : 0;
        if (Status status = node_.preadv(window_begin_, IoVec(window_.data(), part)); !status.ok()) {
            window_end_ = window_begin_ = 0;
            return status;
        }
    }
    const uint64_t there = window_end_ > position ? window_end_ - position : 0;
    return std::span(window_.data() + (position - window_begin_), std::min(bytes, there));
}

Result<std::optional<LogEntry>> LogReader::next() {
    if (number_ >= super_.entries) {
        return std::optional<LogEntry>();
    }
    const std::span<uint8_t> bytes = TRY(load(position_, LogEntry::bytes_on_medium));
    if (bytes.size() < LogEntry::bytes_on_medium) {
        return broken_entry(number_, position_, "the log ends before it");
    }
    Result<LogEntry> entry = LogEntry::decode(bytes, super_.sector_size);
    if (!entry.ok()) {
        return broken_entry(number_, position_, entry.status().message());
    }
    entry->number = number_;
    entry->position = position_;
    const std::optional<uint64_t> next = entry->next_position(super_.sector_size);
    // The sector of the last entry may be incomplete; data may not.
    if (!next || (entry->has_data() && *next > end_)) {
        return broken_entry(number_, position_, fmt::format("the log ends before its {} bytes of data", entry->length));
    }
    number_++;
    position_ = *next;
    return std::optional(*entry);
}

Result<std::string> LogReader::own_bytes(const LogEntry& entry) {
    const std::span<uint8_t> bytes = TRY(load(entry.position + LogEntry::bytes_on_medium, entry.inlined));
    std::string own(bytes.begin(), bytes.end());
    own.resize(entry.inlined);
    return entry.kind == LogKind::mark ? own.substr(0, own.find('\0')) : own;
}

Status LogReader::visit_data(const LogEntry& entry, uint64_t begin, uint64_t bytes,
                             const std::function<Status(uint64_t begin, std::span<uint8_t> data)>& visit) {
    for (uint64_t done = 0; done < bytes;) {
        const uint64_t part = std::min<uint64_t>(bytes - done, window_bytes_);
        const std::span<uint8_t> data = TRY(load(entry.data_position(super_.sector_size) + begin + done, part));
        if (data.empty()) {
            return Status::from_errno(EIO);
        }
        TRY(visit(begin + done, data));
        done += data.size();
    }
    return {};
}

Result<OpenLog> open_log(const std::string& name) {
    ImageSpec spec;
    spec.options = TRY(options_of_name(name));
    spec.flags.read_only = true;
    spec.flags.force_share = true;
    std::vector<Notice> notices;
    std::unique_ptr<BlockNode> node = TRY(open_image(std::move(spec), notices));
    OpenLog log{std::move(node), nullptr};
    Permissions permissions;
    permissions.taken = Permissions::consistent_read;
    log.reader = std::make_unique<LogReader>(*log.node);
    Status status = log.node->set_permissions(permissions);
    if (status.ok()) {
        status = log.reader->open();
    }
    if (!status.ok()) {
        return status;
    }
    return log;
}

} // namespace zoneio
