// SPDX-License-Identifier: GPL-3.0-or-later
//
// The cost from the gate to the system call and, for asynchronous requests, back.
#include "block/backend.h"

#include <benchmark/benchmark.h>
#include <sys/mman.h>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr size_t block = 4096;

/// A file in memory, opened.
struct Image {
    explicit Image(AioMode aio) : fd(memfd_create("bench", MFD_CLOEXEC)) {
        if (ftruncate(fd, 1 << 20) != 0) {
            return;
        }
        ImageSpec spec;
        spec.filename = "/proc/self/fd/" + std::to_string(fd);
        spec.options.set("driver", std::string("raw"));
        spec.aio = aio;
        std::vector<Notice> notices;
        Result<std::unique_ptr<BlockBackend>> opened = BlockBackend::open(std::move(spec), false, notices);
        if (opened.ok()) {
            backend = std::move(*opened);
        }
    }
    ~Image() { close(fd); }
    Image(const Image&) = delete;
    Image& operator=(const Image&) = delete;

    int fd;
    std::unique_ptr<BlockBackend> backend;
};

void bare_pread(benchmark::State& state) {
    const Image image(AioMode::threads);
    std::vector<char> data(block);
    for (auto _ : state) {
        benchmark::DoNotOptimize(pread(image.fd, data.data(), block, 0));
    }
}
BENCHMARK(bare_pread);

void read_request(benchmark::State& state) {
    const Image image(AioMode::threads);
    std::vector<char> data(block);
    const IoVec iov(data.data(), block);
    for (auto _ : state) {
        benchmark::DoNotOptimize(image.backend->execute(Request::read(0, iov)).ok());
    }
}
BENCHMARK(read_request);

void write_request(benchmark::State& state) {
    const Image image(AioMode::threads);
    std::vector<char> data(block);
    const IoVec iov(data.data(), block);
    for (auto _ : state) {
        benchmark::DoNotOptimize(image.backend->execute(Request::write(0, iov)).ok());
    }
}
BENCHMARK(write_request);

/// Runs asynchronous reads in batches until all have finished.
void asynchronous(benchmark::State& state, AioMode aio) {
    const Image image(aio);
    const auto depth = static_cast<size_t>(state.range(0));
    std::vector<char> data(block);
    for (auto _ : state) {
        std::vector<Request> requests(depth);
        for (Request& request : requests) {
            request.bytes = block;
            request.iov = IoVec(data.data(), block);
            image.backend->submit(request);
        }
        while (image.backend->in_flight() > 0) {
            image.backend->reap(true);
        }
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(asynchronous, threads, AioMode::threads)->Arg(1)->Arg(64)->Arg(1024)->UseRealTime();
BENCHMARK_CAPTURE(asynchronous, io_uring, AioMode::io_uring)->Arg(1)->Arg(64)->Arg(1024)->UseRealTime();

} // namespace

} // namespace zoneio
