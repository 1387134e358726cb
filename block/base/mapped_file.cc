// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/mapped_file.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <linux/magic.h>
#include <mutex>

#include <sys/mman.h>
#include <sys/vfs.h>

namespace zoneio {

namespace {

/// An array, because a signal handler cannot use a growing container. No chain of nodes has this many mappings.
std::array<MappedFile::Slot, 64> slots;
std::mutex choosing_slot;

/// Where a store of this thread continues after SIGBUS; null when the thread is in no MappedFile::try_write().
thread_local sigjmp_buf* attempted_from = nullptr;

MappedFile::Slot* slot_of(uintptr_t address) {
    for (MappedFile::Slot& slot : slots) {
        const uintptr_t begin = slot.begin.load(std::memory_order_acquire);
        if (begin != 0 && address >= begin && address < slot.end.load(std::memory_order_relaxed)) {
            return &slot;
        }
    }
    return nullptr;
}

void on_bus_error(int number, siginfo_t* info, void* /*context*/) {
    if (info->si_code <= 0) {
        return; // sent by a process, not raised by an access: ignored, as before
    }
    const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
    MappedFile::Slot* const slot = slot_of(address);
    if (slot != nullptr && attempted_from != nullptr) {
        sigjmp_buf* const before = attempted_from;
        attempted_from = nullptr;
        siglongjmp(*before, 1);
    }
    const uintptr_t page_size = slot != nullptr ? slot->page_size.load(std::memory_order_relaxed) : 1;
    void* const page = reinterpret_cast<void*>(address / page_size * page_size); // NOLINT(performance-no-int-to-ptr)
    const int before = errno;
    if (slot == nullptr ||
        mmap(page, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        // The address is in no mapping. The access is repeated and ends the program.
        signal(number, SIG_DFL);
        return;
    }
    slot->lost.store(true, std::memory_order_relaxed);
    errno = before;
}

/// Page size of mappings of the file. Larger than usual on a file system of huge pages.
size_t page_size_of(int fd) {
    struct statfs fs{};
    const bool has_huge_pages = fstatfs(fd, &fs) == 0 && static_cast<uint64_t>(fs.f_type) == HUGETLBFS_MAGIC;
    return has_huge_pages ? static_cast<size_t>(fs.f_bsize) : static_cast<size_t>(getpagesize());
}

void take_bus_errors() {
    static std::once_flag installed;
    std::call_once(installed, [] {
        struct sigaction action{};
        action.sa_sigaction = on_bus_error;
        // The handler may leave by siglongjmp(), after which the signal must not stay blocked.
        action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER;
        sigaction(SIGBUS, &action, nullptr);
    });
    sigset_t unblocked;
    sigemptyset(&unblocked);
    sigaddset(&unblocked, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &unblocked, nullptr);
}

} // namespace

void MappedFile::begin_attempt(sigjmp_buf& before) {
    attempted_from = &before;
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

void MappedFile::end_attempt() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    attempted_from = nullptr;
}

Status MappedFile::map(int fd, size_t length, bool read_only, uint64_t offset, Pages pages) {
    unmap();
    const int protection = read_only ? PROT_READ : PROT_READ | PROT_WRITE;
    const int populate = pages == Pages::now ? MAP_POPULATE : MAP_NORESERVE;
    void* const memory = mmap(nullptr, length, protection, MAP_SHARED | populate, fd, static_cast<off_t>(offset));
    if (memory == MAP_FAILED) {
        return Status::from_errno(errno);
    }
    data_ = static_cast<uint8_t*>(memory);
    size_ = length;
    const size_t page_size = page_size_of(fd);
    mapped_ = (length + page_size - 1) / page_size * page_size;
    const std::lock_guard lock(choosing_slot);
    for (Slot& slot : slots) {
        if (slot.begin.load(std::memory_order_relaxed) == 0) {
            slot.lost = false;
            slot.end = reinterpret_cast<uintptr_t>(data_) + mapped_;
            slot.page_size = page_size;
            slot.begin.store(reinterpret_cast<uintptr_t>(data_), std::memory_order_release);
            slot_ = &slot;
            take_bus_errors();
            return {};
        }
    }
    unmap();
    return Status::from_errno(ENOMEM);
}

void MappedFile::unmap() {
    if (slot_ != nullptr) {
        slot_->begin = 0;
        slot_ = nullptr;
    }
    if (data_ != nullptr) {
        munmap(data_, mapped_);
        data_ = nullptr;
    }
}

} // namespace zoneio
