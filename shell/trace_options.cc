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
    std::ifstream file(path);
    if (!file) {
        fmt::print(stderr, "{}:{}: {}\n", program, path, strerror(errno));
        return false;
    }
    std::string line;
    for (int number = 1; std::getline(file, line); number++) {
        if (!line.empty() && line.front() != '#') {
            enable(fmt::format("{}:{}:{}:", program, path, number), line);
        }
    }
    return true;
}

} // namespace

std::optional<int> configure_trace(const std::string& program, const std::string& spec) {
    if (spec == "help" || spec == "?") {
        for (const std::string_view name : trace_event_names()) {
            fmt::print("{}\n", name);
        }
        return EXIT_SUCCESS;
    }
    const Result<OptionString> parsed = parse_option_string(spec, "enable");
    if (!parsed.ok()) {
        fmt::print(stderr, "{}: {}\n", program, parsed.status().message());
        return EXIT_FAILURE;
    }
    for (const std::string& warning : parsed->warnings) {
        fmt::print(stderr, "{}: warning: {}\n", program, warning);
    }
    std::optional<std::string> pattern;
    std::optional<std::string> events;
    std::optional<std::string> file;
    for (const KeyValue& pair : parsed->pairs) {
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
    const Status status = file ? trace_set_file(*file) : Status();
    if (!status.ok()) {
        fmt::print(stderr, "{}: {}\n", program, status.message());
        return EXIT_FAILURE;
    }
    return std::nullopt;
}

} // namespace zoneio
