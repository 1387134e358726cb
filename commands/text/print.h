// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/formatting.h"

#include <cstdio>
#include <utility>

namespace zoneio {

/// Formats on a stream. Where nobody takes it (a full disk, a pipe without a reader) it is lost, and that is all:
/// fmt::print throws then, and commands must go on.
template <typename... Args>
void print_to(FILE* stream, fmt::format_string<Args...> format, Args&&... args) {
    fmt::memory_buffer text;
    append_text(text, format, std::forward<Args>(args)...);
    fwrite(text.data(), 1, text.size(), stream);
}

} // namespace zoneio
