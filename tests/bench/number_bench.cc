// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/size.h"

#include <benchmark/benchmark.h>

namespace zoneio {

namespace {

void parse(benchmark::State& state, const char* text) {
    for (auto _ : state) {
        int64_t value = 0;
        benchmark::DoNotOptimize(parse_size_int64(text, value));
        benchmark::DoNotOptimize(value);
    }
}
BENCHMARK_CAPTURE(parse, suffix, "4k");
BENCHMARK_CAPTURE(parse, decimal, "67108864");
BENCHMARK_CAPTURE(parse, hex, "0x4000000");
BENCHMARK_CAPTURE(parse, fraction, "1.5M");

void format(benchmark::State& state) {
    double bytes = 4096;
    for (auto _ : state) {
        benchmark::DoNotOptimize(format_size(bytes));
        bytes = bytes < 1e15 ? bytes * 1.7 : 4096;
    }
}
BENCHMARK(format);

} // namespace

} // namespace zoneio
