// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/engine/kernel.h"
#include "block/trace/trace.h"

#include <cstring>
#include <deque>
#include <fmt/format.h>
#include <liburing.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace zoneio {

namespace {

/// Sizes of the submission queue and of the completion queue.
constexpr unsigned submission_entries = 256;
constexpr unsigned completion_entries = 4096;

/// Number of requests submitted by one system call: enough to make its cost small, few enough to keep a device busy.
constexpr unsigned batch = 32;

/// The kernel processes completions when this thread asks for them, without interrupting it. Kernels before 6.1 refuse
/// these flags.
constexpr unsigned quiet_completions = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;

/// A write with a sync consists of two linked entries. The lowest bits of the request's address, which alignment leaves
/// free, distinguish them.
constexpr uintptr_t write_of_pair = 1;
constexpr uintptr_t sync_of_pair = 2;
constexpr uintptr_t tag_bits = write_of_pair | sync_of_pair;

class UringEngine final : public KernelEngine {
public:
    explicit UringEngine(BlockNode& root) : KernelEngine(root) {}

    ~UringEngine() override {
        if (ready_) {
            io_uring_queue_exit(&ring_);
        }
    }

    Status start() {
        int result = set_up(quiet_completions);
        if (result == -EINVAL) {
            result = set_up(0);
        }
        if (result == 0) {
            // Polling the ring's own descriptor would miss completions that the kernel has not processed yet.
            result = io_uring_register_eventfd(&ring_, event_.fd());
        }
        if (result < 0) {
            return Status::error(-result, fmt::format("failed to init linux io_uring ring: {}", strerror(-result)));
        }
        return {};
    }

protected:
    void submit_io(Request& request, const FdIo& io) override {
        if (broken_) {
            redo_in_thread(request);
            return;
        }
        if (completions_due_ + 2 > completion_entries) {
            // One more could overflow the completion queue, so the request waits here.
            parked_.push_back({&request, io});
            return;
        }
        start_io(request, io);
    }

    void kick_kernel() override {
        if (io_uring_sq_ready(&ring_) > 0) {
            submit_queued();
        }
    }

    size_t reap_kernel(bool wait) override {
        if (!wait) {
            kick_kernel();
        }
        size_t count = harvest();
        while (wait && count == 0 && in_kernel() > 0) {
            const int submitted = io_uring_submit_and_wait(&ring_, 1);
            if (submitted < 0) {
                take_error(-submitted);
                std::this_thread::yield();
            } else if (submitted > 0) {
                trace_luring_io_uring_submit(this, submitted);
            }
            count = harvest();
            if (in_kernel() == 0) {
                break; // the rest is with the threads now
            }
        }
        return count;
    }

    int kernel_fd() const override { return event_.fd(); }
    size_t in_kernel() const override { return in_kernel_ + parked_.size(); }

private:
    int set_up(unsigned flags) {
        io_uring_params params{};
        params.flags = IORING_SETUP_CQSIZE | flags;
        params.cq_entries = completion_entries;
        const int result = io_uring_queue_init_params(submission_entries, &ring_, &params);
        ready_ = result == 0;
        return result;
    }

    struct Parked {
        Request* request;
        FdIo io;
    };

    void start_io(Request& request, const FdIo& io) {
        const bool pair = io.sync_after;
        io_uring_sqe* sqe = next_sqe(pair ? 2 : 1);
        const std::span<const iovec> segments = request.iov.segments();
        const auto count = static_cast<unsigned>(segments.size());
        if (request.op == RequestOp::read) {
            io_uring_prep_readv(sqe, io.fd, segments.data(), count, io.offset);
        } else {
            io_uring_prep_writev(sqe, io.fd, segments.data(), count, io.offset);
        }
        const auto tag = reinterpret_cast<uintptr_t>(&request);
        sqe->user_data = tag;
        if (pair) {
            sqe->flags |= IOSQE_IO_LINK;
            sqe->user_data = tag | write_of_pair;
            io_uring_sqe* sync = io_uring_get_sqe(&ring_);
            io_uring_prep_fsync(sync, io.fd, IORING_FSYNC_DATASYNC);
            sync->user_data = tag | sync_of_pair;
        }
        request.completions_due = pair ? 2 : 1;
        request.sync_error = 0;
        completions_due_ += request.completions_due;
        in_kernel_++;
        if (io_uring_sq_ready(&ring_) >= batch) {
            submit_queued();
        }
    }

