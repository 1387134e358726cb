// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/data/pattern_file.h"

#include "commands/arguments.h"
#include "commands/long_work.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

namespace zoneio {

namespace {

/// Larger files are read piece by piece during the write.
constexpr uint64_t most_in_memory = 16U << 20;
constexpr uint64_t part_bytes = 1U << 20;

} // namespace

bool PatternFile::load(Session& session, const char* name, uint64_t bytes) {
    file_ = FileDescriptor(open(name, O_RDONLY | O_CLOEXEC));
    if (!file_.valid()) {
        session.out().plain_error(fmt::format("{}: {}", name, strerror(errno)));
        return false;
    }
    struct stat st{};
    const bool is_large = fstat(file_.get(), &st) == 0 && S_ISREG(st.st_mode) &&
                          std::min(static_cast<uint64_t>(st.st_size), bytes) > most_in_memory;
    if (is_large && session.backend().may_split() && !session.backend().is_made_of(st)) {
        streamed_size_ = static_cast<uint64_t>(st.st_size);
        return true;
    }
    return read_all(session, name, bytes);
}

bool PatternFile::read_all(Session& session, const char* name, uint64_t bytes) {
    size_t size = 0;
    while (size < bytes) {
        content_.resize(std::min<uint64_t>(bytes, std::max<uint64_t>(2 * size, 64U << 10)));
        const ssize_t got = read(file_.get(), content_.data() + size, content_.size() - size);
        if (got < 0 && errno != EINTR) {
            session.out().plain_error(fmt::format("{}: {}", name, strerror(errno)));
            return false;
        }
        if (got == 0) {
            break;
        }
        size += got > 0 ? static_cast<size_t>(got) : 0;
    }
    content_.resize(size);
    if (content_.empty()) {
        session.out().plain_error(fmt::format("{}: file is empty", name));
        return false;
    }
    return true;
}

Status PatternFile::write(Session& session, uint64_t offset, uint64_t bytes, WriteFlags flags, uint64_t& done) {
    if (streamed_size_ != 0) {
        return write_by_parts(session, offset, bytes, flags, done);
    }
    // Short content is repeated, so that few segments cover the request.
    const uint64_t room = std::min(bytes, shared_bytes(bytes));
    if (content_.size() >= room && content_.size() > part_bytes) {
        return write_in_pieces(session.backend(), offset, cyclic_iov(content_.data(), content_.size(), {&bytes, 1}), flags, done);
    }
    const uint64_t repetitions = std::max<uint64_t>((room + content_.size() - 1) / content_.size(), 1);
    const uint64_t period = content_.size() * repetitions;
    constexpr size_t misalignment_room = 16;
    AlignedBuffer& buffer = session.scratch();
    if (!buffer.reserve(period + misalignment_room)) {
        return Status::from_errno(ENOMEM);
    }
    uint8_t* const data = data_begin(session, buffer);
    for (uint64_t i = 0; i < repetitions; i++) {
        memcpy(data + i * content_.size(), content_.data(), content_.size());
    }
    content_ = {};
    return write_in_pieces(session.backend(), offset, cyclic_iov(data, period, {&bytes, 1}), flags, done);
}

Status PatternFile::write_by_parts(Session& session, uint64_t offset, uint64_t bytes, WriteFlags flags, uint64_t& done) {
    Status status = flags.vmstate ? Status() : session.backend().check_range(offset, bytes);
    if (!status.ok()) {
        return status;
    }
    LongWork work("write", bytes, LongWork::Unit::bytes);
    for (done = 0; done < bytes; done += part_bytes) {
        if (!work.step(done)) {
            return Status::from_errno(EINTR);
        }
        const uint64_t part = std::min(part_bytes, bytes - done);
        IoVec iov;
        status = make_iov(session, session.scratch(), {&part, 1}, Sharing::none, iov);
        if (status.ok()) {
            status = read_part(data_begin(session, session.scratch()), done, part);
        }
        if (status.ok()) {
            flags.more = done + part < bytes;
            status = session.backend().execute(Request::write(offset + done, iov, flags));
        }
        if (!status.ok()) {
            return status;
        }
    }
    return {};
}

/// Reads from the repeated file, starting at `position` of the repetition.
Status PatternFile::read_part(uint8_t* data, uint64_t position, uint64_t bytes) const {
    uint64_t done = 0;
    while (done < bytes) {
        const uint64_t at = (position + done) % streamed_size_;
        const uint64_t most = std::min(bytes - done, streamed_size_ - at);
        const ssize_t got = pread(file_.get(), data + done, most, static_cast<off_t>(at));
        if (got == 0) {
            return Status::error(EIO, "the source file became shorter");
        }
        if (got < 0 && errno != EINTR) {
            return Status::from_errno(errno);
        }
        done += got > 0 ? static_cast<uint64_t>(got) : 0;
    }
    return {};
}

} // namespace zoneio
