// SPDX-License-Identifier: GPL-3.0-or-later
//
// The vhost-user server: a thread that waits for a front end, its messages, its kicks, and the port.
#include "block/export/server.h"
#include "block/export/vhost/listening_socket.h"
#include "block/export/vhost/protocol.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <new>
#include <optional>
#include <poll.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// Sources of events.
enum Tag : uint64_t { tag_stop, tag_listener, tag_connection, tag_port, tag_first_queue };

/// Interrupts a system call in which a front end deliberately makes the thread wait.
constexpr int interrupting_signal = SIGURG;

class VhostServer final : public ExportServer {
public:
    VhostServer(BlockBackend& backend, std::mutex& turn, ExportOptions options, ListeningSocket listener)
        : ExportServer(backend, turn, std::move(options)), listener_(std::move(listener)),
          device_(port_, {options_.name, options_.read_only, options_.queues}, counters_),
          queues_(port_, device_, options_.queues, events_.get(), tag_first_queue,
                  [this](const std::string& problem) { note_problem(problem); }) {}

    ~VhostServer() override { stop(); }

    Status start() {
        struct sigaction action{};
        action.sa_handler = [](int) {};
        sigaction(interrupting_signal, &action, nullptr);
        return start_thread([this] { run(); });
    }

    std::string_view kind() const override { return "vhost-user"; }

    void stop() override {
        if (!thread_.joinable()) {
            return;
        }
        stop_.set();
        pollfd end{ended_.fd(), POLLIN, 0};
        while (poll(&end, 1, 100) == 0) {
            pthread_kill(thread_.native_handle(), interrupting_signal);
        }
        thread_.join();
    }

private:
    void run() {
        sigset_t interrupting;
        sigemptyset(&interrupting);
        sigaddset(&interrupting, interrupting_signal);
        pthread_sigmask(SIG_UNBLOCK, &interrupting, nullptr);
        port_.begin();
        watch(stop_.fd(), tag_stop);
        watch(listener_.fd(), tag_listener);
        watch(port_.event_fd(), tag_port);
        while (!is_stopping_) {
            try {
                wait_and_handle();
            } catch (const std::bad_alloc&) {
                note_problem("no memory for what the front end wants");
                disconnect();
            }
        }
        disconnect();
        note_end();
    }

    void wait_and_handle() {
        std::array<epoll_event, 16> events;
        const int timeout = queues_.has_rest() ? 0 : port_.timeout_ms();
        const int count = epoll_wait(events_.get(), events.data(), static_cast<int>(events.size()), timeout);
        if (count == 0) {
            queues_.on_port();
        }
        for (int i = 0; i < count; i++) {
            handle(events[static_cast<size_t>(i)].data.u64);
        }
        (void)queues_.serve_rest();
    }

    void handle(uint64_t tag) {
        switch (tag) {
        case tag_stop: is_stopping_ = true; break;
        case tag_listener: connect(); break;
        case tag_connection: on_connection(); break;
        case tag_port: queues_.on_port(); break;
        default: queues_.on_kick(static_cast<uint32_t>(tag - tag_first_queue));
        }
    }

    void connect() {
        FileDescriptor socket = listener_.accept();
        if (!socket.valid() || connection_) {
            return;
        }
        // The next front end waits until this one has disconnected.
        forget(listener_.fd());
        device_.reset();
        connection_.emplace(std::move(socket), device_, queues_);
        watch(connection_->fd(), tag_connection);
        change_state([](ExportState& state) {
            state.is_connected = true;
            state.connections++;
        });
    }

    void on_connection() {
        if (!connection_) {
            return;
        }
        const bool goes_on = connection_->on_socket();
        if (!goes_on) {
            if (!connection_->problem().empty()) {
                note_problem(connection_->problem());
            }
            disconnect();
            return;
        }
        change_state([&](ExportState& state) { state.takes_zones = device_.takes_zones(); });
    }

    void disconnect() {
        if (!connection_) {
            return;
        }
        queues_.reset();
        forget(connection_->fd());
        connection_.reset();
        is_stopping_ = is_stopping_ || options_.once;
        if (!is_stopping_) {
            watch(listener_.fd(), tag_listener);
        }
        change_state([](ExportState& state) { state.is_connected = state.takes_zones = false; });
    }

    ListeningSocket listener_;
    VirtioBlk device_;
    VhostQueues queues_;
    std::optional<VhostUser> connection_;
};

} // namespace

Result<std::unique_ptr<Export>> export_vhost_user(BlockBackend& backend, std::mutex& turn, ExportOptions options) {
    Result<ListeningSocket> listener = ListeningSocket::open(options.address);
    if (!listener.ok()) {
        return std::move(listener).status();
    }
    auto server = std::make_unique<VhostServer>(backend, turn, std::move(options), std::move(*listener));
    Status status = server->start();
    if (!status.ok()) {
        return status;
    }
    return std::unique_ptr<Export>(std::move(server));
}

} // namespace zoneio
