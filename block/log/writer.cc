// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/log/writer.h"

#include "block/log/reader.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace zoneio {

LogWriter::LogWriter(std::unique_ptr<BlockNode> node, Settings settings) : node_(std::move(node)), settings_(settings) {}

Status LogWriter::find_end() {
    const Result<uint64_t> length = node_->length();
    if (!length.ok() || *length == 0) {
        return length.status();
    }
    LogReader reader(*node_);
    TRY(reader.open());
    settings_.sector_size = reader.sector_size();
    while (true) {
        const std::optional<LogEntry> entry = TRY(reader.next());
        if (!entry) {
            break;
        }
    }
    entries_ = reader.entry_count();
    end_ = reader.position();
    return {};
}

Status LogWriter::check_memory() {
    const size_t alignment = std::max<size_t>(node_->limits().memory_alignment, AlignedBuffer::default_alignment);
    const bool has_room = entry_sector_.reserve(settings_.sector_size, alignment) && super_sector_.reserve(settings_.sector_size, alignment);
    return has_room ? Status() : Status::from_errno(ENOMEM);
}

/// Resets the superblock, so that it does not count entries of an older log.
Status LogWriter::begin() {
    Status status = check_memory();
    if (!status.ok() || end_ != 0) {
        return status;
    }
    status = write_super();
    if (status.ok()) {
        end_ = settings_.sector_size;
    }
    return status;
}

Status LogWriter::write_super() {
    const std::span<uint8_t> sector(super_sector_.data(), settings_.sector_size);
    LogSuper{entries_, settings_.sector_size}.encode(sector);
    return node_->pwritev(0, IoVec(sector.data(), sector.size()), {});
}

Status LogWriter::count_entry() {
    entries_++;
    return entries_ % settings_.super_update_interval == 0 ? write_super() : Status();
}

/// Writes an entry when it is its turn. After an entry that cannot be written, all later ones are refused.
template <typename Write>
Status LogWriter::add(LogEntry& entry, Write&& write) {
    const Turn turn(turns_, 0, 1, true);
    if (!failed_.ok()) {
        return failed_;
    }
    Status status = begin();
    entry.position = end_;
    const std::optional<uint64_t> next = entry.next_position(settings_.sector_size);
    if (status.ok() && !next) {
        status = Status::from_errno(EFBIG);
    }
    if (status.ok()) {
        status = write();
    }
    if (status.ok()) {
        end_ = *next;
        status = count_entry();
    }
    if (!status.ok()) {
        failed_ = Status::error(EIO, fmt::format("The write log lacks entry {}, so nothing more is written: {}", entries_,
                                                 status.message()))
                      .because(Cause::write_log_incomplete);
        status = std::move(status).because(Cause::write_log_incomplete);
    }
    return status;
}

Status LogWriter::write_sector(uint64_t position, const LogEntry& entry, std::span<const uint8_t> own) {
    const std::span<uint8_t> sector(entry_sector_.data(), settings_.sector_size);
    entry.encode(sector, settings_.sector_size);
    if (!own.empty()) {
        memcpy(&sector[LogEntry::bytes_on_medium], own.data(), own.size());
    }
    return node_->pwritev(position, IoVec(sector.data(), sector.size()), {});
}

Status LogWriter::append(LogEntry entry, const IoVec& data) {
    return add(entry, [&] {
        const std::span<uint8_t> sector(entry_sector_.data(), settings_.sector_size);
        entry.encode(sector, settings_.sector_size);
        IoVec whole(sector.data(), sector.size());
        whole.append(data, 0, data.bytes());
        return node_->pwritev(entry.position, whole, {});
    });
}

Status LogWriter::append_zeroes(LogEntry entry) {
    return add(entry, [&] {
        WriteFlags holes;
        holes.may_unmap = true;
        // A hole does not extend a file. Writing the last sector does; otherwise the log would end before its last
        // entry.
        const uint64_t begin = entry.data_position(settings_.sector_size);
        const uint64_t in_holes = entry.length - settings_.sector_size;
        Status status = in_holes > 0 ? node_->pwrite_zeroes(begin, in_holes, holes) : Status();
        if (status.ok()) {
            const std::span<uint8_t> last(entry_sector_.data(), settings_.sector_size);
            std::fill(last.begin(), last.end(), uint8_t{0});
            status = node_->pwritev(begin + in_holes, IoVec(last.data(), last.size()), {});
        }
        return status.ok() ? write_sector(entry.position, entry, {}) : std::move(status);
    });
}

Status LogWriter::append(LogEntry entry, std::span<const uint8_t> own) {
    if (own.size() > settings_.sector_size - LogEntry::bytes_on_medium) {
        return Status::from_errno(EINVAL);
    }
    entry.inlined = own.size();
    return add(entry, [&] { return write_sector(entry.position, entry, own); });
}

Result<uint64_t> LogWriter::reserve() {
    LogEntry entry;
    // replay-log refuses an entry of zeros.
    entry.metadata = true;
    Status status = add(entry, [&] { return write_sector(entry.position, entry, {}); });
    if (!status.ok()) {
        return status;
    }
    return entry.position;
}

Status LogWriter::fill(uint64_t position, const LogEntry& entry) {
    const Turn turn(turns_, 0, 1, true);
    Status status = check_memory();
    return status.ok() ? write_sector(position, entry, {}) : std::move(status);
}

Status LogWriter::flush() {
    {
        const Turn turn(turns_, 0, 1, true);
        if (!failed_.ok()) {
            return failed_;
        }
        Status status = begin();
        if (status.ok() && settings_.super_update_interval != 1) {
            status = write_super();
        }
        if (!status.ok()) {
            return status;
        }
    }
    return node_->flush();
}

} // namespace zoneio
