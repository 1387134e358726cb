// SPDX-License-Identifier: GPL-3.0-or-later
//
// Constants and structures of the kernel's ublk interface (Documentation/block/ublk.rst, linux/ublk_cmd.h,
// linux/blkzoned.h). Debian 12's headers are too old for half of it, so none of them is used.
#pragma once

#include <cstdint>
#include <sys/ioctl.h>

namespace zoneio::ublk {

inline constexpr char control_path[] = "/dev/ublk-control";
inline constexpr uint64_t sector_bytes = 512;
inline constexpr uint16_t most_depth = 4096;
/// Device number: chosen by the kernel.
inline constexpr uint32_t any_device = UINT32_MAX;
/// Queue number of a command that is not for one queue.
inline constexpr uint16_t no_queue = UINT16_MAX;

/// Offset in the character device at which the data of requests is read and written.
constexpr int64_t data_offset(uint16_t queue, uint16_t tag) {
    return int64_t{0x80000000} + (int64_t{queue} << 41) + (int64_t{tag} << 25);
}
/// Distance between the data of two tags there; longer than any request.
inline constexpr uint32_t most_request_bytes = 1U << 25;

// Features: bits of Info::flags. The kernel clears those that it does not have.
inline constexpr uint64_t f_user_recovery = 1U << 3;
inline constexpr uint64_t f_user_recovery_reissue = 1U << 4;
inline constexpr uint64_t f_unprivileged = 1U << 5;
inline constexpr uint64_t f_ioctl_encode = 1U << 6;
inline constexpr uint64_t f_user_copy = 1U << 7;
inline constexpr uint64_t f_zoned = 1U << 8;

enum class DeviceState : uint16_t { dead, live, quiesced };

struct ControlCommand {
    uint32_t device;
    uint16_t queue;
    uint16_t length;      ///< length of the buffer
    uint64_t address;     ///< address of the buffer
    uint64_t data;
    uint16_t path_length; ///< if not 0, the buffer begins with the path of the character device
    uint16_t pad;
    uint32_t reserved;
};
static_assert(sizeof(ControlCommand) == 32);

struct Info {
    uint16_t queues;
    uint16_t depth;
    uint16_t state;
    uint16_t pad0;
    uint32_t max_request_bytes;
    uint32_t device;
    int32_t server_pid;
    uint32_t pad1;
    uint64_t flags;
    uint64_t server_word; ///< kept by the kernel for the server
    uint32_t owner_uid;
    uint32_t owner_gid;
    uint64_t reserved[2];
};
static_assert(sizeof(Info) == 64);

// Attributes: bits of Parameters::attributes.
inline constexpr uint32_t read_only = 1U << 0;
inline constexpr uint32_t volatile_cache = 1U << 2;
inline constexpr uint32_t forced_writes = 1U << 3;

// Parts of Parameters that are set: bits of Parameters::types.
inline constexpr uint32_t has_basic = 1U << 0;
inline constexpr uint32_t has_discard = 1U << 1;
inline constexpr uint32_t has_zones = 1U << 3;

struct Parameters {
    uint32_t length; ///< length of this struct
    uint32_t types;

    uint32_t attributes;
    uint8_t logical_block_shift;
    uint8_t physical_block_shift;
    uint8_t optimal_io_shift;
    uint8_t minimal_io_shift;
    uint32_t max_sectors;
    uint32_t chunk_sectors; ///< zone size
    uint64_t device_sectors;
    uint64_t virtual_boundary;

    uint32_t discard_alignment;
    uint32_t discard_granularity;
    uint32_t max_discard_sectors;
    uint32_t max_write_zeroes_sectors;
    uint16_t max_discard_segments;
    uint16_t pad;

    uint32_t device_numbers[4];

    uint32_t max_open_zones;
    uint32_t max_active_zones;
    uint32_t max_append_sectors;
    uint8_t zones_reserved[20];

    bool operator==(const Parameters&) const = default;
};
static_assert(sizeof(Parameters) == 112);

enum class Op : uint8_t {
    read = 0, write = 1, flush = 2, discard = 3, write_zeroes = 5,
    zone_open = 10, zone_close = 11, zone_finish = 12, zone_append = 13, zone_reset_all = 14, zone_reset = 15,
    report_zones = 18,
};

// Flags in Descriptor::op_flags; the lowest byte is the Op.
inline constexpr uint32_t op_mask = 0xff;
inline constexpr uint32_t flag_fua = 1U << 13;
inline constexpr uint32_t flag_no_unmap = 1U << 15;

/// A request, in memory shared with the kernel.
struct Descriptor {
    uint32_t op_flags;
    uint32_t sectors; ///< report_zones: most zones
    uint64_t start_sector;
    uint64_t address;
};
static_assert(sizeof(Descriptor) == 24);

/// Offset at which the descriptors of a queue are mapped.
constexpr int64_t descriptors_offset(uint16_t queue) {
    return int64_t{queue} * most_depth * int64_t{sizeof(Descriptor)};
}

/// Fetches the next request of a tag, and may return the result of the previous one.
struct QueueCommand {
    uint16_t queue;
    uint16_t tag;
    int32_t result;
    uint64_t place; ///< user copy: sector of appended data, otherwise 0; else: address of the tag's buffer
};
static_assert(sizeof(QueueCommand) == 16);

/// Result of a QueueCommand when the tag gets no more requests.
inline constexpr int32_t result_ended = -19; // ENODEV

struct ReportedZone {
    uint64_t start;
    uint64_t length;
    uint64_t write_pointer;
    uint8_t type;
    uint8_t condition;
    uint8_t reserved[6];
    uint64_t capacity;
    uint8_t reserved2[24];
};
static_assert(sizeof(ReportedZone) == 64);

// Command codes, see code_for().
inline constexpr auto get_info = static_cast<uint32_t>(_IOR('u', 0x02, ControlCommand));
inline constexpr auto add_device = static_cast<uint32_t>(_IOWR('u', 0x04, ControlCommand));
inline constexpr auto delete_device = static_cast<uint32_t>(_IOWR('u', 0x05, ControlCommand));
inline constexpr auto start_device = static_cast<uint32_t>(_IOWR('u', 0x06, ControlCommand));
inline constexpr auto stop_device = static_cast<uint32_t>(_IOWR('u', 0x07, ControlCommand));
inline constexpr auto set_parameters = static_cast<uint32_t>(_IOWR('u', 0x08, ControlCommand));
inline constexpr auto get_parameters = static_cast<uint32_t>(_IOR('u', 0x09, ControlCommand));
inline constexpr auto start_recovery = static_cast<uint32_t>(_IOWR('u', 0x10, ControlCommand));
inline constexpr auto end_recovery = static_cast<uint32_t>(_IOWR('u', 0x11, ControlCommand));
inline constexpr auto get_info_by_path = static_cast<uint32_t>(_IOR('u', 0x12, ControlCommand));
inline constexpr auto get_features = static_cast<uint32_t>(_IOR('u', 0x13, ControlCommand));
inline constexpr auto delete_device_later = static_cast<uint32_t>(_IOR('u', 0x14, ControlCommand));
inline constexpr auto fetch = static_cast<uint32_t>(_IOWR('u', 0x20, QueueCommand));
inline constexpr auto commit_and_fetch = static_cast<uint32_t>(_IOWR('u', 0x21, QueueCommand));

/// The command code for a driver with these features: Linux 6.0 to 6.3 have only the lowest byte.
constexpr uint32_t code_for(uint64_t features, uint32_t code) {
    return (features & f_ioctl_encode) != 0 ? code : code & 0xff;
}

} // namespace zoneio::ublk
