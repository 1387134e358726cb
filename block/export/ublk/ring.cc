// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/ublk/ring.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>

namespace zoneio {

namespace {

/// With IORING_SETUP_SQE128, an entry has twice the usual size.
constexpr size_t entry_bytes = 128;

} // namespace

UblkRing::~UblkRing() {
    if (is_open_) {
        io_uring_queue_exit(&ring_);
    }
}

Status UblkRing::open(unsigned entries) {
    io_uring_params params{};
    params.flags = IORING_SETUP_SQE128;
    const int result = io_uring_queue_init_params(entries, &ring_, &params);
    if (result < 0) {
        return Status::error(-result, fmt::format("no io_uring for ublk: {}", strerror(-result))).because(Cause::no_io_uring);
    }
    is_open_ = true;
    return {};
}

io_uring_sqe* UblkRing::next_entry() {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    while (entry == nullptr) {
        submit();
        entry = io_uring_get_sqe(&ring_);
    }
    memset(static_cast<void*>(entry), 0, entry_bytes);
    return entry;
}

void UblkRing::command(int fd, uint32_t code, const void* payload, size_t bytes, uint64_t user_data) {
    io_uring_sqe* const entry = next_entry();
    entry->opcode = IORING_OP_URING_CMD;
    entry->fd = fd;
    entry->cmd_op = code;
    entry->user_data = user_data;
    memcpy(reinterpret_cast<uint8_t*>(entry) + offsetof(io_uring_sqe, cmd), payload, bytes);
}

void UblkRing::wait_readable(int fd, uint64_t user_data) {
    io_uring_sqe* const entry = next_entry();
    io_uring_prep_poll_add(entry, fd, POLLIN);
    entry->user_data = user_data;
}

// A signal, or a temporary lack of memory: the rest is submitted the next time.
void UblkRing::submit() {
    (void)io_uring_submit(&ring_);
}

void UblkRing::wait(int timeout_ms) {
    if (timeout_ms < 0) {
        (void)io_uring_submit_and_wait(&ring_, 1);
        return;
    }
    io_uring_cqe* completion = nullptr;
    __kernel_timespec timeout{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000LL};
    (void)io_uring_submit_and_wait_timeout(&ring_, &completion, 1, &timeout, nullptr);
}

bool UblkRing::for_each_completion(const std::function<void(uint64_t, int32_t)>& visit) {
    io_uring_cqe* completion = nullptr;
    bool found = false;
    while (io_uring_peek_cqe(&ring_, &completion) == 0) {
        const uint64_t user_data = completion->user_data;
        const int32_t result = completion->res;
        io_uring_cqe_seen(&ring_, completion);
        found = true;
        visit(user_data, result);
    }
    return found;
}

} // namespace zoneio
