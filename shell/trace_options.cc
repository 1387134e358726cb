// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/trace_options.h"

#include "block/options.h"
#include "block/trace.h"

#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <fstream>

namespace zoneio {

namespace {

/// Turns on what a pattern asks for; `where` stands in front of a warning.
void enable(const std::string& where, const std::string& pattern) {
    if (!trace_enable(pattern)) {
        const std::string name = pattern.starts_with('-') ? pattern.substr(1) : pattern;
        fmt::print(stderr, "{} warning: trace event '{}' does not exist\n", where, name);
    }
}

/// One pattern a line; blank lines and comments are passed over.
bool enable_from_file(const std::string& program, const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        fmt::print(stderr, "{}:{}: {}\n", program, path, strerror(errno));
        return false;
    }
    std::string line;
    for (int number = 1; std::getline(file, line); number++) {
        if (file.eof() && !line.empty()) {
            // Upstream takes the last character for a newline, even where there is none.
            line.pop_back();
        }
        if (!line.empty() && line.front() != '#') {
            enable(fmt::format("{}:{}:{}:", program, path, number), line);
        }
    }
    return true;
}

} // namespace

std::optional<int> configure_trace(const std::string& program, const std::string& spec, std::optional<std::string>& file) {
    if (spec == "help" || spec == "?") {
        for (const std::string_view name : trace_event_names()) {
            fmt::print("{}\n", name);
        }
        return EXIT_SUCCESS;
    }
    const OptionString parsed = parse_option_string(spec, "enable");
    for (const std::string& warning : parsed.warnings) {
        fmt::print(stderr, "{}: warning: {}\n", program, warning);
    }
    std::optional<std::string> pattern;
    std::optional<std::string> events;
    file.reset();
    for (const KeyValue& pair : parsed.pairs) {
        std::optional<std::string>* const target = pair.key == "enable"   ? &pattern
                                                   : pair.key == "events" ? &events
                                                   : pair.key == "file"   ? &file
                                                                          : nullptr;
        if (target == nullptr) {
            fmt::print(stderr, "{}: Invalid parameter '{}'\n", program, pair.key);
            return EXIT_FAILURE;
        }
        *target = pair.value;
    }
    if (pattern) {
        enable(program + ':', *pattern);
    }
    if (events && !enable_from_file(program, *events)) {
        return EXIT_FAILURE;
    }
    return std::nullopt;
}

bool open_trace_file(const std::string& program, const std::string& file) {
    const Status status = trace_set_file(file);
    if (!status.ok()) {
        fmt::print(stderr, "{}: {}\n", program, status.message());
    }
    return status.ok();
}

} // namespace zoneio
