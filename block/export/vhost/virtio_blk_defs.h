// SPDX-License-Identifier: GPL-3.0-or-later
//
// Constants and structures of the virtio block device (virtio 1.3, 5.2). Little endian, like all supported hosts.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace zoneio::virtio_blk {

static_assert(std::endian::native == std::endian::little);

inline constexpr uint64_t sector_bytes = 512;
inline constexpr size_t id_bytes = 20;

/// Feature bits.
inline constexpr uint64_t f_seg_max = 1U << 2;
inline constexpr uint64_t f_ro = 1U << 5;
inline constexpr uint64_t f_blk_size = 1U << 6;
inline constexpr uint64_t f_flush = 1U << 9;
inline constexpr uint64_t f_topology = 1U << 10;
inline constexpr uint64_t f_config_wce = 1U << 11;
inline constexpr uint64_t f_mq = 1U << 12;
inline constexpr uint64_t f_discard = 1U << 13;
inline constexpr uint64_t f_write_zeroes = 1U << 14;
inline constexpr uint64_t f_zoned = 1U << 17;

enum class Type : uint32_t {
    in = 0,
    out = 1,
    flush = 4,
    get_id = 8,
    discard = 11,
    write_zeroes = 13,
    zone_append = 15,
    zone_report = 16,
    zone_open = 18,
    zone_close = 20,
    zone_finish = 22,
    zone_reset = 24,
    zone_reset_all = 26,
};

enum class Answer : uint8_t {
    ok = 0,
    io_error = 1,
    unsupported = 2,
    zone_invalid_command = 3,
    zone_unaligned_write_pointer = 4,
    zone_open_resource = 5,
    zone_active_resource = 6,
};

struct Header {
    uint32_t type;
    uint32_t reserved;
    uint64_t sector;
};
static_assert(sizeof(Header) == 16);

/// Range of a discard or write zeroes.
struct Range {
    uint64_t sector;
    uint32_t sectors;
    uint32_t flags; ///< bit 0: unmap
};
static_assert(sizeof(Range) == 16);

struct ReportHeader {
    uint64_t zones;
    uint8_t reserved[56];
};
static_assert(sizeof(ReportHeader) == 64);

struct ReportedZone {
    uint64_t capacity;
    uint64_t start;
    uint64_t write_pointer;
    uint8_t type;
    uint8_t state;
    uint8_t reserved[38];
};
static_assert(sizeof(ReportedZone) == 64);

#pragma pack(push, 1)
struct Config {
    uint64_t capacity;
    uint32_t size_max;
    uint32_t seg_max;
    uint8_t geometry[4];
    uint32_t blk_size;
    uint8_t physical_block_exp;
    uint8_t alignment_offset;
    uint16_t min_io_size;
    uint32_t opt_io_size;
    uint8_t writeback;
    uint8_t unused0;
    uint16_t num_queues;
    uint32_t max_discard_sectors;
    uint32_t max_discard_seg;
    uint32_t discard_sector_alignment;
    uint32_t max_write_zeroes_sectors;
    uint32_t max_write_zeroes_seg;
    uint8_t write_zeroes_may_unmap;
    uint8_t unused1[3];
    uint32_t secure_erase[3];
    uint32_t zone_sectors;
    uint32_t max_open_zones;
    uint32_t max_active_zones;
    uint32_t max_append_sectors;
    uint32_t write_granularity;
    uint8_t zone_model;
    uint8_t unused2[3];
};
#pragma pack(pop)
static_assert(sizeof(Config) == 96 && offsetof(Config, writeback) == 32 && offsetof(Config, zone_sectors) == 72);

} // namespace zoneio::virtio_blk
