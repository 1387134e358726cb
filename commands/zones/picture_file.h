// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <string>
#include <string_view>

namespace zoneio {

/// Writes a picture to a file, completely or not at all. An existing file is replaced if it is itself a picture or
/// page; its mode is kept, and so are symbolic links to it. EEXIST: the file is something else, perhaps an image.
/// Errors name the file.
Status write_picture(const std::string& filename, std::string_view content);

} // namespace zoneio
