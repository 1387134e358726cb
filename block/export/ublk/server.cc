// SPDX-License-Identifier: GPL-3.0-or-later
//
// The ublk server: a device of the running kernel, and the thread that serves its queues.
#include "block/export/server.h"
#include "block/export/ublk/control.h"
#include "block/export/ublk/device_claim.h"
#include "block/export/ublk/queues.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <future>
#include <new>
#include <optional>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace zoneio {

namespace {

using namespace std::chrono_literals;

/// How long a killed server may take to release its device.
constexpr auto patience = 10s;
constexpr auto between_attempts = 20ms;

/// Upper half of ublk::Info::server_word, which marks devices made by zoneio.
constexpr uint64_t made_by_zoneio = 0x7a6e696fULL << 32;

bool is_of_zoneio(const ublk::Info& info) {
    return (info.server_word & ~uint64_t{UINT32_MAX}) == made_by_zoneio;
}

bool is_process(uint32_t number) {
    return access(fmt::format("/proc/{}/", number).c_str(), F_OK) == 0;
}

/// Identifies an image while this kernel runs. 0 if the image is not a file.
uint64_t identity_of(BlockBackend& backend) {
    struct stat facts{};
    const std::string name = backend.filename();
    if (name.empty() || stat(name.c_str(), &facts) < 0) {
        return made_by_zoneio;
    }
    const bool is_device = S_ISBLK(facts.st_mode);
    uint32_t hash = 2166136261U; // FNV-1a
    for (const uint64_t number : {uint64_t{is_device ? facts.st_rdev : facts.st_dev}, uint64_t{is_device ? 0 : facts.st_ino}}) {
        for (unsigned shift = 0; shift < 64; shift += 8) {
            hash = (hash ^ static_cast<uint8_t>(number >> shift)) * 16777619U;
        }
    }
    return made_by_zoneio | hash;
}

class UblkServer final : public ExportServer {
public:
    UblkServer(BlockBackend& backend, std::mutex& turn, ExportOptions options)
        : ExportServer(backend, turn, std::move(options)), identity_(identity_of(backend)),
          disk_(port_, options_.read_only, counters_) {}

    ~UblkServer() override { stop(); }

    Status start() {
        if (Status status = disk_.check(); !status.ok()) {
            return status;
        }
        Result<std::unique_ptr<UblkControl>> control = UblkControl::open();
        if (!control.ok()) {
            return control.status();
        }
        control_ = std::move(*control);
        Status status = check_features();
        if (!status.ok()) {
            return status;
        }
        return options_.recover ? recover() : create();
    }

    std::string_view kind() const override { return "ublk"; }

    Status check_unused() const override {
        return thread_.joinable() && !state().has_ended ? DeviceClaim::check(options_.address) : Status();
    }

    void stop() override {
        if (!thread_.joinable()) {
            return;
        }
        const DeviceClaim claim = DeviceClaim::wait(options_.address, ended_.fd());
        stop_.set();
        (void)control_->stop(info_.device);
        thread_.join();
        give_up_device();
    }

private:
    Status check_features() {
        wanted_ = ublk::f_user_copy | ublk::f_user_recovery | ublk::f_user_recovery_reissue | ublk::f_ioctl_encode;
        wanted_ = (wanted_ & control_->features()) | (disk_.is_zoned() ? ublk::f_user_copy | ublk::f_zoned : 0);
        return (wanted_ & ~control_->features()) == 0
                   ? Status()
                   : Status::error(EOPNOTSUPP, "this kernel's ublk has no zones; Linux 6.6 is the first that has")
                         .because(Cause::ublk_too_old);
    }

    Status add_device() {
        info_.flags = wanted_;
        info_.server_word = identity_;
        Status status = control_->add(info_);
        const bool is_refused = status.cause() == Cause::ublk_needs_root;
        if (!is_refused || disk_.is_zoned() || (control_->features() & ublk::f_unprivileged) == 0) {
            return status;
        }
        // The device of a user has no recovery. So its word need not tell the image, but the server.
        info_.flags = ublk::f_unprivileged | (wanted_ & ublk::f_ioctl_encode);
        info_.server_word = made_by_zoneio | static_cast<uint32_t>(getpid());
        return control_->add(info_);
    }

