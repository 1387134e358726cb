// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/trace/trace.h"

#include <cstring>
#include <fcntl.h>
#include <fnmatch.h>
#include <fmt/format.h>
#include <iterator>
#include <unistd.h>

namespace zoneio {

std::atomic<uint64_t> trace_mask{0};

namespace {

constexpr std::string_view event_names[] = {
#define ZONEIO_TRACE_EVENT(name, parameters, arguments, text) #name,
#include "block/trace/events.def"
#undef ZONEIO_TRACE_EVENT
};
static_assert(std::size(event_names) <= 64, "the mask has a bit for each event");

std::atomic<int> output{STDERR_FILENO};

/// Writes a line with one system call, so that lines of several threads do not mix.
void write_line(std::string line) {
    line += '\n';
    // If the trace cannot be written, there is nowhere to report it.
    (void)!write(output.load(std::memory_order_relaxed), line.data(), line.size());
}

/// True if the name matches. `*` matches any text, `?` any character; brackets and backslashes match themselves.
bool matches(std::string_view pattern, const char* name) {
    std::string escaped;
    for (const char c : pattern) {
        escaped += c == '[' || c == '\\' ? "\\" : "";
        escaped += c;
    }
    return fnmatch(escaped.c_str(), name, 0) == 0;
}

} // namespace

#define ZONEIO_TRACE_EVENT(name, parameters, arguments, text)                                                            \
    void trace_print_##name parameters {                                                                                   \
        const auto line = [](const auto&... values) { return fmt::format(#name " " text, values...); };                  \
        write_line(line arguments);                                                                                        \
    }
#include "block/trace/events.def"
#undef ZONEIO_TRACE_EVENT

bool trace_enable(std::string_view pattern) {
    const bool turn_off = pattern.starts_with('-');
    pattern.remove_prefix(turn_off ? 1 : 0);
    uint64_t matching = 0;
    for (size_t i = 0; i < std::size(event_names); i++) {
        matching |= matches(pattern, event_names[i].data()) ? uint64_t{1} << i : 0;
    }
    if (turn_off) {
        trace_mask.fetch_and(~matching);
    } else {
        trace_mask.fetch_or(matching);
    }
    return matching != 0 || pattern.find_first_of("*?") != std::string_view::npos;
}

Status trace_set_file(const std::string& path) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) {
        return Status::error(errno, fmt::format("Error opening logfile {}: {}", path, strerror(errno)));
    }
    // The previous descriptor stays open, because another thread may be writing to it.
    output = fd;
    return {};
}

std::vector<std::string_view> trace_event_names() {
    return {std::begin(event_names), std::end(event_names)};
}

} // namespace zoneio
