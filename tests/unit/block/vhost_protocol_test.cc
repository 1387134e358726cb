// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/export/vhost/protocol.h"

#include <gtest/gtest.h>
#include <mutex>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <vector>

namespace zoneio {

namespace {

/// A device in memory with one queue, and a connection to its front end, which is the test.
class VhostProtocolTest : public testing::Test {
protected:
    void SetUp() override {
        ImageSpec spec;
        spec.options.set("driver", "null-co");
        std::vector<Notice> notices;
        Result<std::unique_ptr<BlockBackend>> backend = BlockBackend::open(std::move(spec), false, notices);
        ASSERT_TRUE(backend.ok()) << backend.status().message();
        backend_ = std::move(*backend);
        port_ = std::make_unique<BackendPort>(*backend_, turn_);
        port_->begin();
        device_ = std::make_unique<VirtioBlk>(*port_, VirtioBlk::Settings{"disk", false, 1}, counters_);
        queues_ = std::make_unique<VhostQueues>(*port_, *device_, uint16_t{1}, epoll_.get(), uint64_t{0}, [](const std::string&) {});
        int ends[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        front_end_ = FileDescriptor(ends[0]);
        connection_ = std::make_unique<VhostUser>(FileDescriptor(ends[1]), *device_, *queues_);
    }

    void send(VhostRequest request) const {
        const uint32_t header[] = {static_cast<uint32_t>(request), 1, 0};
        ASSERT_EQ(::send(front_end_.get(), header, sizeof(header), 0), static_cast<ssize_t>(sizeof(header)));
    }

    bool has_messages() const {
        char byte = 0;
        return recv(connection_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    }

    std::mutex turn_;
    ServedCounters counters_;
    FileDescriptor epoll_{epoll_create1(EPOLL_CLOEXEC)};
    std::unique_ptr<BlockBackend> backend_;
    std::unique_ptr<BackendPort> port_;
    std::unique_ptr<VirtioBlk> device_;
    std::unique_ptr<VhostQueues> queues_;
    FileDescriptor front_end_;
    std::unique_ptr<VhostUser> connection_;
};

TEST_F(VhostProtocolTest, ManyMessagesAreHandledInSeveralTurns) {
    constexpr unsigned messages = 100;
    for (unsigned i = 0; i < messages; i++) {
        send(VhostRequest::set_owner);
    }
    EXPECT_TRUE(connection_->on_socket());
    EXPECT_TRUE(has_messages()) << "requests in the rings have to wait for all messages";
    EXPECT_TRUE(connection_->on_socket());
    EXPECT_FALSE(has_messages());
}

} // namespace

} // namespace zoneio
