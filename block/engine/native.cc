// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/engine/kernel.h"

#include <array>
#include <cstring>
#include <deque>
#include <fmt/format.h>
#include <libaio.h>

namespace zoneio {

namespace {

/// Most requests in the kernel.
constexpr size_t queue_depth = 1024;

/// Number of requests submitted by one system call.
constexpr size_t most_kept_back = 32;

class NativeEngine final : public KernelEngine {
public:
    explicit NativeEngine(BlockNode& root) : KernelEngine(root) {
        free_.reserve(slots_.size());
        kept_back_.reserve(most_kept_back);
        for (Slot& slot : slots_) {
            free_.push_back(&slot);
        }
    }

    ~NativeEngine() override {
        if (context_ != nullptr) {
            (void)io_destroy(context_);
        }
    }

    Status start() {
        const int result = io_setup(static_cast<int>(queue_depth), &context_);
        if (result < 0) {
            context_ = nullptr;
            return Status::error(-result, fmt::format("failed to create linux AIO context: {}", strerror(-result)));
        }
        return {};
    }

protected:
    void submit_io(Request& request, const FdIo& io) override {
        if (io.sync_after) {
            // Many file systems do not support libaio's own fdsync.
            redo_in_thread(request);
            return;
        }
        if (free_.empty()) {
            parked_.push_back({&request, io});
            return;
        }
        start_io(request, io);
    }

    void kick_kernel() override {
        size_t done = 0;
        while (done < kept_back_.size()) {
            const int taken = io_submit(context_, static_cast<long>(kept_back_.size() - done), kept_back_.data() + done);
            done += taken > 0 ? static_cast<size_t>(taken) : 0;
            if (taken <= 0) {
                // The kernel refuses this request.
                auto* const slot = static_cast<Slot*>(kept_back_[done++]->data);
                free_.push_back(slot);
                redo_in_thread(*slot->request);
            }
        }
        kept_back_.clear();
    }

    size_t reap_kernel(bool wait) override {
        kick_kernel();
        size_t count = harvest(0);
        while (wait && count == 0 && in_kernel() > 0) {
            count = harvest(1);
        }
        return count;
    }

    int kernel_fd() const override { return event_.fd(); }
    size_t in_kernel() const override { return queue_depth - free_.size() + parked_.size(); }

private:
    struct Slot {
        iocb control;
        Request* request;
    };

    struct Parked {
        Request* request;
        FdIo io;
    };

    void start_io(Request& request, const FdIo& io) {
        Slot& slot = *free_.back();
        free_.pop_back();
        slot.request = &request;
        const std::span<const iovec> segments = request.iov.segments();
        const int count = static_cast<int>(segments.size());
        const auto offset = static_cast<long long>(io.offset);
        if (request.op == RequestOp::read) {
            io_prep_preadv(&slot.control, io.fd, segments.data(), count, offset);
        } else {
            io_prep_pwritev(&slot.control, io.fd, segments.data(), count, offset);
        }
        io_set_eventfd(&slot.control, event_.fd());
        slot.control.data = &slot;
        kept_back_.push_back(&slot.control);
        if (kept_back_.size() >= most_kept_back) {
            kick_kernel();
        }
    }

    size_t harvest(long at_least) {
        std::array<io_event, 64> events;
        event_.clear();
        size_t count = 0;
        while (free_.size() < queue_depth) {
            const int got = io_getevents(context_, at_least, events.size(), events.data(), nullptr);
            for (int i = 0; i < got; i++) {
                count += handle(events[static_cast<size_t>(i)]);
            }
            at_least = 0;
            if (got < static_cast<int>(events.size())) {
                break;
            }
        }
        while (!parked_.empty() && !free_.empty()) {
            const Parked parked = parked_.front();
            parked_.pop_front();
            start_io(*parked.request, parked.io);
        }
        kick_kernel();
        return count;
    }

    size_t handle(const io_event& event) {
        Slot& slot = *static_cast<Slot*>(event.data);
        Request& request = *slot.request;
        free_.push_back(&slot);
        const auto result = static_cast<long>(event.res);
        const int error = result < 0 ? static_cast<int>(-result) : 0;
        const bool is_short = error == 0 && static_cast<uint64_t>(result) != request.bytes;
        if (is_short || is_redone_after(error)) {
            redo_in_thread(request);
            return 0;
        }
        finish(request, error);
        return 1;
    }

    Event event_;
    io_context_t context_ = nullptr;
    std::array<Slot, queue_depth> slots_;
    std::vector<Slot*> free_;
    std::vector<iocb*> kept_back_; ///< prepared, not submitted yet
    std::deque<Parked> parked_;
};

} // namespace

Result<std::unique_ptr<IoEngine>> make_native_engine(BlockNode& root) {
    auto engine = std::make_unique<NativeEngine>(root);
    TRY(engine->start());
    return std::unique_ptr<IoEngine>(std::move(engine));
}

} // namespace zoneio
