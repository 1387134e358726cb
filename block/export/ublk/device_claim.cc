// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/ublk/device_claim.h"

#include "block/host/device_use.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <sys/stat.h>

namespace zoneio {

namespace {

constexpr int between_attempts_ms = 100;

FileDescriptor claim(const std::string& device) {
    return FileDescriptor(open(device.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
}

std::string users_of(const std::string& device) {
    struct stat facts{};
    const bool is_there = stat(device.c_str(), &facts) == 0 && S_ISBLK(facts.st_mode);
    const DeviceUses uses = is_there ? device_uses(facts.st_rdev) : DeviceUses();
    return uses.clauses.empty() ? "a program has it exclusively" : fmt::format("{}", fmt::join(uses.clauses, "; "));
}

} // namespace

Status DeviceClaim::check(const std::string& device) {
    if (claim(device).valid() || errno != EBUSY) {
        return {};
    }
    const std::string users = users_of(device);
    return Status::error(EBUSY, fmt::format("{} is in use: {}", device, users))
        .because(Cause::export_in_use, {.name = device, .owner = users});
}

DeviceClaim DeviceClaim::wait(const std::string& device, int ended) {
    DeviceClaim made;
    pollfd end{ended, POLLIN, 0};
    while (true) {
        made.file_ = claim(device);
        if (made.file_.valid() || errno != EBUSY || poll(&end, 1, between_attempts_ms) > 0) {
            return made;
        }
    }
}

} // namespace zoneio
