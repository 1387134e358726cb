// SPDX-License-Identifier: GPL-3.0-or-later
//
// To be preloaded (LD_PRELOAD): counts the calls by which a program reaches the system, and lets one of them fail.
//
//   FAULT_COUNTS=FILE            how often each function was called, when the program ends
//   FAULT=FUNCTION:N:WHAT[:on]   the Nth call of FUNCTION (from 1; with `on` those after it too) fails: WHAT is an errno,
//                                or `short` for a transfer of half of what was asked
//
// `io_getevents` fails single requests of libaio, in what they come back with. `uring_sqe` stands for single requests
// given to io_uring, which are bent before the kernel sees them: EBADF, ENOSPC (writes) and short.
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <libaio.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

constexpr int short_transfer = -1;

enum Function : unsigned {
    f_open, f_read, f_write, f_pread, f_preadv, f_pwrite, f_pwritev, f_fdatasync, f_fsync, f_fallocate, f_posix_fallocate,
    f_ftruncate, f_lseek, f_fstat, f_stat, f_fcntl, f_ioctl, f_mmap, f_memfd_create, f_eventfd, f_epoll_create1, f_epoll_ctl,
    f_poll, f_pthread_create, f_posix_memalign, f_malloc, f_io_setup, f_io_submit, f_io_getevents, f_io_uring_queue_init_params,
    f_io_uring_submit, f_io_uring_submit_and_wait, f_uring_sqe, function_count
};

constexpr const char* names[function_count] = {
    "open", "read", "write", "pread", "preadv", "pwrite", "pwritev", "fdatasync", "fsync", "fallocate", "posix_fallocate",
    "ftruncate", "lseek", "fstat", "stat", "fcntl", "ioctl", "mmap", "memfd_create", "eventfd", "epoll_create1", "epoll_ctl",
    "poll", "pthread_create", "posix_memalign", "malloc", "io_setup", "io_submit", "io_getevents", "io_uring_queue_init_params",
    "io_uring_submit", "io_uring_submit_and_wait", "uring_sqe"};

std::atomic<unsigned long> counts[function_count];

struct Fault {
    unsigned function = function_count;
    unsigned long index = 0;
    int what = 0;
    bool goes_on = false;
};
Fault fault;
bool counting = false;

__attribute__((constructor)) void read_environment() {
    if (const char* text = getenv("FAULT")) {
        char name[64] = {};
        char what[16] = {};
        char on[8] = {};
        if (sscanf(text, "%63[^:]:%lu:%15[^:]:%7s", name, &fault.index, what, on) < 3) {
            fprintf(stderr, "fault layer: FAULT=%s makes no sense\n", text);
            _exit(99);
        }
        for (unsigned i = 0; i < function_count; i++) {
            fault.function = strcmp(names[i], name) == 0 ? i : fault.function;
        }
        fault.what = strcmp(what, "short") == 0 ? short_transfer : atoi(what);
        fault.goes_on = strcmp(on, "on") == 0;
    }
}

int (*real_main)(int, char**, char**) = nullptr;

/// Calls before main() belong to the libraries and are not counted.
int counted_main(int argc, char** argv, char** environment) {
    counting = true;
    return real_main(argc, argv, environment);
}

__attribute__((destructor)) void write_counts() {
    counting = false;
    const char* const path = getenv("FAULT_COUNTS");
    FILE* const file = path != nullptr ? fopen(path, "w") : nullptr;
    if (file == nullptr) {
        return;
    }
    for (unsigned i = 0; i < function_count; i++) {
        fprintf(file, "%s %lu\n", names[i], counts[i].load());
    }
    fclose(file);
}

/// Counts a call. Returns 0 if it is to be made, otherwise an errno or short_transfer.
int outcome(Function function) {
    if (!counting) {
        return 0;
    }
    const unsigned long index = ++counts[function];
    const bool hit = fault.function == function && (index == fault.index || (fault.goes_on && index > fault.index));
    return hit ? fault.what : 0;
}

template <typename T>
T next(const char* name) {
    return reinterpret_cast<T>(dlsym(RTLD_NEXT, name));
}

#define REAL(name) (*[] { static const auto found = next<decltype(&::name)>(#name); return found; }())

