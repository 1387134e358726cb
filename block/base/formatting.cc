// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/formatting.h"

namespace zoneio {

void vappend_text(fmt::memory_buffer& out, fmt::string_view format, fmt::format_args args) {
    fmt::vformat_to(fmt::appender(out), format, args);
}

} // namespace zoneio
