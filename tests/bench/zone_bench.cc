// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/model.h"

#include <benchmark/benchmark.h>
#include <vector>

namespace zoneio {

namespace {

constexpr uint64_t zones = 1024;
constexpr uint64_t zone_size = 1 << 20;

/// A device in memory; `max_open` 0: no limit.
struct Device {
    explicit Device(uint64_t max_open)
        : geometry{.size = zones * zone_size, .zone_size = zone_size, .zone_capacity = zone_size, .max_open_zones = max_open},
          entries(zones), table(entries), model(geometry, table) {}

    ZoneGeometry geometry;
    std::vector<ZoneEntry> entries;
    ZoneTable table;
    ZoneModel model;
};

/// Appends zone after zone. With a limit, each new zone closes another one.
void append(benchmark::State& state) {
    Device device(static_cast<uint64_t>(state.range(0)));
    uint64_t zone = 0;
    for (auto _ : state) {
        const Result<ZoneChange> change = device.model.begin_append(zone, 4096);
        if (change.ok()) {
            device.model.commit(*change);
        } else {
            device.model.commit(*device.model.begin(ZoneOp::reset, zone));
        }
        zone = (zone + 1) % zones;
    }
}
BENCHMARK(append)->Arg(0)->Arg(16)->ArgName("max_open");

void describe(benchmark::State& state) {
    const Device device(0);
    uint64_t zone = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(device.model.describe(zone));
        zone = (zone + 1) % zones;
    }
}
BENCHMARK(describe);

} // namespace

} // namespace zoneio
