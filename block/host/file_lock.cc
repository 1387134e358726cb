// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/file_lock.h"

#include "block/base/file_descriptor.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr unsigned permission_count = 4;
constexpr off_t taken_base = 100;
constexpr off_t unshared_base = 200;

const char* permission_name(unsigned index) {
    static constexpr std::array<const char*, permission_count> names{"consistent read", "write", "write unchanged",
                                                                     "resize"};
    return names[index];
}

int lock_byte(int fd, off_t byte, short type) {
    struct flock lock{};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = byte;
    lock.l_len = 1;
    return uninterrupted([&] { return fcntl(fd, F_OFD_SETLK, &lock); }) < 0 ? errno : 0;
}

/// Tests whether another descriptor holds a lock on the byte. EAGAIN if so, 0 if not, another errno if the kernel
/// cannot tell.
int held_by_others(int fd, off_t byte) {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = byte;
    lock.l_len = 1;
    if (fcntl(fd, F_OFD_GETLK, &lock) != 0) {
        return errno;
    }
    return lock.l_type == F_UNLCK ? 0 : EAGAIN;
}

unsigned unshared(const Permissions& permissions) {
    return Permissions::all & ~permissions.shared;
}

Status lock_bits(int fd, unsigned bits, off_t base) {
    for (unsigned i = 0; i < permission_count; i++) {
        if ((bits & (1U << i)) == 0) {
            continue;
        }
        const off_t byte = base + static_cast<off_t>(i);
        if (const int error = lock_byte(fd, byte, F_RDLCK); error != 0) {
            return Status::error(error, fmt::format("Failed to lock byte {}", byte));
        }
    }
    return {};
}

void unlock_bits(int fd, unsigned bits, off_t base) {
    for (unsigned i = 0; i < permission_count; i++) {
        if ((bits & (1U << i)) != 0) {
            (void)lock_byte(fd, base + static_cast<off_t>(i), F_UNLCK);
        }
    }
}

Status conflict(int error, const char* kind, unsigned index, const std::string& filename) {
    const std::string reason = error == EAGAIN ? "" : fmt::format(": {}", strerror(error));
    return Status::error(error, fmt::format("Failed to get {}\"{}\" lock{}\nIs another process using the image [{}]?", kind,
                                            permission_name(index), reason, filename))
        .because(Cause::image_locked, {.name = filename});
}

/// EAGAIN if another program holds one of the bytes of `bits`.
Status check_bits(int fd, unsigned bits, off_t base, const char* kind, const std::string& filename) {
    for (unsigned i = 0; i < permission_count; i++) {
        if ((bits & (1U << i)) == 0) {
            continue;
        }
        if (const int error = held_by_others(fd, base + static_cast<off_t>(i)); error != 0) {
            return conflict(error, kind, i, filename);
        }
    }
    return {};
}

Status check_others(int fd, const Permissions& wanted, const std::string& filename) {
    TRY(check_bits(fd, wanted.taken, unshared_base, "", filename));
    return check_bits(fd, unshared(wanted), taken_base, "shared ", filename);
}

} // namespace

Status FileLock::acquire(int fd, const Permissions& held, const Permissions& wanted, const std::string& filename) {
    const unsigned more_taken = wanted.taken & ~held.taken;
    const unsigned more_unshared = unshared(wanted) & ~unshared(held);
    if (more_taken == 0 && more_unshared == 0) {
        return {}; // releasing locks cannot conflict with other users
    }
    Status status = lock_bits(fd, more_taken, taken_base);
    if (status.ok()) {
        status = lock_bits(fd, more_unshared, unshared_base);
    }
    if (status.ok()) {
        status = check_others(fd, wanted, filename);
    }
    if (!status.ok()) {
        unlock_bits(fd, more_taken, taken_base);
        unlock_bits(fd, more_unshared, unshared_base);
    }
    return status;
}

Status FileLock::repeat(int fd, const Permissions& held) {
    TRY(lock_bits(fd, held.taken, taken_base));
    return lock_bits(fd, unshared(held), unshared_base);
}

void FileLock::release(int fd, const Permissions& held, const Permissions& wanted) {
    unlock_bits(fd, held.taken & ~wanted.taken, taken_base);
    unlock_bits(fd, unshared(held) & ~unshared(wanted), unshared_base);
}

bool FileLock::supported(int fd) {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return fcntl(fd, F_OFD_GETLK, &lock) == 0;
}

} // namespace zoneio
