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

/// The drivers that new images are made for: is there a zoned device in them?
inline constexpr EnumWord<bool> new_image_words[] = {{"raw", false}, {"zoned", true}, {"file", false, true}};

/// Makes a new image file of `size` bytes for one of these drivers; without one, for the driver that the name asks for, else
/// for `raw`. `options` are the zoned driver's, and win over those of the name.
///
/// A file that is there and not empty is only overwritten with `overwrite`, and never while somebody uses it. After an
/// error a file that was not there before is not there either, and what another held is lost only where its medium fails.
Status create_image(const std::optional<std::string>& driver, NamedFile file, uint64_t size, Options options, bool overwrite);

} // namespace zoneio
