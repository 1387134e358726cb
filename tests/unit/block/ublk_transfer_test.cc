// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/file_descriptor.h"
#include "block/export/ublk/transfer.h"

#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// A file stands for the character device: user copy reads and writes it at fixed offsets.
class UblkTransferTest : public testing::Test {
protected:
    UblkTransferTest() {
        request_.tag = 3;
        request_.bytes = buffer_.size();
        request_.data = reinterpret_cast<uint8_t*>(buffer_.data());
    }

    std::string at_tag() const {
        std::string found(buffer_.size(), '\0');
        const ssize_t count = pread(file_.get(), found.data(), found.size(), ublk::data_offset(0, 3));
        found.resize(count > 0 ? static_cast<size_t>(count) : 0);
        return found;
    }

    FileDescriptor file_{memfd_create("ublkc", MFD_CLOEXEC)};
    std::string buffer_ = "data of tag 3";
    UblkRequest request_;
};

TEST_F(UblkTransferTest, UserCopyUsesTheDevice) {
    const UblkTransfer transfer(file_.get(), ublk::f_user_copy);
    ASSERT_TRUE(transfer.give_data(request_));
    EXPECT_EQ(at_tag(), "data of tag 3");
    buffer_.assign(buffer_.size(), '-');
    ASSERT_TRUE(transfer.take_data(request_));
    EXPECT_EQ(buffer_, "data of tag 3");
    EXPECT_EQ(transfer.fetch(request_).place, 0U);
    EXPECT_EQ(transfer.command(request_, {0, 4096}).place, 4096U);
}

TEST_F(UblkTransferTest, UserCopyTellsThatTheDeviceRefuses) {
    const UblkTransfer transfer(-1, ublk::f_user_copy);
    EXPECT_FALSE(transfer.give_data(request_));
    EXPECT_FALSE(transfer.take_data(request_));
}

TEST_F(UblkTransferTest, TheKernelIsToldTheBuffer) {
    const UblkTransfer transfer(file_.get(), ublk::f_unprivileged);
    ASSERT_TRUE(transfer.give_data(request_));
    ASSERT_TRUE(transfer.take_data(request_));
    EXPECT_EQ(at_tag(), "");
    EXPECT_EQ(buffer_, "data of tag 3");
    const auto address = reinterpret_cast<uint64_t>(request_.data);
    EXPECT_EQ(transfer.fetch(request_).place, address);
    const ublk::QueueCommand answer = transfer.command(request_, {13, 0});
    EXPECT_EQ(answer.place, address);
    EXPECT_EQ(answer.result, 13);
    EXPECT_EQ(answer.tag, 3);
}

TEST(UblkCodes, OldKernelsGetTheLowestByte) {
    EXPECT_EQ(ublk::code_for(ublk::f_ioctl_encode, ublk::fetch), 0xc0107520U);
    EXPECT_EQ(ublk::code_for(ublk::f_user_recovery, ublk::fetch), 0x20U);
    EXPECT_EQ(ublk::code_for(0, ublk::commit_and_fetch), 0x21U);
    EXPECT_EQ(ublk::code_for(0, ublk::add_device), 0x04U);
}

} // namespace

} // namespace zoneio
