// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/options/trace.h"

#include "block/options/options.h"
#include "block/trace/trace.h"
#include "commands/text/print.h"
#include "commands/text/safe_text.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <memory>

namespace zoneio {

namespace {

/// Enables the events of a pattern. `where`: prefix of a warning.
void enable(const std::string& where, const std::string& pattern) {
    if (!trace_enable(pattern)) {
        const std::string name = pattern.starts_with('-') ? pattern.substr(1) : pattern;
        print_error_line(where, " ", fmt::format("warning: trace event '{}' does not exist", name));
    }
}

/// Reads patterns, one per line. Skips blank lines and comments.
Status enable_from_file(const std::string& program, const std::string& path) {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(path.c_str(), "re"), fclose);
    if (file == nullptr) {
        return Status::error(errno, fmt::format(":{}: {}", path, strerror(errno)));
    }
    // QEMU removes the last character as if it were a newline, even at the end of the file or inside an overlong line.
    std::array<char, 1024> piece;
    for (int number = 1; fgets(piece.data(), piece.size(), file.get()) != nullptr; number++) {
        std::string_view line(piece.data());
        line.remove_suffix(line.empty() ? 0 : 1);
        if (!line.empty() && line.front() != '#') {
            enable(fmt::format("{}:{}:{}:", program, path, number), std::string(line));
        }
    }
    return {};
}

bool is_help(std::string_view word) {
    return word == "help" || word == "?";
}

void print_events() {
    for (const std::string_view name : trace_event_names()) {
        print_to(stdout, "{}\n", name);
    }
}

} // namespace

Result<std::optional<int>> configure_trace(const std::string& program, const std::string& spec, std::optional<std::string>& file) {
    // QEMU looks for an id first, and with it the first word is a key. Nothing uses the id.
    if (const std::optional<std::string> id = parse_option_string(spec).id) {
        TRY(check_identifier("id", *id).prefixed(": "));
    }
    const OptionString parsed = parse_option_string(spec, "enable");
    std::optional<std::string> pattern;
    std::optional<std::string> events;
    file.reset();
    for (const KeyValue& pair : parsed.pairs) {
        if (!pair.warning.empty()) {
            print_error_line(program, ": warning: ", pair.warning);
        }
        if (pair.key == "id") {
            continue;
        }
        std::optional<std::string>* const target = pair.key == "enable"   ? &pattern
                                                   : pair.key == "events" ? &events
                                                   : pair.key == "file"   ? &file
                                                                          : nullptr;
        if (target == nullptr && pair.is_flag && pair.value == "on" && is_help(pair.key)) {
            fputs("trace options:\n  enable=<str>\n  events=<str>\n  file=<str>\n", stdout);
            return std::optional(EXIT_FAILURE);
        }
        if (target == nullptr) {
            return Status::invalid(fmt::format(": Invalid parameter '{}'", pair.key));
        }
        *target = pair.value;
    }
    if (pattern && is_help(*pattern)) {
        print_events();
        return std::optional(EXIT_SUCCESS);
    }
    if (pattern) {
        enable(program + ':', *pattern);
    }
    Status status = events ? enable_from_file(program, *events) : Status();
    return status.ok() ? Result<std::optional<int>>(std::nullopt) : std::move(status);
}

} // namespace zoneio
