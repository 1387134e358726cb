// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <fmt/format.h>

namespace zoneio {

/// What append_text() does, without its types.
void vappend_text(fmt::memory_buffer& out, fmt::string_view format, fmt::format_args args);

/// Formats at the end of a buffer, as fmt::format_to(); that would compile all of fmt's formatting, three seconds of it,
/// into every source that calls it.
template <typename... Args>
void append_text(fmt::memory_buffer& out, fmt::format_string<Args...> format, Args&&... args) {
    vappend_text(out, format, fmt::make_format_args(args...));
}

} // namespace zoneio
