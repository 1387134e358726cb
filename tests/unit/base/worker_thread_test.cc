// SPDX-License-Identifier: GPL-3.0-or-later
//
// Signals from the terminal and from other processes go to the main thread, with every engine.
#include "block/backend.h"

#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace zoneio {
namespace {

namespace fs = std::filesystem;

/// Signals that a thread of this process blocks; bit 0 is signal 1.
uint64_t blocked_by(const fs::path& thread) {
    std::ifstream status(thread / "status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("SigBlk:")) {
            uint64_t mask = 0;
            const size_t begin = line.find_first_not_of(" \t", 7);
            std::from_chars(line.data() + begin, line.data() + line.size(), mask, 16);
            return mask;
        }
    }
    return 0;
}

bool is_in(uint64_t mask, int number) {
    return (mask >> (number - 1) & 1) != 0;
}

class Workers : public ::testing::TestWithParam<const char*> {};

TEST_P(Workers, ReceiveOnlySignalsOfTheirOwnMemoryAccesses) {
    ImageSpec spec;
    spec.options.set("driver", GetParam());
    if (GetParam() == std::string_view("blkdebug")) {
        spec.options.set("image.driver", "null-co");
    }
    std::vector<Notice> notices;
    Result<std::unique_ptr<BlockBackend>> backend = BlockBackend::open(std::move(spec), false, notices);
    ASSERT_TRUE(backend.ok()) << backend.status().message();
    std::array<uint8_t, 512> data{};
    Request request;
    request.bytes = data.size();
    request.iov = IoVec(data.data(), data.size());
    (*backend)->submit(request);
    while (!request.done) {
        (*backend)->reap(true);
    }
    int workers = 0;
    for (const fs::directory_entry& thread : fs::directory_iterator("/proc/self/task")) {
        const bool is_main = thread.path().filename() == std::to_string(getpid());
        const uint64_t blocked = blocked_by(thread.path());
        for (const int number : {SIGINT, SIGTERM, SIGWINCH, SIGCONT}) {
            EXPECT_EQ(is_in(blocked, number), !is_main) << number;
        }
        workers += is_main ? 0 : 1;
    }
    EXPECT_GT(workers, 0);
}

INSTANTIATE_TEST_SUITE_P(Engines, Workers, ::testing::Values("null-co", "blkdebug"));

} // namespace
} // namespace zoneio
