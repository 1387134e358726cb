// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace zoneio {

/// Cause of an error, in addition to its errno. In brackets: the members of CauseFacts that are set.
enum class Cause : uint8_t {
    none,
    cannot_open,         ///< a file or device cannot be opened or created; the errno says why (name)
    file_error,          ///< a system call on an open file failed (name)
    image_locked,        ///< another program holds a lock on the image (name)
    write_declined,      ///< the user declined to open the device for writing (name)
    unknown_driver,      ///< (name)
    unknown_protocol,    ///< (name)
    unknown_option,      ///< `owner` is the driver that does not have the option (name, owner)
    bad_option_value,    ///< (name, expected)
    zones_need_direct,   ///< a zoned device opened for writing without cache.direct=on
    aio_needs_direct,    ///< aio=native without cache.direct=on
    no_io_uring,         ///< aio=io_uring where the kernel does not let this process have a ring
    needs_size,          ///< a new zoned device without `size`
    no_zoned_file,       ///< the file has other content than a zoned device
    other_geometry,      ///< the file holds a zoned device with another geometry
    unsupported_format,  ///< (name)
    server_unreachable,  ///< no connection to the server (name: its address); the errno says why where there is one
    no_such_export,      ///< (name; owner: the exports that exist, one a line, if the server lists them)
    tls_required,        ///< the server requires TLS
    read_only_export,    ///< the server allows only reading
    read_only_node,      ///< the image is open read-only
    injected,            ///< a rule of blkdebug made the request fail
    changes_format,      ///< the write would make an image that was probed as raw look like another format
    no_temporary_file,   ///< the temporary overlay cannot be created (name)
    overlay_unnamed,     ///< the file of the temporary overlay has no name any more, so it cannot be reopened
    outside_image,       ///< the range ends after the end of the image
    range_not_zones,     ///< the end of a range is inside a zone (limit: the zone size)
    offset_inside_zone,  ///< (limit: the zone size)
    append_misaligned,   ///< (limit: the write granularity)
    append_too_long,     ///< (limit: the longest append)
    zone_rule,           ///< type, state, write pointer or capacity of a zone forbids the request
    open_limit,          ///< open-zone limit reached
    active_limit,        ///< active-zone limit reached
    image_served,        ///< the image is exported, and the clients would lose it (name: of the export)
    socket_in_use,       ///< another program listens at a socket (name)
    not_a_socket,        ///< a socket would replace another kind of file (name)
    cannot_listen,       ///< a socket cannot be created; the errno says why (name)
    no_ublk,             ///< the kernel's ublk driver is not loaded
    ublk_needs_root,     ///< only root may make or take over such a ublk device
    ublk_not_given,      ///< the system has not given a user the ublk device that he has made (name: the character device)
    ublk_too_old,        ///< the kernel's ublk cannot do what is needed
    guest_zone_size,     ///< Linux takes no zones of that size from a virtual disk (limit: the zone size)
    ublk_short_zone,     ///< ublk does not show the last zone (limit: its size)
    ublk_zone_size,      ///< Linux takes no zones of that size (limit: the zone size)
    ublk_block_size,     ///< Linux takes no blocks of that size (limit: the block size)
    ublk_not_waiting,    ///< there is no ublk device that waits for this server
    export_in_use,       ///< a device that is served is mounted or otherwise in use (name; owner: by whom)
    not_served,          ///< nothing is served under that name
    no_write_log,        ///< no write log is kept of the open image
    write_log_incomplete, ///< the write log lacks an entry, so no more writes are done
    not_a_write_log,     ///< a file has no superblock of a write log
    broken_write_log,    ///< an entry of a write log is broken, or the log ends before it
    write_log_of_other,  ///< the open image is not as the image was whose writes were logged
    not_in_write_log,    ///< a write log has no such entry or mark
};

/// Kind of value that an option takes.
enum class ValueKind : uint8_t { text, on_off, size, number, identifier, zone_numbers };

/// Facts of a cause. Sizes are in bytes.
struct CauseFacts {
    std::string name = {};  ///< file, device, driver, protocol, format or option
    std::string owner = {}; ///< driver
    uint64_t limit = 0;
    ValueKind expected = ValueKind::text;
};

} // namespace zoneio
