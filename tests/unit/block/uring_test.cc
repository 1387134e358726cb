// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernel may leave the flag IORING_SQ_TASKRUN set after its last work, if a worker of the kernel sets it while the
// submitter takes what the worker has queued. The tests set it themselves: the flag is in memory shared with the kernel.
#include "block/backend.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <liburing.h>
#include <sstream>

namespace zoneio {
namespace {

/// Offset of the flags of the submission queue in a ring, in bytes. The same in all rings of a kernel. 0: no ring is possible.
size_t flags_offset() {
    io_uring ring{};
    io_uring_params params{};
    if (io_uring_queue_init_params(1, &ring, &params) != 0) {
        return 0;
    }
    io_uring_queue_exit(&ring);
    return params.sq_off.flags;
}

/// Sets the flag in all rings of this process. Returns their number.
int leave_flag_set(size_t offset) {
    std::ifstream maps("/proc/self/maps");
    int rings = 0;
    for (std::string line; std::getline(maps, line);) {
        std::istringstream words(line);
        std::string range;
        std::string mode;
        std::string position;
        words >> range >> mode >> position;
        // At offset 0 is the ring; the entries of the submission queue are a mapping of their own.
        if (line.ends_with("anon_inode:[io_uring]") && std::stoull(position, nullptr, 16) == IORING_OFF_SQ_RING) {
            // NOLINTNEXTLINE(performance-no-int-to-ptr): the text of /proc is where the address is.
            auto* const flags = reinterpret_cast<unsigned*>(std::stoull(range, nullptr, 16) + offset);
            __atomic_fetch_or(flags, IORING_SQ_TASKRUN, __ATOMIC_SEQ_CST);
            rings++;
        }
    }
    return rings;
}

// Reads from the page cache end within their submission, so that the kernel has nothing to do that would clear the flag.
TEST(UringEngine, FlagWithoutWorkDoesNotKeepIt) {
    const size_t offset = flags_offset();
    if (offset == 0) {
        GTEST_SKIP() << "the kernel allows no ring";
    }
    const std::filesystem::path image = std::filesystem::current_path() / ("zoneio-uring-" + std::to_string(getpid()));
    std::ofstream(image) << std::string(1 << 20, 'x');
    ImageSpec spec;
    spec.aio = AioMode::io_uring;
    spec.options.set("driver", "raw");
    spec.options.set("file.driver", "file");
    spec.options.set("file.filename", image.string());
    std::vector<Notice> notices;
    Result<std::unique_ptr<BlockBackend>> opened = BlockBackend::open(std::move(spec), false, notices);
    std::filesystem::remove(image);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    BlockBackend& backend = **opened;

    std::array<char, 4096> block{};
    std::array<Request, 100> requests;
    for (Request& request : requests) {
        request.op = RequestOp::read;
        request.offset = 0;
        request.bytes = block.size();
        request.iov.push_back(block.data(), block.size());
        backend.submit(request);
        EXPECT_EQ(leave_flag_set(offset), 1);
        backend.reap(false);
    }
    while (backend.in_flight() > 0) {
        leave_flag_set(offset);
        backend.reap(true);
    }
    for (const Request& request : requests) {
        EXPECT_TRUE(request.done && request.status.ok()) << request.status.message();
    }
}

} // namespace
} // namespace zoneio
