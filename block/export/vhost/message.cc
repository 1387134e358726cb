// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/vhost/message.h"

#include <cerrno>
#include <fmt/format.h>
#include <sys/socket.h>

namespace zoneio {

namespace {

struct Header {
    uint32_t request;
    uint32_t flags;
    uint32_t size;
};

constexpr uint32_t version_mask = 3;
constexpr uint32_t version = 1;
constexpr uint32_t flag_reply = 4;
constexpr uint32_t flag_need_reply = 8;

Header header_of(const uint8_t* buffer) {
    Header header;
    memcpy(&header, buffer, sizeof(header));
    return header;
}

} // namespace

VhostSocket::Read VhostSocket::fail(std::string problem) {
    problem_ = std::move(problem);
    return Read::broken;
}

size_t VhostSocket::wanted() const {
    return filled_ < header_bytes ? header_bytes : header_bytes + header_of(buffer_.data()).size;
}

bool VhostSocket::check_header() {
    const Header header = header_of(buffer_.data());
    if ((header.flags & version_mask) != version || (header.flags & flag_reply) != 0) {
        problem_ = fmt::format("a message with flags {:#x}", header.flags);
    } else if (header.size > VhostMessage::max_payload) {
        problem_ = fmt::format("a message of {} bytes", header.size);
    }
    return problem_.empty();
}

VhostSocket::Read VhostSocket::read(VhostMessage& message) {
    while (filled_ < header_bytes || filled_ < wanted()) {
        const Read got = receive();
        if (got != Read::message) {
            return got;
        }
        if (filled_ == header_bytes && !check_header()) {
            return Read::broken;
        }
    }
    const Header header = header_of(buffer_.data());
    message.request = header.request;
    message.wants_reply = (header.flags & flag_need_reply) != 0;
    message.payload.assign(buffer_.begin() + header_bytes, buffer_.begin() + static_cast<ptrdiff_t>(filled_));
    message.descriptors = std::move(descriptors_);
    descriptors_.clear();
    filled_ = 0;
    return Read::message;
}

/// Reads the bytes that have arrived of the current part.
VhostSocket::Read VhostSocket::receive() {
    iovec part{buffer_.data() + filled_, wanted() - filled_};
    alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(VhostMessage::max_descriptors * sizeof(int))> control;
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    ssize_t got = 0;
    do {
        got = recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno == EAGAIN ? Read::incomplete : Read::closed;
    }
    for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
        if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd = -1;
            memcpy(&fd, CMSG_DATA(item) + i * sizeof(int), sizeof(fd));
            descriptors_.emplace_back(fd);
        }
    }
    if ((header.msg_flags & MSG_CTRUNC) != 0 || descriptors_.size() > VhostMessage::max_descriptors) {
        return fail("a message with too many descriptors");
    }
    if (got == 0) {
        return filled_ == 0 ? Read::closed : fail("the connection ended within a message");
    }
    filled_ += static_cast<size_t>(got);
    return Read::message;
}

Status VhostSocket::reply(uint32_t request, std::span<const uint8_t> payload, int descriptor) {
    Header header{request, version | flag_reply, static_cast<uint32_t>(payload.size())};
    iovec parts[] = {{&header, sizeof(header)}, {const_cast<uint8_t*>(payload.data()), payload.size()}};
    alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    if (descriptor >= 0) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* const item = CMSG_FIRSTHDR(&message);
        item->cmsg_level = SOL_SOCKET;
        item->cmsg_type = SCM_RIGHTS;
        item->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(item), &descriptor, sizeof(int));
    }
    ssize_t sent = 0;
    do {
        sent = sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        return Status::from_errno(errno);
    }
    return static_cast<size_t>(sent) == sizeof(header) + payload.size() ? Status() : Status::from_errno(EAGAIN);
}

} // namespace zoneio