    io_uring_sqe* next_sqe(unsigned needed) {
        while (io_uring_sq_space_left(&ring_) < needed) {
            // Requests in flight end only when this thread asks for completions.
            (void)io_uring_get_events(&ring_);
            submit_queued();
            std::this_thread::yield();
        }
        return io_uring_get_sqe(&ring_);
    }

    void submit_queued() {
        const int submitted = io_uring_submit(&ring_);
        if (submitted != 0) {
            trace_luring_io_uring_submit(this, submitted);
        }
        if (submitted < 0) {
            take_error(-submitted);
        }
    }

    /// Handles a failed submission. After EAGAIN and EBUSY, the queue is submitted with the next call. After any other
    /// error, threads run the queued and all later requests.
    void take_error(int error) {
        if (error == EAGAIN || error == EBUSY || error == EINTR) {
            return;
        }
        broken_ = true;
        // Without a polling thread in the kernel, it reads the queue only during the call.
        io_uring_sq& queue = ring_.sq;
        std::vector<uintptr_t> tags;
        for (unsigned i = *queue.khead; i != queue.sqe_tail; i++) {
            tags.push_back(queue.sqes[i & *queue.kring_mask].user_data);
        }
        queue.sqe_head = queue.sqe_tail = *queue.ktail = *queue.khead;
        for (const uintptr_t tag : tags) {
            completions_due_--;
            handle(tag, -EAGAIN);
        }
    }

    size_t harvest() {
        size_t count = 0;
        event_.clear();
        // Linux 6.13 and newer does a part of what is due in a call, and signals the eventfd only once for all of it. A
        // part without completions, such as syncs that begin, must not end the look. The flag alone must not prolong it:
        // it stays set when nothing is due if a worker of the kernel sets it late. Each call does at least the part of
        // one entry.
        unsigned calls = completions_due_ + 1;
        do {
            io_uring_cqe* cqe = nullptr;
            while (io_uring_peek_cqe(&ring_, &cqe) == 0) {
                const uintptr_t tag = cqe->user_data;
                const int result = cqe->res;
                io_uring_cqe_seen(&ring_, cqe);
                completions_due_--;
                count += handle(tag, result);
            }
        } while (calls-- > 0 && has_work_due() && io_uring_get_events(&ring_) >= 0);
        while (!parked_.empty() && completions_due_ + 2 <= completion_entries) {
            const Parked parked = parked_.front();
            parked_.pop_front();
            if (broken_) {
                redo_in_thread(*parked.request);
                continue;
            }
            start_io(*parked.request, parked.io);
        }
        kick_kernel();
        return count;
    }

    /// True if the kernel waits for a call before it goes on with requests.
    bool has_work_due() const { return (__atomic_load_n(ring_.sq.kflags, __ATOMIC_ACQUIRE) & IORING_SQ_TASKRUN) != 0; }

    /// Handles a completion. Returns 1 if that finished the request, else 0.
    size_t handle(uintptr_t tag, int result) {
        // The kernel returns the number that was made from a pointer.
        auto& request = *reinterpret_cast<Request*>(tag & ~tag_bits); // NOLINT(performance-no-int-to-ptr)
        const int error = result < 0 ? -result : 0;
        if ((tag & sync_of_pair) != 0) {
            request.sync_error = error;
        } else {
            const bool whole = static_cast<uint64_t>(result) == request.bytes;
            // Short and interrupted transfers are repeated.
            request.status = error != 0 ? Status::from_errno(error) : whole ? Status() : Status::from_errno(EAGAIN);
        }
        if (--request.completions_due > 0) {
            return 0;
        }
        in_kernel_--;
        return finish_io(request);
    }

    size_t finish_io(Request& request) {
        const int error = request.status.code();
        if (is_redone_after(error) || (error == 0 && request.sync_error == EAGAIN)) {
            redo_in_thread(request);
            return 0;
        }
        // The sync after a failed write is cancelled, which is not an error of its own.
        const bool sync_failed = error == 0 && request.sync_error != 0;
        if (sync_failed) {
            root().note_sync_error(request.sync_error);
        }
        finish(request, sync_failed ? request.sync_error : error);
        return 1;
    }

    Event event_;
    io_uring ring_{};
    bool ready_ = false;
    bool broken_ = false; ///< the kernel takes no more requests
    size_t in_kernel_ = 0;
    unsigned completions_due_ = 0;
    std::deque<Parked> parked_;
};

} // namespace

Result<std::unique_ptr<IoEngine>> make_uring_engine(BlockNode& root) {
    auto engine = std::make_unique<UringEngine>(root);
    TRY(engine->start());
    return std::unique_ptr<IoEngine>(std::move(engine));
}

} // namespace zoneio
