// SPDX-License-Identifier: GPL-3.0-or-later
//
// kill -9: a process that works on a device is killed at a random time. The next process finds all acknowledged changes
// and, of the interrupted operation, each zone's part either done or not done. Environment: ZONEIO_KILLS, number of
// kills (2000 for the long run), and ZONEIO_SEED.
#include "block/base/file_descriptor.h"
#include "block/chain/open.h"
#include "block/node/driver_rows.h"
#include "block/zoned/header.h"

#include "test_setting.h"
#include "zone_reference.h"

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace zoneio {
namespace {

using testing::ReferenceDevice;
using testing::ReferenceZone;
using testing::setting;

constexpr uint64_t block = 512;

/// Memory shared by parent and child.
struct Progress {
    std::atomic<uint64_t> started{0};
    std::atomic<uint64_t> done{0};
    std::atomic<int> open{0};
};

class KillTest : public ::testing::Test {
protected:
    void SetUp() override {
        directory_ = std::filesystem::temp_directory_path() / ("zoneio-kill-" + std::to_string(getpid()));
        std::filesystem::create_directories(directory_);
        image_ = directory_ / "zoned.img";
        std::ofstream(image_).close();
        void* const memory = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(memory, MAP_FAILED);
        progress_ = new (memory) Progress;
    }
    void TearDown() override {
        munmap(progress_, sizeof(Progress));
        std::filesystem::remove_all(directory_);
    }

    Result<std::unique_ptr<BlockNode>> open(bool format);
    void work(std::mt19937 random);
    template <typename Random>
    void operate(Random& random, ReferenceDevice& reference, BlockNode* node);
    void kill_once(unsigned seed);
    void check(const ReferenceDevice& before, const ReferenceDevice& after);

    ZoneGeometry geometry_;
    std::filesystem::path directory_;
    std::filesystem::path image_;
    Progress* progress_ = nullptr;
    std::unique_ptr<ReferenceDevice> reference_;
};

Result<std::unique_ptr<BlockNode>> KillTest::open(bool format) {
    ImageSpec spec;
    spec.flags.unmap = true;
    spec.options.set("driver", "zoned");
    spec.options.set("filename", image_.string());
    if (format) {
        spec.options.set("size", geometry_.size);
        spec.options.set("zone.size", geometry_.zone_size);
        spec.options.set("zone.capacity", geometry_.zone_capacity);
        spec.options.set("zone.conventional_zones", geometry_.conventional_zones);
        spec.options.set("zone.max_open_zones", geometry_.max_open_zones);
        spec.options.set("zone.max_active_zones", geometry_.max_active_zones);
    }
    std::vector<Notice> notices;
    return open_image(std::move(spec), notices);
}

/// One random operation on the reference and, if there is one, on the device.
template <typename Random>
void KillTest::operate(Random& random, ReferenceDevice& reference, BlockNode* node) {
    const auto below = [&](uint64_t end) { return random() % end; };
    const uint64_t zones = geometry_.zone_count();
    const uint64_t zone = below(zones);
    const uint64_t kind = below(100);
    const uint64_t start = geometry_.zone_start(zone);
    if (kind < 60) {
        const bool conventional = reference.zones[zone].conventional;
        const uint64_t room_end = geometry_.zone_length(zone);
        const uint64_t pointer = conventional ? block * below(room_end / block) : reference.zones[zone].data.size();
        const uint64_t bytes = block * (1 + below(8));
        if (pointer + bytes > room_end) {
            return;
        }
        std::vector<uint8_t> data(bytes, static_cast<uint8_t>(below(254)));
        reference.write(zone, pointer, data);
        if (node != nullptr && kind < 30 && !conventional) {
            (void)node->zone_append(start, IoVec(data.data(), data.size()), {});
        } else if (node != nullptr) {
            (void)node->pwritev(start + pointer, IoVec(data.data(), data.size()), {});
        }
    } else if (kind < 98) {
        const auto op = static_cast<ZoneOp>(below(4));
        const uint64_t count = below(5) == 0 ? 1 + below(zones - zone) : 1;
        if (!reference.zones[zone].conventional) {
            reference.manage_range(op, zone, count);
            if (node != nullptr) {
                const uint64_t end = std::min(geometry_.size, (zone + count) * geometry_.zone_size);
                (void)node->zone_mgmt(op, start, end - start);
            }
        }
    } else if (node != nullptr) {
        (void)node->flush();
    }
}

/// The child's work until it is killed.
void KillTest::work(std::mt19937 random) {
    Result<std::unique_ptr<BlockNode>> node = open(false);
    if (!node.ok()) {
        fprintf(stderr, "%s\n", node.status().message().c_str());
        _exit(1);
    }
    progress_->open = 1;
    while (true) {
        progress_->started++;
        operate(random, *reference_, node->get());
        progress_->done++;
    }
}

void KillTest::kill_once(unsigned seed) {
    progress_->started = progress_->done = 0;
    progress_->open = 0;
    std::mt19937 random(seed);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        work(random);
    }
    std::mt19937 delay(seed + 1);
    while (progress_->open == 0) {
        ASSERT_EQ(waitpid(child, nullptr, WNOHANG), 0) << "the child could not open the device";
        usleep(50);
    }
    usleep(static_cast<useconds_t>(delay() % 3000));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    for (uint64_t i = 0; i < progress_->done; i++) {
        operate(random, *reference_, nullptr);
    }
    ReferenceDevice after = *reference_;
    if (progress_->started > progress_->done) {
        operate(random, after, nullptr);
    }
    check(*reference_, after);
}

uint64_t stored_cursor(const std::filesystem::path& image) {
    uint64_t cursor = 0;
    const FileDescriptor file(::open(image.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(pread(file.get(), &cursor, sizeof(cursor), ZonedLayout::session + offsetof(ZonedSession, cursor)), 8);
    return cursor;
}

/// Checks that every zone is as before or as after the last operation, and continues with what was found.
void KillTest::check(const ReferenceDevice& before, const ReferenceDevice& after) {
    Result<std::unique_ptr<BlockNode>> node = open(false);
    ASSERT_TRUE(node.ok()) << node.status().message();
    ReferenceDevice found = before;
    std::vector<ZoneDescriptor> shown;
    ASSERT_TRUE((*node)->zone_report(0, UINT32_MAX, [&](const ZoneDescriptor& zone) { shown.push_back(zone); }).ok());
    for (size_t i = 0; i < shown.size(); i++) {
        std::vector<uint8_t> content(shown[i].length);
        ASSERT_TRUE((*node)->preadv(shown[i].start, IoVec(content.data(), content.size())).ok());
        const auto readable = static_cast<ptrdiff_t>(shown[i].write_pointer - shown[i].start);
        EXPECT_TRUE(std::all_of(content.begin() + readable, content.end(), [](uint8_t b) { return b == 0xff; })) << "zone " << i;
        content.resize(static_cast<size_t>(readable));
        ReferenceZone& zone = found.zones[i];
        zone.state = shown[i].state;
        zone.data = content;
        if (zone.conventional && zone.data != after.zones[i].data) {
            continue; // an interrupted write may be done in part
        }
        // The zone was closed to make room for another one, during an operation on several zones.
        ReferenceZone closed = before.zones[i];
        closed.state = closed.state == ZoneState::implicit_open ? ZoneState::closed : closed.state;
        EXPECT_TRUE(zone == before.zones[i] || zone == after.zones[i] || zone == closed)
            << "zone " << i << ": condition " << static_cast<int>(zone.state) << ", " << zone.data.size() << " bytes; before "
            << static_cast<int>(before.zones[i].state) << ", " << before.zones[i].data.size() << "; after "
            << static_cast<int>(after.zones[i].state) << ", " << after.zones[i].data.size();
    }
    found.cursor = stored_cursor(image_);
    *reference_ = found;
}

TEST_F(KillTest, AcknowledgedChangesSurvive) {
    const unsigned long kills = setting("ZONEIO_KILLS", 60);
    const auto seed = static_cast<unsigned>(setting("ZONEIO_SEED", 1));
    geometry_.zone_size = 64 * block;
    geometry_.zone_capacity = 60 * block;
    geometry_.size = 12 * geometry_.zone_size + 10 * block;
    geometry_.conventional_zones = 1;
    geometry_.max_open_zones = 3;
    geometry_.max_active_zones = 6;
    ASSERT_TRUE(open(true).ok());
    reference_ = std::make_unique<ReferenceDevice>(geometry_);
    uint64_t operations = 0;
    for (unsigned i = 0; i < kills && !HasFailure(); i++) {
        kill_once(seed + 2 * i);
        operations += progress_->done;
        if (HasFailure()) {
            FAIL() << "seed " << seed << ", kill " << i;
        }
    }
    RecordProperty("operations", static_cast<int>(operations));
    printf("%lu kills, %lu operations acknowledged\n", kills, static_cast<unsigned long>(operations));
}

} // namespace
} // namespace zoneio
