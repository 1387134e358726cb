// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/engine/kernel.h"

namespace zoneio {

namespace {

/// A KernelEngine in which the driver, with its own requests in flight, takes the place of the kernel.
class RemoteEngine final : public KernelEngine {
public:
    RemoteEngine(BlockNode& root, RemoteQueue& queue) : KernelEngine(root), queue_(queue) {}

protected:
    void submit_io(Request& request, const FdIo& io) override {
        if (!queue_.start(request, io.offset)) {
            redo_in_thread(request);
        }
    }

    void kick_kernel() override {}

    size_t reap_kernel(bool wait) override {
        size_t count = 0;
        for (Request* request = queue_.take_finished(wait); request != nullptr;) {
            Request& ended = *request;
            request = request->next;
            const int error = ended.status.code();
            if (error == EAGAIN) {
                redo_in_thread(ended);
            } else {
                finish(ended, error);
                count++;
            }
        }
        return count;
    }

    int kernel_fd() const override { return queue_.event_fd(); }
    size_t in_kernel() const override { return queue_.in_flight(); }

private:
    RemoteQueue& queue_;
};

} // namespace

std::unique_ptr<IoEngine> make_remote_engine(BlockNode& root, RemoteQueue& queue) {
    return std::make_unique<RemoteEngine>(root, queue);
}

} // namespace zoneio
