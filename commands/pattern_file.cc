// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/pattern_file.h"

#include "block/file_descriptor.h"
#include "commands/arguments.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace zoneio {

namespace {

/// Larger files are mapped, not read into memory.
constexpr uint64_t most_read = 4U << 20;

} // namespace

PatternFile::~PatternFile() {
    if (mapping_ != nullptr) {
        munmap(mapping_, mapped_);
    }
}

bool PatternFile::load(Session& session, const char* name, uint64_t bytes) {
    const FileDescriptor file(open(name, O_RDONLY | O_CLOEXEC));
    if (!file.valid()) {
        session.out().plain_error(fmt::format("{}: {}", name, strerror(errno)));
        return false;
    }
    struct stat st{};
    const bool is_large = fstat(file.get(), &st) == 0 && S_ISREG(st.st_mode) && static_cast<uint64_t>(st.st_size) > most_read;
    if (is_large && bytes > most_read) {
        return map(session, name, file.get(), static_cast<uint64_t>(st.st_size));
    }
    return read_all(session, name, file.get(), bytes);
}

bool PatternFile::map(Session& session, const char* name, int fd, uint64_t size) {
    void* const memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (memory == MAP_FAILED) {
        session.out().plain_error(fmt::format("{}: {}", name, strerror(errno)));
        return false;
    }
    mapping_ = memory;
    mapped_ = size;
    content_ = static_cast<uint8_t*>(memory);
    period_ = size;
    return true;
}

bool PatternFile::read_all(Session& session, const char* name, int fd, uint64_t bytes) {
    std::vector<uint8_t> data;
    std::array<uint8_t, 65536> part;
    while (data.size() < bytes) {
        const ssize_t got = read(fd, part.data(), std::min<uint64_t>(part.size(), bytes - data.size()));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            session.out().plain_error(fmt::format("{}: {}", name, strerror(errno)));
            return false;
        }
        if (got == 0) {
            break;
        }
        data.insert(data.end(), part.begin(), part.begin() + got);
    }
    if (data.empty()) {
        session.out().plain_error(fmt::format("{}: file is empty", name));
        return false;
    }
    const uint64_t room = std::min(bytes, shared_bytes(bytes));
    const uint64_t repetitions = (room + data.size() - 1) / data.size();
    period_ = repetitions * data.size();
    constexpr size_t misalignment_room = 16;
    if (!buffer_.reserve(period_ + misalignment_room)) {
        session.out().error(fmt::format("cannot allocate {} bytes of memory for the data", period_));
        return false;
    }
    content_ = data_begin(session, buffer_);
    for (uint64_t i = 0; i < repetitions; i++) {
        memcpy(content_ + i * data.size(), data.data(), data.size());
    }
    return true;
}

IoVec PatternFile::iov(uint64_t bytes) const {
    return cyclic_iov(content_, period_, {&bytes, 1});
}

} // namespace zoneio
