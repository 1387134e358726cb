// SPDX-License-Identifier: GPL-3.0-or-later
//
// Many asynchronous requests with every engine, compared byte for byte with a model. Overlapping requests may be done
// in any order, except that a request that has ended precedes those that start later. Environment: ZONEIO_AIO_REQUESTS,
// number of requests (20000 for the long run), and ZONEIO_SEED.
#include "block/backend.h"
#include "block/base/file_descriptor.h"

#include "test_setting.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <list>
#include <random>

namespace zoneio {
namespace {

using testing::setting;

constexpr uint64_t image_bytes = 1 << 20;
constexpr uint64_t cell = 4096; ///< unit in which the model records who wrote where
constexpr uint64_t never = UINT64_MAX;

/// A write, with the times of its start and end. The clock counts starts and observed ends of requests.
struct Write {
    uint64_t begin = 0;
    uint64_t end = 0;
    uint64_t begun = 0;
    uint64_t done = never;
    uint32_t number = 0;
    bool zeroes = false;

    bool covers(uint64_t position) const { return position >= begin && position < end; }
    /// The pattern makes neighbouring writes differ nearly everywhere.
    uint8_t byte_at(uint64_t position) const {
        return zeroes ? uint8_t{0} : static_cast<uint8_t>((position + 1) * (number * 2654435761U + 12345U) >> 13);
    }
};

class Model {
public:
    Model() : cells_(image_bytes / cell) { add(0, image_bytes, 0, true).done = 0; }

    Write& add(uint64_t begin, uint64_t end, uint64_t now, bool zeroes) {
        writes_.push_back({begin, end, now, never, static_cast<uint32_t>(writes_.size()), zeroes});
        for (uint64_t i = begin / cell; i * cell < end; i++) {
            cells_[i].push_back(&writes_.back());
        }
        return writes_.back();
    }

    /// True if a read from `begun` to `done` may return this byte.
    bool can_be(uint64_t position, uint8_t byte, uint64_t begun, uint64_t done) const {
        const std::vector<const Write*>& writes = cells_[position / cell];
        return std::any_of(writes.begin(), writes.end(), [&](const Write* write) {
            return write->covers(position) && write->begun < done && write->byte_at(position) == byte &&
                   !is_hidden(*write, position, begun);
        });
    }

private:
    /// True if a later write, which started after this one had ended, ended before the read started.
    bool is_hidden(const Write& write, uint64_t position, uint64_t read_begun) const {
        const std::vector<const Write*>& writes = cells_[position / cell];
        return std::any_of(writes.begin(), writes.end(), [&](const Write* later) {
            return later->covers(position) && later->begun > write.done && later->done < read_begun;
        });
    }

