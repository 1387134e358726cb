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
Status enable_from_file(const std::string& program, const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return Status::error(errno, fmt::format(":{}: {}", path, strerror(errno)));
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
    return {};
}

} // namespace

void print_trace_events() {
    for (const std::string_view name : trace_event_names()) {
        fmt::print("{}\n", name);
    }
}

Status configure_trace(const std::string& program, const std::string& spec, std::optional<std::string>& file) {
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
            return Status::error(EINVAL, fmt::format(": Invalid parameter '{}'", pair.key));
        }
        *target = pair.value;
    }
    if (pattern) {
        enable(program + ':', *pattern);
    }
    return events ? enable_from_file(program, *events) : Status();
}

} // namespace zoneio
