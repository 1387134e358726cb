// SPDX-License-Identifier: GPL-3.0-or-later
//
// Targets that open images: names, and whole sessions of commands.
#include "fuzz_target.h"

#include "block/chain/open.h"
#include "commands/dispatch.h"
#include "commands/image/image_open.h"

#include <algorithm>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace zoneio::fuzz {

namespace {

constexpr size_t most_lines = 48;
constexpr uint64_t most_output = 1U << 20;

/// Devices with which sessions start. Small, so that every command is fast.
constexpr std::string_view devices[] = {
    "driver=zoned,size=1M,zone.size=64k",
    "driver=zoned,size=1000k,zone.size=96k,zone.capacity=64k,zone.conventional_zones=2,zone.max_open_zones=2,"
    "zone.max_active_zones=3",
    "driver=zoned,size=2M,zone.size=512k,logical_block_size=4096,zone.max_append_bytes=8k,zone.readonly=1,zone.offline=2",
    "driver=null-co,size=1M,read-zeroes=on",
    "driver=raw,offset=4k,size=512k,file.driver=null-co,file.size=1M",
    "driver=raw,file.filename=disk",
    "driver=raw,file.filename=disk,file.aio=io_uring,detect-zeroes=unmap,discard=unmap",
    "driver=raw,file.filename=disk,file.aio=native,cache.direct=on",
    "driver=zoned,filename=zones,size=1M,zone.size=64k,zone.max_open_zones=3",
    "driver=raw,file.driver=zoned,file.filename=zones,file.size=1M,file.zone.size=64k,file.zone.max_open_zones=3",
};

void make_file(const char* name, off_t size) {
    const int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0 && ftruncate(fd, size) == 0, "a file in the scratch folder can be made");
    close(fd);
}

void open_device(Session& session, std::string_view device) {
    constexpr off_t disk_size = 1 << 20;
    (void)scratch_folder();
    make_file("disk", disk_size);
    make_file("zones", 0);
    OpenRequest request;
    check(add_option_string(session, device, IdOption::refused, request.options), "the options of the devices are right");
    (void)open_image(session, std::move(request));
}

/// Checks what is always true of zones.
void check_zones(BlockBackend& backend) {
    const Limits& limits = backend.limits();
    if (limits.zoned == ZonedModel::none) {
        return;
    }
    uint64_t open = 0;
    uint64_t active = 0;
    const auto look = [&](const ZoneDescriptor& zone) {
        const bool is_open = zone.state == ZoneState::implicit_open || zone.state == ZoneState::explicit_open;
        open += is_open ? 1 : 0;
        active += is_open || zone.state == ZoneState::closed ? 1 : 0;
        check(zone.capacity <= zone.length, "a zone's capacity is within it");
        check(zone.write_pointer == no_write_pointer ||
                  (zone.write_pointer >= zone.start && zone.write_pointer <= zone.start + zone.length),
              "a write pointer is within its zone");
    };
    check(backend.zone_report(0, UINT32_MAX, look).ok(), "zones are reported");
    check(limits.max_open_zones == 0 || open <= limits.max_open_zones, "no more zones are open than may be");
    check(limits.max_active_zones == 0 || active <= limits.max_active_zones, "no more zones are active than may be");
}

void run_lines(Session& session, std::string_view text) {
    for (size_t count = 0; count < most_lines && !text.empty(); count++) {
        const size_t end = std::min(text.find('\n'), text.size());
        std::string line(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (run_line(session, line.data()) == Outcome::quit) {
            break;
        }
        if (session.is_open()) {
            check_zones(session.backend());
        }
    }
}

} // namespace

/// The first byte selects the device; the rest are lines.
void run_session(Input input) {
    if (input.empty()) {
        return;
    }
    limit_output(most_output);
    try {
        Session session("zoneio");
        session.misalign = (input[0] & 0x80U) != 0;
        open_device(session, devices[(input[0] & 0x7fU) % std::size(devices)]);
        run_lines(session, text_of(input.subspan(1)));
        session.close();
    } catch (const OutputLimit&) {
    }
    limit_output(UINT64_MAX);
}

/// The input is a config file of blkdebug, which then injects faults into a device.
void run_blkdebug(Input input) {
    (void)scratch_folder();
    const int fd = open("config", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0 && write(fd, input.data(), input.size()) == static_cast<ssize_t>(input.size()), "a config can be written");
    close(fd);
    limit_output(most_output);
    try {
        Session session("zoneio");
        OpenRequest request;
        check(add_option_string(session, "driver=blkdebug,config=config,image.driver=null-co,image.size=1M", IdOption::refused,
                                request.options),
              "the options are right");
        if (open_image(session, std::move(request)) == Outcome::ok) {
            std::string lines = "read 0 512\nwrite 512 4k\nwrite -z 0 1k\nflush\ndiscard 4k 4k\naio_read 0 4k\naio_write 8k 4k\n"
                                "aio_flush\nread 512k 64k\nwrite 0 512";
            run_lines(session, lines);
        }
        session.close();
    } catch (const OutputLimit&) {
    }
    limit_output(UINT64_MAX);
}

/// The input is a name or, if its first byte is odd, an option string. An image that opens is read and reported.
void run_image_name(Input input) {
    if (input.empty()) {
        return;
    }
    limit_output(most_output);
    try {
        Session session("zoneio");
        (void)scratch_folder();
        OpenRequest request;
        // Arguments and lines cannot contain zero bytes.
        const std::string name(std::string(text_of(input.subspan(1))).c_str());
        bool wanted = true;
        if (input[0] % 2 != 0) {
            wanted = add_option_string(session, name, IdOption::refused, request.options);
        } else {
            request.filename = name;
        }
        if (wanted && open_image(session, std::move(request)) == Outcome::ok) {
            std::string reads = "read 0 1\nlength\ninfo\naio_write 0 512\nzrp 0 3\nreopen -r\nreopen -w\nread 1k 1k";
            run_lines(session, reads);
        }
        session.close();
    } catch (const OutputLimit&) {
    }
    limit_output(UINT64_MAX);
}

} // namespace zoneio::fuzz
