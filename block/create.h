// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/enum_word.h"
#include "block/base/status.h"
#include "block/chain/named_file.h"
#include "block/options/options.h"

#include <cstdint>
#include <optional>
#include <string>

namespace zoneio {

/// Drivers for which images can be created. True: the image holds a zoned device.
inline constexpr EnumWord<bool> new_image_words[] = {{"raw", false}, {"zoned", true}, {"file", false, true}};

/// Creates an image file of `size` bytes for `driver`, otherwise for the driver that the name implies, otherwise for
/// `raw`. `options` are those of the driver `zoned`; they override the options in the name.
///
/// Overwrites a file that is not empty only with `overwrite`, and never while another program uses it. After an error,
/// a new file is removed, and an old one keeps its content unless its medium failed.
Status create_image(const std::optional<std::string>& driver, const NamedFile& file, uint64_t size, Options options, bool overwrite);

} // namespace zoneio
