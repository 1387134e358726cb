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

Explanation explain_address_in_use(Evidence& evidence) {
    return {evidence.failure().status.message(),
            {"A running program listens on this socket. A socket on which no program listens is replaced."},
            ""};
}

Explanation explain_no_socket(Evidence& evidence) {
    return {evidence.failure().status.message(), {"export replaces existing sockets, but no other files."}, ""};
}

Explanation explain_cannot_listen(Evidence& evidence) {
    return {evidence.failure().status.message(),
            {"The folder of the socket must exist and be writable. export creates the socket."},
            ""};
}

Explanation explain_unknown_name(Evidence& evidence) {
    return {evidence.failure().status.message(), {"'exports' lists the exports."}, "exports"};
}

Explanation explain_no_ublk(Evidence& evidence) {
    return {evidence.failure().status.message(),
            {"The kernel module ublk_drv provides these devices. Debian's kernels have it from Linux 6.12 on."},
            ""};
}

Explanation explain_ublk_root(Evidence& evidence) {
    return {evidence.failure().status.message(),
            {"Only root may make ublk devices with zones, and take a device over with --recover.",
             "Users may make devices of plain images from Linux 6.3 on, if a udev rule gives them /dev/ublk-control and the "
             "new devices. docs/kernel-disk.md has these rules.",
             "'export vhost-user' serves the image to virtual machines without root."},
            ""};
}

Explanation explain_ublk_not_given(Evidence& evidence) {
    return {evidence.failure().status.message(),
            {"The kernel makes devices for root. A udev rule has to give this user /dev/ublkcN and /dev/ublkbN, as it has given "
             "him /dev/ublk-control. docs/kernel-disk.md has the rules.",
             "Only root can delete a device whose /dev/ublkcN the user may not open: 'export ublk N' of root replaces it."},
            ""};
}

Explanation explain_ublk_old(Evidence& evidence) {
    return {evidence.failure().status.message(), {"Plain images need Linux 6.0, zones Linux 6.6 with CONFIG_BLK_DEV_ZONED."}, ""};
}

Explanation explain_ublk_zones(Evidence& evidence) {
    const uint64_t size = evidence.failure().status.facts().limit;
    return {fmt::format("the zones have {} bytes; Linux accepts only powers of two", size),
            {fmt::format("'create -f zoned' makes devices with zones of {} bytes and a zone.capacity of {}, which Linux accepts.",
                         std::bit_ceil(size), size)},
            ""};
}

Explanation explain_ublk_blocks(Evidence& evidence) {
    return {evidence.failure().status.message(), {}, ""};
}

Explanation explain_not_waiting(Evidence& evidence) {
    return {evidence.failure().status.message(),
            {"'export --recover' takes over a device whose zoneio was killed, with the same image opened in the same way.",
             "'export ublk' without --recover makes a new device."},
            ""};
}

Explanation explain_in_use(Evidence& evidence) {
    const CauseFacts& facts = evidence.failure().status.facts();
    return {fmt::format("{} cannot be removed now: {}", facts.name, facts.owner),
            {"Data that is not written yet would be lost. Unmount it first, or end the program that uses it."},
            ""};
}

constexpr CauseRow exports_table[] = {
    {"served", arose_from<Cause::image_served>, explain_served},
    {"socket-in-use", arose_from<Cause::socket_in_use>, explain_address_in_use},
    {"no-socket", arose_from<Cause::not_a_socket>, explain_no_socket},
    {"cannot-listen", arose_from<Cause::cannot_listen>, explain_cannot_listen},
    {"no-ublk", arose_from<Cause::no_ublk>, explain_no_ublk},
    {"ublk-needs-root", arose_from<Cause::ublk_needs_root>, explain_ublk_root},
    {"ublk-not-given", arose_from<Cause::ublk_not_given>, explain_ublk_not_given},
    {"ublk-too-old", arose_from<Cause::ublk_too_old>, explain_ublk_old},
    {"ublk-zone-size", arose_from<Cause::ublk_zone_size>, explain_ublk_zones},
    {"ublk-block-size", arose_from<Cause::ublk_block_size>, explain_ublk_blocks},
    {"ublk-not-waiting", arose_from<Cause::ublk_not_waiting>, explain_not_waiting},
    {"export-in-use", arose_from<Cause::export_in_use>, explain_in_use},
    {"not-served", arose_from<Cause::not_served>, explain_unknown_name},
};

} // namespace

std::span<const CauseRow> export_causes() {
    return exports_table;
}

} // namespace zoneio
