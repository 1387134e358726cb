// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/node/node.h"
#include "block/zoned/header.h"
#include "block/base/mapped_file.h"
#include "block/zoned/table.h"

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

namespace zoneio {

/// Some zones, by number, both ends included.
struct ZoneRange {
    uint64_t first = 0;
    uint64_t last = 0;
    bool operator==(const ZoneRange&) const = default;
};
/// Ascending, with room between one and the next.
using ZoneRanges = std::vector<ZoneRange>;

/// What the options of `driver=zoned` say; what is absent is as the file has it, or takes the default.
struct ZonedOptions {
    std::optional<uint64_t> size;
    std::optional<uint64_t> zone_size;
    std::optional<uint64_t> zone_capacity;
    std::optional<uint64_t> conventional_zones;
    std::optional<uint64_t> max_open_zones;
    std::optional<uint64_t> max_active_zones;
    std::optional<uint64_t> max_append_bytes;
    std::optional<uint64_t> block_size;
    ZoneRanges read_only;
    ZoneRanges offline;

    /// Takes the keys out of `options`.
    static Result<ZonedOptions> take(Options& options);
    /// The device that these options describe; EINVAL with the reason when there can be none.
    Result<ZoneGeometry> geometry() const;
    /// EINVAL, with the option, when a device that exists is another.
    Status check_match(const ZoneGeometry& geometry, const ZoneTable& table) const;
};

/// The file behind an emulated zoned device: its header, its session page, and its table in memory.
///
/// The node below moves the data; everything else is mapped. Words that somebody stored whose medium may have lost
/// something since, as MediumIdentity tells, are not believed: the zones are as the last successful flush left them.
class ZonedFile final : public WordStore {
public:
    /// Opens the file that `node` holds, which is locked; formats it when it is empty or all zeros. One that holds a
    /// device is not changed.
    static Result<std::unique_ptr<ZonedFile>> open(BlockNode& node, const ZonedOptions& options, bool read_only);
    /// What to add to the reason why a file could not be used.
    static std::string repair_hint();
    ZonedFile(const ZonedFile&) = delete;
    ZonedFile& operator=(const ZonedFile&) = delete;

    const ZoneGeometry& geometry() const { return geometry_; }
    ZoneTable& table() { return *table_; }
    /// Where the zones begin in the file, bytes.
    uint64_t data_offset() const { return ZonedLayout::data(geometry_); }

    Status store(uint64_t& target, uint64_t bits) override;
    bool believes_current() const override;

    /// True when everything was on the medium at the end of the last session, and nothing can have been lost since.
    bool was_flushed() const { return was_flushed_; }
    /// True when something that was found here may not be on the medium.
    bool needs_flush() const { return !was_flushed_ || has_failed_sync() || !table_->unflushed().empty(); }
    /// True when a sync failed, in this session or one before, and what it left out was not written once more.
    bool has_failed_sync() const;
    /// The first half of beginning a session, with the lock of who writes: makes the page this session's or, where the
    /// current words are not believed, nobody's. Nothing else may be changed before that is on the medium.
    Status claim();
    /// The second half: makes the zones what they are believed to be. May be called once more.
    Status begin_session();
    /// Notes that everything is on the medium. Nothing may be changed after it.
    void end_session();
    /// From now on others may write.
    void become_reader() { read_only_ = true; }
    /// Keeps, for sessions to come, that a sync failed; or that everything was written once more.
    void set_failed_sync(bool failed);
    /// Writes the session page and the table once more, as they are, where a sync that failed has left them out.
    Status rewrite_table();

    uint64_t cursor() const;
    void set_cursor(uint64_t cursor);

    /// EIO when somebody has cut the file off or put another one in its place since it was opened: what the table says
    /// is not to be believed any more. No system call.
    Status check_table() const;
    /// The same for the zones and for the file's name; costs a system call.
    Status check_length() const;

private:
    ZonedFile() = default;

    Status map(bool read_only);
    ZonedSession& session() const;
    template <typename Write>
    Status try_store(uint64_t offset, Write&& write);
    Status make_room(uint64_t offset) const;
    bool is_another() const;

    ZoneGeometry geometry_;
    FileDescriptor fd_;
    MappedFile memory_; ///< the file from its start to the end of the table
    std::optional<ZoneTable> table_;
    MediumIdentity identity_;
    ZonedHeaderBytes header_{}; ///< as it was when the file was opened
    bool read_only_ = false;
    bool is_named_ = false;    ///< the file has a name, and must not lose it
    bool was_flushed_ = false;
    uint64_t owner_ = 0; ///< what the session page has to say as long as nobody else writes to the file
    /// Nothing was lost since the current words were stored.
    mutable std::atomic<bool> believes_current_{false};
    mutable std::atomic<bool> is_replaced_{false};
};

} // namespace zoneio
