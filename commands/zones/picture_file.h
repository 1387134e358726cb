// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <string>
#include <string_view>

namespace zoneio {

/// Writes a picture to a file: whole, or not at all. One that is there is replaced if it is a picture or page itself, and
/// its mode stays; so does a symbolic link to it.
/// EEXIST: it is something else, an image perhaps; else what the system says. The text names the file.
Status write_picture(const std::string& filename, std::string_view content);

} // namespace zoneio
