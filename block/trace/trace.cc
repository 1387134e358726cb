// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/trace/trace.h"

#include <cstring>
#include <fcntl.h>
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

/// True if the text matches. `*` matches any text, `?` any character.
bool matches(std::string_view pattern, std::string_view text) {
    size_t next = 0;
    size_t star = std::string_view::npos; // the last `*`, where the next attempt continues
    size_t after_star = 0;                // position in text up to which that `*` matches
    for (size_t at = 0; at < text.size();) {
        if (next < pattern.size() && pattern[next] == '*') {
            star = next++;
            after_star = at;
        } else if (next < pattern.size() && (pattern[next] == '?' || pattern[next] == text[at])) {
            next++;
            at++;
        } else if (star != std::string_view::npos) {
            next = star + 1;
            at = ++after_star;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', next) == std::string_view::npos;
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
        matching |= matches(pattern, event_names[i]) ? uint64_t{1} << i : 0;
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
