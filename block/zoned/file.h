// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/node/node.h"
#include "block/zoned/header.h"
#include "block/zoned/mapped_file.h"
#include "block/zoned/table.h"

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

/// The file behind an emulated zoned device: its header, and its table in memory.
///
/// The node below moves the data; the table and the session page are mapped. After a power cut, told by the boot
/// id, the zones are as the last successful flush left them.
class ZonedFile {
public:
    /// Opens the file that `node` holds, which is locked; formats it when it is empty or all zeros. One that holds a
    /// device is not changed.
    static Result<std::unique_ptr<ZonedFile>> open(BlockNode& node, const ZonedOptions& options, bool read_only);
    /// To be called, with the lock of who writes, before the first change: goes back to what the last flush saw where the
    /// power was cut since, and from then on the words are those of this run of the kernel.
    void begin_writing();
    /// What to add to the reason why a file could not be used.
    static std::string repair_hint();
    ZonedFile(const ZonedFile&) = delete;
    ZonedFile& operator=(const ZonedFile&) = delete;

    const ZoneGeometry& geometry() const { return geometry_; }
    ZoneTable& table() { return *table_; }
    /// Where the zones begin in the file, bytes.
    uint64_t data_offset() const { return ZonedLayout::data(geometry_); }

    uint64_t cursor() const;
    void set_cursor(uint64_t cursor);

    /// EIO when somebody has cut the file off since it was opened: what the table says is not to be believed any more.
    Status check_table() const;
    /// The same for the zones; costs a system call.
    Status check_length() const;

    /// Makes sure that a zone's words have room on the medium, so that storing them cannot fail.
    Status prepare_store(uint64_t zone);

private:
    ZonedFile() = default;

    Status map(bool read_only);
    ZonedSession& session() const;

    ZoneGeometry geometry_;
    FileDescriptor fd_;
    MappedFile memory_; ///< the file from its begin to the end of the table
    std::optional<ZoneTable> table_;
    bool same_boot_ = false; ///< nothing was lost since the words were stored
    std::vector<bool> has_room_; ///< per page of the table
};

} // namespace zoneio
