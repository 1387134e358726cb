// SPDX-License-Identifier: GPL-3.0-or-later
//
// Causes about exports: why an image cannot be exported, or cannot be closed while it is.
#include "commands/why/why.h"

#include <bit>
#include <fmt/format.h>

namespace zoneio {

namespace {

Explanation explain_served(Evidence& evidence) {
    const Exports& exports = evidence.session().exports();
    Explanation explanation{"the image is exported, and the clients would lose it", {}, exports.empty() ? "" : "unexport"};
    for (const std::unique_ptr<Export>& served : exports.all()) {
        explanation.more.push_back(fmt::format("'{}' serves it by {} at {}.", served->options().name, served->kind(),
                                               served->options().address));
    }
    if (exports.all().size() > 1) {
        explanation.repair = fmt::format("unexport {}", exports.all().front()->options().name);
    }
    return explanation;
}

Explanation explain_linux_zones(Evidence& evidence) {
    const uint64_t size = evidence.failure().status.facts().limit;
    return {fmt::format("the zones have {} bytes; Linux accepts only powers of two", size),
            {fmt::format("'create -f zoned' makes devices with zones of {} bytes and a zone.capacity of {}, which Linux accepts.",
                         std::bit_ceil(size), size)}};
}

Explanation explain_short_zone(Evidence& evidence) {
    return {fmt::format("the last zone has {} bytes, the others {}; a ublk device has whole zones only",
                        evidence.failure().status.facts().limit, evidence.limits().zone_size),
            {"zoneio's own commands reach the last zone, and so do virtual machines. In a device whose size is a multiple of the zone size, "
             "it is a whole zone."}};
}

Explanation explain_in_use(Evidence& evidence) {
    const CauseFacts& facts = evidence.failure().status.facts();
    return {fmt::format("{} cannot be removed now: {}", facts.name, facts.owner),
            {"Data that is not written yet would be lost. Unmount it first, or end the program that uses it."}};
}

constexpr CauseRow exports_table[] = {
    {"served", arose_from<Cause::image_served>, explain_served},
    {"socket-in-use", arose_from<Cause::socket_in_use>, nullptr,
     "A running program listens on this socket. A socket on which no program listens is replaced."},
    {"no-socket", arose_from<Cause::not_a_socket>, nullptr, "export replaces existing sockets, but no other files."},
    {"cannot-listen", arose_from<Cause::cannot_listen>, nullptr,
     "The folder of the socket must exist and be writable. export creates the socket."},
    {"no-ublk", arose_from<Cause::no_ublk>, nullptr,
     "The kernel module ublk_drv provides these devices. Debian's kernels have it from Linux 6.12 on."},
    {"ublk-needs-root", arose_from<Cause::ublk_needs_root>, nullptr,
     "Only root may make ublk devices with zones, and take a device over with --recover.\n"
     "Users may make devices of plain images from Linux 6.3 on, if a udev rule gives them /dev/ublk-control and the "
     "new devices. docs/kernel-disk.md has these rules.\n"
     "'export vhost-user' serves the image to virtual machines without root."},
    {"ublk-not-given", arose_from<Cause::ublk_not_given>, nullptr,
     "The kernel makes devices for root. A udev rule has to give this user /dev/ublkcN and /dev/ublkbN, as it has given "
     "him /dev/ublk-control. docs/kernel-disk.md has the rules.\n"
     "Only root can delete a device whose /dev/ublkcN the user may not open: 'export ublk N' of root replaces it."},
    {"ublk-too-old", arose_from<Cause::ublk_too_old>, nullptr,
     "Plain images need Linux 6.0, zones Linux 6.6 with CONFIG_BLK_DEV_ZONED."},
    {"guest-zone-size", arose_from<Cause::guest_zone_size>, explain_linux_zones},
    {"ublk-short-zone", arose_from<Cause::ublk_short_zone>, explain_short_zone},
    {"ublk-zone-size", arose_from<Cause::ublk_zone_size>, explain_linux_zones},
    {"ublk-block-size", arose_from<Cause::ublk_block_size>, nullptr},
    {"ublk-not-waiting", arose_from<Cause::ublk_not_waiting>, nullptr,
     "'export --recover' takes over a device whose zoneio was killed, with the same image opened in the same way.\n"
     "'export ublk' without --recover makes a new device."},
    {"export-in-use", arose_from<Cause::export_in_use>, explain_in_use},
    {"not-served", arose_from<Cause::not_served>, nullptr, "'exports' lists the exports.", "exports"},
};

} // namespace

std::span<const CauseRow> export_causes() {
    return exports_table;
}

} // namespace zoneio
