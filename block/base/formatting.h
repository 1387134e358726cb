// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <fmt/format.h>

namespace zoneio {

/// append_text() without types.
void vappend_text(fmt::memory_buffer& out, fmt::string_view format, fmt::format_args args);

/// Appends formatted text, like fmt::format_to(). A call of fmt::format_to() would compile all of fmt's formatting,
/// about three seconds, into each source file.
template <typename... Args>
void append_text(fmt::memory_buffer& out, fmt::format_string<Args...> format, Args&&... args) {
    vappend_text(out, format, fmt::make_format_args(args...));
}

} // namespace zoneio
