// SPDX-License-Identifier: GPL-3.0-or-later
//
// More requests than an engine lets wait for each other, submitted without a look at those that have ended. Those in the
// threads wait for one that the kernel has done and nobody has collected.
#include "block/backend.h"
#include "block/base/file_descriptor.h"

#include <deque>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace zoneio {
namespace {

class AioCrowd : public ::testing::TestWithParam<AioMode> {
protected:
    void SetUp() override {
        std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        std::replace(name.begin(), name.end(), '/', '-');
        // Not in /tmp, which may be in memory and without O_DIRECT.
        image_ = std::filesystem::current_path() / ("zoneio-crowd-" + std::to_string(getpid()) + name);
        std::ofstream(image_).close();
        std::filesystem::resize_file(image_, 1 << 20);
    }
    void TearDown() override { std::filesystem::remove(image_); }

    std::filesystem::path image_;
};

TEST_P(AioCrowd, SubmitMakesRoomByItself) {
    ImageSpec spec;
    spec.aio = GetParam();
    spec.flags.direct = true;
    spec.options.set("driver", "raw");
    spec.options.set("file.driver", "file");
    spec.options.set("file.filename", image_.string());
    std::vector<Notice> notices;
    Result<std::unique_ptr<BlockBackend>> opened = BlockBackend::open(std::move(spec), false, notices);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    BlockBackend& backend = **opened;

    AlignedBuffer block;
    ASSERT_TRUE(block.reserve(4096));
    std::deque<Request> requests;
    const auto submit = [&](uint64_t offset, uint64_t bytes) {
        Request& request = requests.emplace_back();
        request.op = RequestOp::write;
        request.offset = offset;
        request.bytes = bytes;
        request.iov.push_back(block.data(), bytes);
        backend.submit(request);
    };
    submit(0, 4096);
    for (int i = 0; i < 1000; i++) {
        submit(100, 100);
    }
    while (backend.in_flight() > 0) {
        backend.reap(true);
    }
    for (const Request& request : requests) {
        EXPECT_TRUE(request.done && request.status.ok()) << request.status.message();
    }
}

INSTANTIATE_TEST_SUITE_P(Engines, AioCrowd, ::testing::Values(AioMode::threads, AioMode::native, AioMode::io_uring));

} // namespace
} // namespace zoneio