    /// Of a device that a user's server has left when it was killed, the number and the character device remain. Deletes those.
    bool remove_left_device() {
        const Result<ublk::Info> left = options_.device ? control_->info(*options_.device) : Status::error(ENOENT, "");
        if (!left.ok() || (left->flags & ublk::f_unprivileged) == 0 || !is_of_zoneio(*left) ||
            is_process(static_cast<uint32_t>(left->server_word))) {
            return false;
        }
        control_->remove(*options_.device);
        return true;
    }

    /// Creates a new device.
    Status create() {
        const Result<ublk::Parameters> parameters = disk_.parameters();
        if (!parameters.ok()) {
            return parameters.status();
        }
        info_.queues = options_.queues;
        info_.depth = options_.depth;
        info_.max_request_bytes = UblkDisk::max_request_bytes;
        info_.device = options_.device.value_or(ublk::any_device);
        info_.server_pid = getpid();
        Status added = add_device();
        if (added.code() == EEXIST && remove_left_device()) {
            added = add_device();
        }
        if (!added.ok()) {
            return added;
        }
        note_device();
        disk_.use(*parameters);
        Status status = control_->set_parameters(info_.device, *parameters);
        // Without the file, appends may be repeated after a kill; it serves no other purpose.
        (void)(disk_.is_zoned() ? appends_->make(info_.queues, info_.depth) : Status());
        status = status.ok() ? start_serving(false) : std::move(status);
        if (status.ok()) {
            is_starting_ = true;
            status = control_->start(info_.device);
            is_starting_ = false;
            std::string text = fmt::format("the kernel does not start {}: {}", options_.address, strerror(status.code()));
            status = status.ok() ? wait_for_user() : std::move(status).with_text(std::move(text));
        }
        if (!status.ok()) {
            (void)control_->stop(info_.device);
            if (thread_.joinable()) {
                thread_.join();
            }
            give_up_device();
        }
        return status;
    }

    /// Of a device made by a user.
    Status wait_for_user() const {
        const bool is_users = (info_.flags & ublk::f_unprivileged) != 0;
        return is_users ? UblkControl::wait_until_given(options_.address, R_OK | (options_.read_only ? 0 : W_OK)) : Status();
    }

    /// Takes over the device of an earlier server.
    Status recover() {
        const uint32_t device = *options_.device;
        const Result<ublk::Info> info = control_->info(device);
        if (!info.ok()) {
            return info.status();
        }
        info_ = *info;
        note_device();
        Status status = check_left_device();
        status = status.ok() ? start_recovery() : std::move(status);
        if (!status.ok()) {
            return status;
        }
        (void)(disk_.is_zoned() ? appends_->take(info_.queues, info_.depth) : Status());
        status = start_serving(true);
        status = status.ok() ? control_->end_recovery(device) : std::move(status);
        if (!status.ok() && thread_.joinable()) {
            leave_device();
        }
        return status;
    }

    /// True if the device waits for another server.
    void leave_device() {
        is_leaving_ = true;
        stop_.set();
        thread_.join();
    }

    Status check_left_device() {
        const auto refused = [this](std::string_view why) {
            return Status::invalid(fmt::format("{}: {}", options_.address, why)).because(Cause::ublk_not_waiting);
        };
        if ((info_.flags & ublk::f_unprivileged) != 0) {
            return refused("it is a device that a user has made; such a device ends with its server");
        }
        if (!is_of_zoneio(info_) || (info_.flags & wanted_) != wanted_) {
            return refused("another program has made it");
        }
        Result<ublk::Parameters> has = control_->parameters(info_.device);
        Result<ublk::Parameters> wants = disk_.parameters();
        if (!has.ok() || !wants.ok()) {
            return has.ok() ? wants.status() : has.status();
        }
        if (info_.server_word != identity_) {
            return refused("it was made of another image");
        }
        if (is_served()) {
            return refused(fmt::format("it is served by process {}", info_.server_pid));
        }
        disk_.use(*has);
        const uint32_t cache = ublk::volatile_cache | ublk::forced_writes;
        wants->attributes = (wants->attributes & ~cache) | (has->attributes & cache);
        // Flags that the kernel adds.
        has->types &= ublk::has_basic | ublk::has_discard | ublk::has_zones;
        std::ranges::fill(has->device_numbers, 0);
        wants->length = has->length;
        return *has == *wants
                   ? Status()
                   : refused("the image was opened in another way: its size, blocks, zones, limits, and -r are to be the same");
    }

