// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/ublk/control.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <thread>
#include <unistd.h>
#include <vector>

namespace zoneio {

namespace {

using namespace std::chrono_literals;

/// How long the number of a deleted device may stay taken, and how long udev may take to give a user his device.
constexpr auto longest_wait = 5s;
constexpr auto between_looks = 10ms;

/// Linux before 6.5 does not tell its features. It clears those of a new device that it does not have, see add().
constexpr uint64_t features_before_6_5 = ublk::f_user_recovery | ublk::f_user_recovery_reissue | ublk::f_unprivileged;

Status cannot_open_control(int error) {
    if (error == ENOENT || error == ENXIO || error == ENODEV) {
        return Status::error(error, fmt::format("there is no {}; 'modprobe ublk_drv' makes it", ublk::control_path))
            .because(Cause::no_ublk);
    }
    if (error == EACCES || error == EPERM) {
        return Status::error(error, fmt::format("this user may not open {}", ublk::control_path))
            .because(Cause::ublk_needs_root);
    }
    return Status::from_errno(error).because(Cause::cannot_open, {.name = ublk::control_path});
}

template <typename Struct>
std::span<uint8_t> bytes_of(Struct& data) {
    return {reinterpret_cast<uint8_t*>(&data), sizeof(data)};
}

bool is_deleted(uint32_t device) {
    return access(ublk_character_device(device).c_str(), F_OK) != 0 && errno == ENOENT;
}

/// Calls `is_so` until it returns true; false if that takes too long.
template <typename Condition>
bool wait_until(const Condition& is_so) {
    const auto last = std::chrono::steady_clock::now() + longest_wait;
    while (!is_so()) {
        if (std::chrono::steady_clock::now() > last) {
            return false;
        }
        std::this_thread::sleep_for(between_looks);
    }
    return true;
}

} // namespace

std::string ublk_block_device(uint32_t number) {
    return fmt::format("/dev/ublkb{}", number);
}

std::string ublk_character_device(uint32_t number) {
    return fmt::format("/dev/ublkc{}", number);
}

Result<std::unique_ptr<UblkControl>> UblkControl::open() {
    std::unique_ptr<UblkControl> control(new UblkControl);
    control->file_ = FileDescriptor(::open(ublk::control_path, O_RDWR | O_CLOEXEC));
    if (!control->file_.valid()) {
        return cannot_open_control(errno);
    }
    if (Status status = control->ring_.open(4); !status.ok()) {
        return status;
    }
    uint64_t features = 0;
    const bool tells = control->run({.code = ublk::get_features, .data = bytes_of(features)}).ok();
    control->features_ = tells ? features : features_before_6_5;
    return control;
}

Status UblkControl::run(const Call& call) {
    const std::string path = needs_path_ ? ublk_character_device(call.device) : "";
    std::vector<uint8_t> buffer(path.begin(), path.end());
    buffer.insert(buffer.end(), call.data.begin(), call.data.end());
    ublk::ControlCommand command{};
    command.device = call.device;
    command.queue = ublk::no_queue;
    command.address = buffer.empty() ? 0 : reinterpret_cast<uint64_t>(buffer.data());
    command.length = static_cast<uint16_t>(buffer.size());
    command.path_length = static_cast<uint16_t>(path.size());
    command.data = call.word;
    const int32_t result = wait_for(call, command);
    std::copy_n(buffer.data() + path.size(), call.data.size(), call.data.data());
    return result < 0 ? Status::from_errno(-result) : Status();
}

int32_t UblkControl::wait_for(const Call& call, const ublk::ControlCommand& command) {
    const uint64_t number = ++commands_;
    ring_.command(file_.get(), ublk::code_for(features_, call.code), &command, sizeof(command), number);
    std::optional<int32_t> result;
    while (!result) {
        ring_.wait(call.is_enough ? static_cast<int>(between_looks / 1ms) : -1);
        (void)ring_.for_each_completion([&](uint64_t of, int32_t completed) {
            if (of == number) {
                result = completed;
            }
        });
        if (!result && call.is_enough && call.is_enough()) {
            return 0;
        }
    }
    return *result;
}

Status UblkControl::add(ublk::Info& info) {
    needs_path_ = false;
    const auto add = [&] { return run({.code = ublk::add_device, .device = info.device, .data = bytes_of(info)}); };
    Status status = add();
    // The number of a deleted device is free again some time after its last user has closed it.
    if (status.code() == EEXIST && is_deleted(info.device)) {
        (void)wait_until([&] { return (status = add()).code() != EEXIST || !is_deleted(info.device); });
    }
    if (status.code() == EEXIST) {
        return std::move(status).with_text(
            is_deleted(info.device)
                ? fmt::format("a program still has the deleted {} open; end it, or take another number",
                              ublk_block_device(info.device))
                : fmt::format("{} exists already; take another number, or none", ublk_character_device(info.device)));
    }
    if (status.code() == EPERM) {
        return std::move(status).with_text("only root may make such a device").because(Cause::ublk_needs_root);
    }
    if (status.code() == EACCES) {
        return std::move(status).with_text("users have as many ublk devices as the parameter ublks_max of ublk_drv allows");
    }
    needs_path_ = status.ok() && (info.flags & ublk::f_unprivileged) != 0;
    return needs_path_ ? wait_until_given(ublk_character_device(info.device), R_OK | W_OK) : status;
}

Status UblkControl::wait_until_given(const std::string& file, int access_mode) {
    if (wait_until([&] { return access(file.c_str(), access_mode) == 0; })) {
        return {};
    }
    return Status::error(EACCES, fmt::format("{} was made, but this user may not open it", file))
        .because(Cause::ublk_not_given, {.name = file});
}

Result<ublk::Info> UblkControl::info(uint32_t device) {
    ublk::Info info{};
    // Only with the path, users get an answer, and root about devices of users. Linux 6.3 has that, and 6.5 tells so.
    const bool by_path = (features_ & ublk::f_ioctl_encode) != 0;
    needs_path_ = by_path;
    Status status = run({.code = by_path ? ublk::get_info_by_path : ublk::get_info, .device = device, .data = bytes_of(info)});
    needs_path_ = (info.flags & ublk::f_unprivileged) != 0;
    if (status.ok()) {
        return info;
    }
    if (status.code() == EPERM || status.code() == EACCES) {
        return std::move(status)
            .with_text(fmt::format("this user may not use {}", ublk_character_device(device)))
            .because(Cause::ublk_needs_root);
    }
    return std::move(status).with_text(fmt::format("there is no ublk device {}", device)).because(Cause::ublk_not_waiting);
}

Status UblkControl::set_parameters(uint32_t device, ublk::Parameters parameters) {
    return run({.code = ublk::set_parameters, .device = device, .data = bytes_of(parameters)});
}

Result<ublk::Parameters> UblkControl::parameters(uint32_t device) {
    ublk::Parameters parameters{};
    parameters.length = sizeof(parameters);
    Status status = run({.code = ublk::get_parameters, .device = device, .data = bytes_of(parameters)});
    if (!status.ok()) {
        return status;
    }
    return parameters;
}

Status UblkControl::start(uint32_t device) {
    return run({.code = ublk::start_device, .device = device, .word = static_cast<uint64_t>(getpid())});
}

Status UblkControl::stop(uint32_t device) {
    return run({.code = ublk::stop_device, .device = device});
}

void UblkControl::remove(uint32_t device) {
    if (run({.code = ublk::delete_device_later, .device = device}).ok()) {
        return;
    }
    // Kernels without that command, or that have it for root only, delete at once, but wait until all have closed the device.
    (void)run({.code = ublk::delete_device, .device = device, .is_enough = [device] { return is_deleted(device); }});
}

Status UblkControl::start_recovery(uint32_t device) {
    return run({.code = ublk::start_recovery, .device = device});
}

Status UblkControl::end_recovery(uint32_t device) {
    return run({.code = ublk::end_recovery, .device = device, .word = static_cast<uint64_t>(getpid())});
}

} // namespace zoneio
