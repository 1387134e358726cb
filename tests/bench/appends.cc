// SPDX-License-Identifier: GPL-3.0-or-later
//
// appends KIND FILE COUNT DEPTH: COUNT asynchronous requests of 4 KiB, DEPTH in flight. KIND `zoned` appends to random zones of
// a new emulated device with 16 zones; `file` writes at random places of a file of that size.
#include "block/backend.h"
#include "block/base/buffer.h"

#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace {

using namespace zoneio;

constexpr uint64_t block = 4096;
constexpr uint64_t zones = 16;
constexpr uint64_t zone_bytes = 256 << 20;

std::unique_ptr<BlockBackend> open(bool zoned, const char* file) {
    ImageSpec spec;
    spec.options.set("driver", zoned ? "zoned" : "file");
    spec.options.set("filename", std::string(file));
    if (zoned) {
        spec.options.set("size", std::to_string(zones * zone_bytes));
        spec.options.set("zone.size", std::to_string(zone_bytes));
    }
    std::vector<Notice> notices;
    Result<std::unique_ptr<BlockBackend>> opened = BlockBackend::open(std::move(spec), false, notices);
    if (!opened.ok()) {
        fprintf(stderr, "%s\n", opened.status().message().c_str());
        return nullptr;
    }
    return std::move(*opened);
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: appends zoned|file FILE COUNT DEPTH\n");
        return 2;
    }
    const bool zoned = std::string_view(argv[1]) == "zoned";
    const long count = atol(argv[3]);
    std::vector<Request> requests(static_cast<size_t>(atol(argv[4])));
    const std::unique_ptr<BlockBackend> backend = open(zoned, argv[2]);
    AlignedBuffer data;
    if (!backend || !data.reserve(block)) {
        return 1;
    }
    std::mt19937 random(1);
    for (Request& request : requests) {
        request.done = true;
    }
    for (long begun = 0; begun < count;) {
        for (Request& request : requests) {
            if (!request.done || begun == count) {
                continue;
            }
            if (!request.status.ok()) {
                fprintf(stderr, "%s\n", request.status.message().c_str());
                return 1;
            }
            request = Request();
            request.op = zoned ? RequestOp::zone_append : RequestOp::write;
            request.offset = zoned ? random() % zones * zone_bytes : random() % (zones * zone_bytes / block) * block;
            request.bytes = block;
            request.iov.push_back(data.data(), block);
            backend->submit(request);
            begun++;
        }
        backend->reap(true);
    }
    while (backend->in_flight() > 0) {
        backend->reap(true);
    }
    return 0;
}