    Status start_recovery() {
        const auto last = std::chrono::steady_clock::now() + patience;
        Status status = control_->start_recovery(info_.device);
        // The kernel still has work to do after the old server has ended.
        while (status.code() == EBUSY && std::chrono::steady_clock::now() < last) {
            std::this_thread::sleep_for(between_attempts);
            status = control_->start_recovery(info_.device);
        }
        if (status.code() == EBUSY) {
            return std::move(status)
                .with_text(fmt::format("{}: process {} still has it", options_.address, info_.server_pid))
                .because(Cause::ublk_not_waiting);
        }
        return status;
    }

    bool is_served() {
        const Result<ublk::Info> now = control_->info(info_.device);
        return now.ok() && static_cast<ublk::DeviceState>(now->state) == ublk::DeviceState::live &&
               is_process(static_cast<uint32_t>(now->server_pid));
    }

    void note_device() {
        options_.device = info_.device;
        options_.address = ublk_block_device(info_.device);
        options_.queues = info_.queues;
        options_.depth = info_.depth;
        appends_.emplace(info_.device);
    }

    void give_up_device() {
        control_->remove(info_.device);
        appends_->remove();
    }

    /// Returns when all requests are fetched, or after an error.
    Status start_serving(bool is_recovered) {
        queues_ = std::make_unique<UblkQueues>(port_, disk_, *appends_, events_.get(),
                                               [this](const std::string& problem) { note_problem(problem); });
        std::promise<Status> fetched;
        std::future<Status> is_fetched = fetched.get_future();
        if (Status status = start_thread([this, is_recovered, &fetched] { run(is_recovered, fetched); }); !status.ok()) {
            return status;
        }
        Status status = is_fetched.get();
        if (!status.ok()) {
            thread_.join();
        }
        return status;
    }

    void run(bool is_recovered, std::promise<Status>& fetched) {
        port_.begin();
        watch(stop_.fd(), tag_stop);
        watch(port_.event_fd(), tag_port);
        disk_.begin();
        Status status = queues_->open(info_, is_recovered);
        const bool serves = status.ok();
        note_started(serves);
        fetched.set_value(std::move(status));
        while (serves && !queues_->has_ended() && !is_leaving_) {
            serve();
        }
        if (serves) {
            flush();
        }
        // Other programs that delete the device wait until it is closed.
        queues_.reset();
        note_end();
    }

    void note_started(bool serves) {
        change_state([&](ExportState& state) {
            state.is_connected = serves;
            state.takes_zones = disk_.is_zoned();
            state.connections = serves ? 1 : 0;
        });
    }

    void serve() {
        const int timeout = port_.timeout_ms();
        if (queues_->serve(timeout)) {
            take_events();
            queues_->on_port();
        } else if (timeout >= 0) {
            queues_->on_port();
        }
        if (is_stopping_ || is_starting_) {
            // The kernel waits for all requests that it has handed out; it would wait for held ones for ever. While it
            // starts the device, the prompt waits for the kernel, so nobody could resume them.
            queues_->finish_all();
        }
    }

    void take_events() {
        std::array<epoll_event, 4> events;
        const int count = epoll_wait(events_.get(), events.data(), static_cast<int>(events.size()), 0);
        for (int i = 0; i < count; i++) {
            if (events[static_cast<size_t>(i)].data.u64 == tag_stop) {
                is_stopping_ = true;
                forget(stop_.fd());
            }
        }
    }

    /// The kernel may have written without a flush.
    void flush() {
        Request request = Request::flush();
        if (!port_.submit(request, true)) {
            port_.kick();
            port_.drain();
        }
    }

    static constexpr uint64_t tag_stop = 1;
    static constexpr uint64_t tag_port = 2;

    uint64_t identity_;
    uint64_t wanted_ = 0; ///< requested features
    UblkDisk disk_;
    std::unique_ptr<UblkControl> control_;
    ublk::Info info_{};
    std::optional<UblkAppends> appends_;
    std::unique_ptr<UblkQueues> queues_;
    std::atomic<bool> is_starting_ = false;
    std::atomic<bool> is_leaving_ = false;
};

} // namespace

Result<std::unique_ptr<Export>> export_ublk(BlockBackend& backend, std::mutex& turn, ExportOptions options) {
    auto server = std::make_unique<UblkServer>(backend, turn, std::move(options));
    Status status = server->start();
    if (!status.ok()) {
        return status;
    }
    return std::unique_ptr<Export>(std::move(server));
}

} // namespace zoneio
