// SPDX-License-Identifier: GPL-3.0-or-later
//
// The cost of turning a line of text into a call: splitting, lookup, options, operands.
#include "commands/command_table.h"
#include "commands/dispatch.h"
#include "commands/image/image_open.h"
#include "quiet.h"

#include <benchmark/benchmark.h>
#include <cstring>

namespace zoneio {

namespace {

void run(Session& session, std::string_view line) {
    char copy[256];
    memcpy(copy, line.data(), line.size());
    copy[line.size()] = '\0';
    benchmark::DoNotOptimize(run_line(session, copy));
}

/// `quit` ignores its words, so this measures splitting, lookup and the call.
void split_line(benchmark::State& state) {
    Session session("bench");
    std::string line = "quit";
    for (int64_t words = 0; words < state.range(0); words++) {
        line += " word";
    }
    for (auto _ : state) {
        run(session, line);
    }
}
BENCHMARK(split_line)->Arg(0)->Arg(3)->Arg(10);

void find_command_by_name(benchmark::State& state, const char* name) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(find_command(name));
    }
}
BENCHMARK_CAPTURE(find_command_by_name, first, "abort");
BENCHMARK_CAPTURE(find_command_by_name, read, "read");
BENCHMARK_CAPTURE(find_command_by_name, alternative, "zrs");
BENCHMARK_CAPTURE(find_command_by_name, missing, "nothing");

/// A whole command on a device without a system call.
void whole_command(benchmark::State& state, const char* line) {
    const Quiet quiet;
    Session session("bench");
    OpenRequest request;
    request.options.set("driver", std::string("null-co"));
    request.options.set("size", std::string("1G"));
    if (open_image(session, std::move(request)) != Outcome::ok) {
        state.SkipWithError("no device");
        return;
    }
    for (auto _ : state) {
        run(session, line);
    }
}
BENCHMARK_CAPTURE(whole_command, length, "length");
BENCHMARK_CAPTURE(whole_command, read_quiet, "read -q 4096 4k");
BENCHMARK_CAPTURE(whole_command, read, "read 4096 4k");
BENCHMARK_CAPTURE(whole_command, write_quiet, "write -q 4096 4k");

} // namespace

} // namespace zoneio
