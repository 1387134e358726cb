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

/// A range of zone numbers, both ends included.
struct ZoneRange {
    uint64_t first = 0;
    uint64_t last = 0;
    bool operator==(const ZoneRange&) const = default;
};
/// Ascending ranges with at least one zone between them.
using ZoneRanges = std::vector<ZoneRange>;

/// The options of `driver=zoned`. An absent option is taken from the file, or has its default.
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
    /// The geometry that these options describe. EINVAL, with the reason, if it is impossible.
    Result<ZoneGeometry> geometry() const;
    /// EINVAL, with the option, if an existing device differs from these options.
    Status check_match(const ZoneGeometry& geometry, const ZoneTable& table) const;
};

/// The file of an emulated zoned device: header, session page and zone table, mapped into memory.
///
/// The node below transfers the data. If the medium may have lost data since the current words were stored (see
/// MediumIdentity), they are not trusted: the zones are as the last successful flush left them.
class ZonedFile final : public WordStore {
public:
    /// Opens the locked file of `node`. Formats it if it is empty or all zeros; does not change a file that holds a device.
    static Result<std::unique_ptr<ZonedFile>> open(BlockNode& node, const ZonedOptions& options, bool read_only);
    /// Text to add to the error about a corrupt file.
    static std::string repair_hint();
    ZonedFile(const ZonedFile&) = delete;
    ZonedFile& operator=(const ZonedFile&) = delete;

    const ZoneGeometry& geometry() const { return geometry_; }
    ZoneTable& table() { return *table_; }
    /// Offset of the first zone in the file, in bytes.
    uint64_t data_offset() const { return ZonedLayout::data(geometry_); }

    Status store(uint64_t& target, uint64_t bits) override;
    bool believes_current() const override;

    /// True if the last session ended with everything on the medium and nothing can have been lost since.
    bool was_flushed() const { return was_flushed_; }
    /// True if data or words found at the start of the session may not be on the medium.
    bool needs_flush() const { return !was_flushed_ || has_failed_sync() || !table_->unflushed().empty(); }
    /// True if a sync failed, in this or an earlier session, and the pages it skipped were not written again.
    bool has_failed_sync() const;
    /// First half of starting a session; REQUIRES the writer's lock. Makes the session page this session's or, if the current
    /// words are not trusted, nobody's. The page must be on the medium before anything else changes.
    Status claim();
    /// Second half: copies the trusted words to the current ones. May be called again.
    Status begin_session();
    /// Records that everything is on the medium. Nothing may change after it.
    void end_session();
    /// Makes this session read-only, so that other programs may write.
    void become_reader() { read_only_ = true; }
    /// Records for later sessions that a sync failed, or that everything was written again.
    void set_failed_sync(bool failed);
    /// Writes the session page and the table again, unchanged, after a failed sync has skipped them.
    Status rewrite_table();

    uint64_t cursor() const;
    void set_cursor(uint64_t cursor);

    /// EIO if the file was truncated or overwritten since it was opened, so that the table is no longer valid. Makes no
    /// system call.
    Status check_table() const;
    /// Likewise for the length of the data and the name of the file. Makes a system call.
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
    bool is_named_ = false;    ///< the file has a name and must keep it
    bool was_flushed_ = false;
    uint64_t owner_ = 0; ///< owner in the session page while no other program writes to the file
    /// Nothing can have been lost since the current words were stored.
    mutable std::atomic<bool> believes_current_{false};
    mutable std::atomic<bool> is_replaced_{false};
};

} // namespace zoneio
