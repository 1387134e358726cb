// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/formatting.h"

#include <cstdio>
#include <utility>

namespace zoneio {

/// Formats on a stream. Output that cannot be written (full disk, closed pipe) is lost without an error, because
/// fmt::print would throw and end the command.
template <typename... Args>
void print_to(FILE* stream, fmt::format_string<Args...> format, Args&&... args) {
    fmt::memory_buffer text;
    append_text(text, format, std::forward<Args>(args)...);
    fwrite(text.data(), 1, text.size(), stream);
}

} // namespace zoneio