    std::list<Write> writes_;
    std::vector<std::vector<const Write*>> cells_;
};

struct Flight {
    Request request;
    AlignedBuffer buffer;
    Write* write = nullptr; ///< null: a read
    uint64_t begun = 0;
};

struct Kind {
    const char* name;
    AioMode aio;
    bool direct;
    bool overlaps;
};

class AioModel : public ::testing::TestWithParam<Kind> {
protected:
    void SetUp() override {
        std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        std::replace(name.begin(), name.end(), '/', '-');
        // Not in /tmp, which may be in memory and without O_DIRECT.
        directory_ = std::filesystem::current_path() / ("zoneio-aio-" + std::to_string(getpid()) + name);
        std::filesystem::create_directories(directory_);
        image_ = directory_ / "image";
        std::ofstream(image_).close();
        std::filesystem::resize_file(image_, image_bytes);
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::unique_ptr<BlockBackend> open();
    void begin_one(BlockBackend& backend);
    void reap(BlockBackend& backend);
    void check_read(const Flight& flight);
    void check_file();

    std::filesystem::path directory_;
    std::filesystem::path image_;
    std::mt19937 random_{static_cast<unsigned>(setting("ZONEIO_SEED", 1))};
    Model model_;
    std::list<Flight> flights_;
    uint64_t now_ = 1;
    uint64_t slot_ = 0;
};

std::unique_ptr<BlockBackend> AioModel::open() {
    ImageSpec spec;
    spec.aio = GetParam().aio;
    spec.flags.direct = GetParam().direct;
    spec.options.set("driver", "raw");
    spec.options.set("file.driver", "file");
    spec.options.set("file.filename", image_.string());
    std::vector<Notice> notices;
    Result<std::unique_ptr<BlockBackend>> backend = BlockBackend::open(std::move(spec), random_() % 2 == 0, notices);
    if (!backend.ok()) {
        ADD_FAILURE() << backend.status().message();
        return nullptr;
    }
    return std::move(*backend);
}

void AioModel::begin_one(BlockBackend& backend) {
    constexpr uint64_t most_bytes = 32 << 10;
    uint64_t begin = random_() % image_bytes;
    uint64_t bytes = std::min<uint64_t>(1 + random_() % most_bytes, image_bytes - begin);
    if (!GetParam().overlaps) {
        // Each request in flight has its own slot.
        constexpr uint64_t slots = 128;
        constexpr uint64_t slot_bytes = image_bytes / slots;
        begin = slot_++ % slots * slot_bytes;
        bytes = 1 + random_() % slot_bytes;
        begin += random_() % (slot_bytes - bytes + 1);
    }
    Flight& flight = flights_.emplace_back();
    flight.begun = now_++;
    Request& request = flight.request;
    request.offset = begin;
    request.bytes = bytes;
    const unsigned kind = random_() % 8;
    request.op = kind < 3 ? RequestOp::read : kind < 7 ? RequestOp::write : RequestOp::write_zeroes;
    if (request.op != RequestOp::read) {
        flight.write = &model_.add(begin, begin + bytes, flight.begun, request.op == RequestOp::write_zeroes);
        request.flags.fua = random_() % 64 == 0;
    }
    if (request.op != RequestOp::write_zeroes) {
        ASSERT_TRUE(flight.buffer.reserve(bytes + 1));
        // Unaligned memory takes another path.
        uint8_t* const data = flight.buffer.data() + random_() % 2;
        for (uint64_t i = 0; flight.write != nullptr && i < bytes; i++) {
            data[i] = flight.write->byte_at(begin + i);
        }
        const uint64_t first = random_() % (bytes + 1);
        request.iov.push_back(data, first);
        request.iov.push_back(data + first, bytes - first);
    }
    backend.submit(request);
}

void AioModel::check_read(const Flight& flight) {
    const auto* const data = static_cast<const uint8_t*>(flight.request.iov.segments()[0].iov_base);
    for (uint64_t i = 0; i < flight.request.bytes; i++) {
        const uint64_t position = flight.request.offset + i;
        ASSERT_TRUE(model_.can_be(position, data[i], flight.begun, now_))
            << "byte " << position << " is " << int{data[i]} << " in a read of " << flight.request.bytes;
    }
}

/// Removes finished requests and checks them.
void AioModel::reap(BlockBackend& backend) {
    backend.reap(flights_.size() > 64);
    now_++;
    for (auto flight = flights_.begin(); flight != flights_.end();) {
        if (!flight->request.done) {
            ++flight;
            continue;
        }
        ASSERT_TRUE(flight->request.status.ok()) << flight->request.status.message();
        if (flight->write != nullptr) {
            flight->write->done = now_;
        } else {
            ASSERT_NO_FATAL_FAILURE(check_read(*flight));
        }
        flight = flights_.erase(flight);
    }
    now_++;
}

void AioModel::check_file() {
    std::vector<uint8_t> content(image_bytes);
    const FileDescriptor file(::open(image_.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(pread(file.get(), content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
    for (uint64_t i = 0; i < image_bytes; i++) {
        ASSERT_TRUE(model_.can_be(i, content[i], now_, now_ + 1)) << "byte " << i << " of the file";
    }
}

TEST_P(AioModel, ManyRequestsAndACloseInTheMiddle) {
    const unsigned long requests = setting("ZONEIO_AIO_REQUESTS", 1500);
    constexpr unsigned long between_closes = 500;
    std::unique_ptr<BlockBackend> backend;
    for (unsigned long i = 0; i < requests; i++) {
        if (i % between_closes == 0) {
            // Closing with requests in flight waits for them.
            backend.reset();
            for (const Flight& flight : flights_) {
                ASSERT_TRUE(flight.request.done);
            }
            backend = open();
            ASSERT_NE(backend, nullptr);
            ASSERT_NO_FATAL_FAILURE(reap(*backend));
            ASSERT_NO_FATAL_FAILURE(check_file());
        }
        ASSERT_NO_FATAL_FAILURE(begin_one(*backend));
        if (random_() % 4 == 0 || flights_.size() >= 120) {
            ASSERT_NO_FATAL_FAILURE(reap(*backend));
        }
        while (!GetParam().overlaps && flights_.size() >= 120) {
            ASSERT_NO_FATAL_FAILURE(reap(*backend));
        }
    }
    backend.reset();
    for (Flight& flight : flights_) {
        ASSERT_TRUE(flight.request.done && flight.request.status.ok());
        if (flight.write != nullptr) {
            flight.write->done = now_;
        }
    }
    now_ += 2;
    check_file();
    printf("%lu requests\n", requests);
}

INSTANTIATE_TEST_SUITE_P(Engines, AioModel,
                         ::testing::Values(Kind{"threads", AioMode::threads, false, true},
                                           Kind{"threads_apart", AioMode::threads, false, false},
                                           Kind{"threads_direct", AioMode::threads, true, true},
                                           Kind{"native", AioMode::native, true, true},
                                           Kind{"native_apart", AioMode::native, true, false},
                                           Kind{"io_uring", AioMode::io_uring, false, true},
                                           Kind{"io_uring_direct", AioMode::io_uring, true, true},
                                           Kind{"io_uring_apart", AioMode::io_uring, false, false}),
                         [](const auto& kind) { return kind.param.name; });

} // namespace
} // namespace zoneio
