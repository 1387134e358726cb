// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/export/ublk/appends.h"
#include "block/export/ublk/disk.h"
#include "block/export/ublk/ring.h"
#include "block/export/ublk/transfer.h"
#include "block/export/ublk/uapi.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace zoneio {

/// The queues of a device: an io_uring for each, and the requests received by them. For one thread, which the kernel
/// regards as the server of all queues.
class UblkQueues {
public:
    /// `events`: an epoll descriptor that the thread also waits for. `on_problem` receives the kernel's errors.
    UblkQueues(BackendPort& port, UblkDisk& disk, UblkAppends& appends, int events,
               std::function<void(std::string)> on_problem);
    UblkQueues(const UblkQueues&) = delete;
    UblkQueues& operator=(const UblkQueues&) = delete;
    ~UblkQueues();

    /// Opens the character device and fetches the first request of each tag. `is_recovered`: an earlier server may have
    /// taken the first requests.
    Status open(const ublk::Info& info, bool is_recovered);
    /// True when the kernel sends no more requests.
    bool has_ended() const { return live_tags_ == 0 && active_.empty() && parked_.empty(); }
    /// Waits for requests and for `events`, at most the given number of milliseconds (-1: without limit), and serves
    /// requests. True if `events` may be readable.
    bool serve(int timeout_ms);
    /// Answers the requests that the port has finished.
    void on_port();
    /// Waits until all requests are answered. Held requests continue.
    void finish_all();

private:
    struct Queue {
        UblkRing ring;
        const ublk::Descriptor* descriptors = nullptr;
        size_t descriptor_bytes = 0;
        uint8_t* data = nullptr;
        std::vector<UblkRequest> requests; ///< indexed by tag
        std::vector<uint16_t> answered_appends; ///< their records are cleared once the kernel has the answers
    };
    struct Completion {
        uint64_t user_data;
        int32_t result;
    };

    Status map(Queue& queue, uint16_t number);
    void fetch_all(Queue& queue);
    void send(Queue& queue, uint32_t code, const ublk::QueueCommand& command);
    void collect(Queue& queue);
    void on_completion(const Completion& completion, bool alone);
    void take(UblkRequest& request, bool alone);
    void begin(UblkRequest& request, bool alone);
    void go(UblkRequest& request, bool alone);
    bool waits(const UblkRequest& request) const;
    void unpark();
    void answer(UblkRequest& request);
    void take_finished();
    void answer_finished();
    void submit_answers();

    BackendPort& port_;
    UblkDisk& disk_;
    UblkAppends& appends_;
    int events_;
    std::function<void(std::string)> on_problem_;
    FileDescriptor file_;
    std::optional<UblkTransfer> transfer_;
    uint64_t features_ = 0;
    uint16_t depth_ = 0;
    size_t live_tags_ = 0;
    bool is_waiting_for_events_ = false;
    std::vector<std::unique_ptr<Queue>> queues_;
    std::vector<Completion> completions_;
    std::vector<UblkRequest*> active_; ///< started and not answered
    std::vector<UblkRequest*> finished_;
    std::vector<UblkRequest*> parked_; ///< waiting for an earlier request, see waits()
};

} // namespace zoneio
