// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/ublk/control.h"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <thread>
#include <unistd.h>

namespace zoneio {

namespace {

using namespace std::chrono_literals;

/// How long the number of a deleted device may stay taken.
constexpr auto longest_wait_for_number = 5s;
constexpr auto between_looks = 10ms;

Status cannot_open_control(int error) {
    if (error == ENOENT || error == ENXIO || error == ENODEV) {
        return Status::error(error, fmt::format("there is no {}; 'modprobe ublk_drv' makes it", ublk::control_path))
            .because(Cause::no_ublk);
    }
    if (error == EACCES || error == EPERM) {
        return Status::error(error, fmt::format("{} may be opened by root only", ublk::control_path))
            .because(Cause::ublk_needs_root);
    }
    return Status::from_errno(error).because(Cause::cannot_open, {.name = ublk::control_path});
}

ublk::ControlCommand command_for(uint32_t device) {
    ublk::ControlCommand command{};
    command.device = device;
    command.queue = ublk::no_queue;
    return command;
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
    return control;
}

Status UblkControl::run(uint32_t code, ublk::ControlCommand command) {
    std::optional<int32_t> result;
    ring_.command(file_.get(), code, &command, sizeof(command), 0);
    while (!result) {
        ring_.wait(-1);
        (void)ring_.for_each_completion([&](uint64_t, int32_t completed) { result = completed; });
    }
    return *result < 0 ? Status::from_errno(-*result) : Status();
}

Status UblkControl::run_with(uint32_t code, uint32_t device, void* buffer, uint16_t length) {
    ublk::ControlCommand command = command_for(device);
    command.address = reinterpret_cast<uint64_t>(buffer);
    command.length = length;
    return run(code, command);
}

Result<uint64_t> UblkControl::features() {
    uint64_t features = 0;
    Status status = run_with(ublk::get_features, 0, &features, sizeof(features));
    if (status.ok()) {
        return features;
    }
    // Linux 6.5 has this command, and everything that plain disks need.
    return std::move(status).with_text("this kernel's ublk is too old; Linux 6.5 is the first that will do, 6.6 for zones")
        .because(Cause::ublk_too_old);
}

Status UblkControl::add(ublk::Info& info) {
    const auto last = std::chrono::steady_clock::now() + longest_wait_for_number;
    const std::string name = ublk_character_device(info.device);
    const auto is_deleted = [&name] { return access(name.c_str(), F_OK) != 0 && errno == ENOENT; };
    Status status = run_with(ublk::add_device, info.device, &info, sizeof(info));
    // The number of a deleted device is free again some time after its last user has closed it.
    while (status.code() == EEXIST && is_deleted() && std::chrono::steady_clock::now() < last) {
        std::this_thread::sleep_for(between_looks);
        status = run_with(ublk::add_device, info.device, &info, sizeof(info));
    }
    if (status.code() == EEXIST) {
        return std::move(status).with_text(
            is_deleted() ? fmt::format("a program still has the deleted {} open; end it, or take another number",
                                       ublk_block_device(info.device))
                         : fmt::format("{} exists already; take another number, or none", name));
    }
    if (status.code() == EPERM || status.code() == EACCES) {
        return std::move(status).with_text("only root may make such a device").because(Cause::ublk_needs_root);
    }
    return status;
}

Result<ublk::Info> UblkControl::info(uint32_t device) {
    ublk::Info info{};
    Status status = run_with(ublk::get_info, device, &info, sizeof(info));
    if (!status.ok()) {
        return std::move(status).with_text(fmt::format("there is no ublk device {}", device)).because(Cause::ublk_not_waiting);
    }
    return info;
}

Status UblkControl::set_parameters(uint32_t device, ublk::Parameters parameters) {
    return run_with(ublk::set_parameters, device, &parameters, sizeof(parameters));
}

Result<ublk::Parameters> UblkControl::parameters(uint32_t device) {
    ublk::Parameters parameters{};
    parameters.length = sizeof(parameters);
    Status status = run_with(ublk::get_parameters, device, &parameters, sizeof(parameters));
    if (!status.ok()) {
        return status;
    }
    return parameters;
}

Status UblkControl::start(uint32_t device) {
    ublk::ControlCommand command = command_for(device);
    command.data = static_cast<uint64_t>(getpid());
    return run(ublk::start_device, command);
}

Status UblkControl::stop(uint32_t device) {
    return run(ublk::stop_device, command_for(device));
}

void UblkControl::remove(uint32_t device) {
    if (!run(ublk::delete_device_later, command_for(device)).ok()) {
        (void)run(ublk::delete_device, command_for(device));
    }
}

Status UblkControl::start_recovery(uint32_t device) {
    return run(ublk::start_recovery, command_for(device));
}

Status UblkControl::end_recovery(uint32_t device) {
    ublk::ControlCommand command = command_for(device);
    command.data = static_cast<uint64_t>(getpid());
    return run(ublk::end_recovery, command);
}

} // namespace zoneio
