// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/report/report.h"
#include "quiet.h"

#include <benchmark/benchmark.h>
#include <vector>

namespace zoneio {

namespace {

void request_report(benchmark::State& state) {
    const Quiet quiet;
    Reporter reporter("bench");
    const bool for_machines = state.range(0) != 0;
    int64_t elapsed = 1000;
    for (auto _ : state) {
        reporter.request({"read", 40960, 4096, std::chrono::nanoseconds(elapsed)}, for_machines);
        elapsed = elapsed < 1000000 ? elapsed + 137 : 1000;
    }
}
BENCHMARK(request_report)->Arg(0)->Arg(1)->ArgName("for_machines");

void dump(benchmark::State& state) {
    const Quiet quiet;
    Reporter reporter("bench");
    const std::vector<uint8_t> data(4096, 'x');
    for (auto _ : state) {
        reporter.dump(data.data(), data.size(), 0);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(data.size()));
}
BENCHMARK(dump);

} // namespace

} // namespace zoneio