/// Half of a transfer, at least one byte.
size_t half(size_t bytes) { return bytes > 1 ? bytes / 2 : bytes; }

/// Segments with half of the bytes. Never freed, because the kernel may read them later.
iovec* half_of(const iovec* segments, int& count) {
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        total += segments[i].iov_len;
    }
    size_t left = half(total);
    auto* const some = static_cast<iovec*>(calloc(static_cast<size_t>(count), sizeof(iovec)));
    int used = 0;
    for (; used < count && left > 0; used++) {
        some[used] = segments[used];
        some[used].iov_len = some[used].iov_len < left ? some[used].iov_len : left;
        left -= some[used].iov_len;
    }
    count = used;
    return some;
}

/// Changes the request that was queued last.
void bend_sqe(io_uring& ring) {
    const unsigned queued = ring.sq.sqe_tail - ring.sq.sqe_head;
    static thread_local unsigned seen_tail = 0;
    if (queued == 0 || ring.sq.sqe_tail == seen_tail) {
        return;
    }
    seen_tail = ring.sq.sqe_tail;
    const int what = outcome(f_uring_sqe);
    // The first request of a linked pair is the transfer.
    const bool pair = queued > 1 && (ring.sq.sqes[(ring.sq.sqe_tail - 2) & *ring.sq.kring_mask].flags & IOSQE_IO_LINK) != 0;
    io_uring_sqe& sqe = ring.sq.sqes[(ring.sq.sqe_tail - (pair ? 2 : 1)) & *ring.sq.kring_mask];
    const bool is_write = sqe.opcode == IORING_OP_WRITEV;
    if (what == EBADF) {
        sqe.fd = -1;
    } else if (what == ENOSPC && is_write) {
        sqe.fd = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    } else if (what == short_transfer && (is_write || sqe.opcode == IORING_OP_READV)) {
        auto count = static_cast<int>(sqe.len);
        sqe.addr = reinterpret_cast<uintptr_t>(half_of(reinterpret_cast<const iovec*>(sqe.addr), count));
        sqe.len = static_cast<unsigned>(count);
    }
}

} // namespace

#define FAIL_OR(function, result)                                                                                           \
    if (const int what = outcome(function); what > 0) {                                                                     \
        errno = what;                                                                                                       \
        return result;                                                                                                      \
    }

extern "C" {

int __libc_start_main(int (*main)(int, char**, char**), int argc, char** argv, void (*init)(), void (*fini)(), void (*end)(),
                      void* stack) {
    real_main = main;
    return next<int (*)(int (*)(int, char**, char**), int, char**, void (*)(), void (*)(), void (*)(), void*)>(
        "__libc_start_main")(counted_main, argc, argv, init, fini, end, stack);
}

int open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    FAIL_OR(f_open, -1)
    return REAL(open)(path, flags, mode);
}

