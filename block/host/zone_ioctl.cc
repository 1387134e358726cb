// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/zone_ioctl.h"

#include "block/base/file_descriptor.h"
#include "block/base/size.h"

#include <algorithm>
#include <cstddef>
#include <fmt/format.h>
#include <sys/ioctl.h>

// CMake sets both macros: the header came with Linux 4.10, zone capacities with 5.9.
#ifdef ZONEIO_HAVE_BLKZONED
#include <linux/blkzoned.h>
#endif

namespace zoneio {

const char* zone_ioctl_name(ZoneOp op) {
    switch (op) {
    case ZoneOp::open: return "BLKOPENZONE";
    case ZoneOp::close: return "BLKCLOSEZONE";
    case ZoneOp::finish: return "BLKFINISHZONE";
    case ZoneOp::reset: return "BLKRESETZONE";
    }
    return "?";
}

#ifdef ZONEIO_HAVE_BLKZONED

// Before 5.5 the header had only report and reset, but the running kernel may be newer.
#ifndef BLKOPENZONE
#define BLKOPENZONE _IOW(0x12, 134, struct blk_zone_range)
#define BLKCLOSEZONE _IOW(0x12, 135, struct blk_zone_range)
#define BLKFINISHZONE _IOW(0x12, 136, struct blk_zone_range)
#endif

namespace {

/// Number of zones per call, so that reports of any length use constant memory.
constexpr size_t zones_per_call = 1024;

unsigned long request_of(ZoneOp op) {
    switch (op) {
    case ZoneOp::open: return BLKOPENZONE;
    case ZoneOp::close: return BLKCLOSEZONE;
    case ZoneOp::finish: return BLKFINISHZONE;
    case ZoneOp::reset: return BLKRESETZONE;
    }
    return 0;
}

uint64_t capacity_of(const blk_zone_report& header, const blk_zone& zone) {
#ifdef ZONEIO_HAVE_ZONE_CAPACITY
    return (header.flags & BLK_ZONE_REP_CAPACITY) != 0 ? zone.capacity : zone.len;
#else
    (void)header;
    return zone.len;
#endif
}

ZoneDescriptor descriptor_of(const blk_zone_report& header, const blk_zone& zone) {
    ZoneDescriptor descriptor;
    descriptor.start = zone.start * sector_size;
    descriptor.length = zone.len * sector_size;
    descriptor.capacity = capacity_of(header, zone) * sector_size;
    descriptor.write_pointer = zone.wp == no_write_pointer ? no_write_pointer : zone.wp * sector_size;
    descriptor.type = static_cast<ZoneType>(zone.type);
    descriptor.state = static_cast<ZoneState>(zone.cond);
    return descriptor;
}

} // namespace

Status ioctl_report_zones(int fd, uint64_t offset, size_t count, std::vector<ZoneDescriptor>& zones) {
    zones.clear();
    count = std::min(count, zones_per_call);
    // The kernel expects the header and the zones in contiguous memory.
    static_assert(sizeof(blk_zone_report) % alignof(blk_zone) == 0);
    const size_t bytes = sizeof(blk_zone_report) + count * sizeof(blk_zone);
    const auto memory = std::make_unique<uint64_t[]>((bytes + sizeof(uint64_t) - 1) / sizeof(uint64_t));
    auto* const header = reinterpret_cast<blk_zone_report*>(memory.get());
    header->sector = offset / sector_size;
    header->nr_zones = static_cast<uint32_t>(count);
    if (uninterrupted([&] { return ioctl(fd, BLKREPORTZONE, header); }) < 0) {
        const int error = errno;
        return Status::error(error, fmt::format("{}: ioctl BLKREPORTZONE at {} failed {}", fd, offset / sector_size, error));
    }
    const auto* const reported = reinterpret_cast<const blk_zone*>(header + 1);
    const size_t filled = std::min<size_t>(header->nr_zones, count);
    zones.reserve(filled);
    for (size_t i = 0; i < filled; i++) {
        zones.push_back(descriptor_of(*header, reported[i]));
    }
    return {};
}

Status ioctl_manage_zones(int fd, ZoneOp op, uint64_t offset, uint64_t bytes) {
    blk_zone_range range{};
    range.sector = offset / sector_size;
    range.nr_sectors = bytes / sector_size;
    if (uninterrupted([&] { return ioctl(fd, request_of(op), &range); }) < 0) {
        const int error = errno;
        return Status::error(error, fmt::format("ioctl {} failed -{}", zone_ioctl_name(op), error));
    }
    return {};
}

#else

namespace {

Status not_built_in() {
    return Status::error(ENOTSUP, "built without linux/blkzoned.h: zones of host devices can be neither seen nor managed");
}

} // namespace

Status ioctl_report_zones(int /*fd*/, uint64_t /*offset*/, size_t /*count*/, std::vector<ZoneDescriptor>& zones) {
    zones.clear();
    return not_built_in();
}

Status ioctl_manage_zones(int /*fd*/, ZoneOp /*op*/, uint64_t /*offset*/, uint64_t /*bytes*/) {
    return not_built_in();
}

#endif

} // namespace zoneio