// The transfers: `what` is an errno, or asks for half.
#define TRANSFER(name, parameters, call)                                                                                    \
    ssize_t name parameters {                                                                                               \
        const int what = outcome(f_##name);                                                                                 \
        if (what > 0) {                                                                                                     \
            errno = what;                                                                                                   \
            return -1;                                                                                                      \
        }                                                                                                                   \
        if (what == short_transfer) {                                                                                       \
            count = half(count);                                                                                            \
        }                                                                                                                   \
        return REAL(name) call;                                                                                             \
    }
TRANSFER(read, (int fd, void* data, size_t count), (fd, data, count))
TRANSFER(write, (int fd, const void* data, size_t count), (fd, data, count))
TRANSFER(pread, (int fd, void* data, size_t count, off_t offset), (fd, data, count, offset))
TRANSFER(pwrite, (int fd, const void* data, size_t count, off_t offset), (fd, data, count, offset))

#define VECTOR_TRANSFER(name)                                                                                               \
    ssize_t name(int fd, const iovec* segments, int count, off_t offset) {                                                  \
        const int what = outcome(f_##name);                                                                                 \
        if (what > 0) {                                                                                                     \
            errno = what;                                                                                                   \
            return -1;                                                                                                      \
        }                                                                                                                   \
        return REAL(name)(fd, what == short_transfer ? half_of(segments, count) : segments, count, offset);                 \
    }
VECTOR_TRANSFER(preadv)
VECTOR_TRANSFER(pwritev)

#define CALL(type, failure, name, parameters, call)                                                                         \
    type name parameters {                                                                                                  \
        FAIL_OR(f_##name, failure)                                                                                          \
        return REAL(name) call;                                                                                             \
    }
CALL(int, -1, fdatasync, (int fd), (fd))
CALL(int, -1, fsync, (int fd), (fd))
CALL(int, -1, fallocate, (int fd, int mode, off_t offset, off_t length), (fd, mode, offset, length))
CALL(int, what, posix_fallocate, (int fd, off_t offset, off_t length), (fd, offset, length))
CALL(int, -1, ftruncate, (int fd, off_t length) noexcept, (fd, length))
CALL(off_t, -1, lseek, (int fd, off_t offset, int whence) noexcept, (fd, offset, whence))
CALL(int, -1, fstat, (int fd, struct stat* st) noexcept, (fd, st))
CALL(int, -1, stat, (const char* path, struct stat* st) noexcept, (path, st))
CALL(void*, (reinterpret_cast<void*>(-1)), mmap, (void* address, size_t length, int protection, int flags, int fd, off_t offset) noexcept,
     (address, length, protection, flags, fd, offset))
CALL(int, -1, memfd_create, (const char* name, unsigned flags) noexcept, (name, flags))
CALL(int, -1, eventfd, (unsigned initial, int flags) noexcept, (initial, flags))
CALL(int, -1, epoll_create1, (int flags) noexcept, (flags))
CALL(int, -1, epoll_ctl, (int epoll, int operation, int fd, epoll_event* event) noexcept, (epoll, operation, fd, event))
CALL(int, -1, poll, (pollfd* fds, nfds_t count, int timeout), (fds, count, timeout))
CALL(int, what, pthread_create, (pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) noexcept,
     (thread, attributes, run, argument))
CALL(int, what, posix_memalign, (void** memory, size_t alignment, size_t bytes) noexcept, (memory, alignment, bytes))
CALL(int, -what, io_setup, (int depth, io_context_t* context), (depth, context))
CALL(int, -what, io_submit, (io_context_t context, long count, iocb** list), (context, count, list))
CALL(int, -what, io_uring_queue_init_params, (unsigned entries, io_uring* ring, io_uring_params* parameters), (entries, ring, parameters))

void* __libc_malloc(size_t bytes);
void* malloc(size_t bytes) noexcept {
    FAIL_OR(f_malloc, nullptr)
    return __libc_malloc(bytes);
}

int fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    FAIL_OR(f_fcntl, -1)
    return REAL(fcntl)(fd, command, argument);
}

int ioctl(int fd, unsigned long request, ...) noexcept {
    va_list arguments;
    va_start(arguments, request);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    FAIL_OR(f_ioctl, -1)
    return REAL(ioctl)(fd, request, argument);
}

int io_getevents(io_context_t context, long at_least, long most, io_event* events, timespec* timeout) {
    const int got = REAL(io_getevents)(context, at_least, most, events, timeout);
    for (int i = 0; i < got; i++) {
        const int what = outcome(f_io_getevents);
        const auto result = static_cast<long>(events[i].res);
        if (what > 0) {
            events[i].res = static_cast<unsigned long>(-static_cast<long>(what));
        } else if (what == short_transfer && result > 0) {
            events[i].res = static_cast<unsigned long>(half(static_cast<size_t>(result)));
        }
    }
    return got;
}

int io_uring_submit(io_uring* ring) {
    FAIL_OR(f_io_uring_submit, -what)
    bend_sqe(*ring);
    return REAL(io_uring_submit)(ring);
}

int io_uring_submit_and_wait(io_uring* ring, unsigned count) {
    FAIL_OR(f_io_uring_submit_and_wait, -what)
    // A lasting fault applies to both functions, which make the same system call.
    if (fault.function == f_io_uring_submit && fault.goes_on && counts[f_io_uring_submit] >= fault.index) {
        return -fault.what;
    }
    return REAL(io_uring_submit_and_wait)(ring, count);
}

} // extern "C"
