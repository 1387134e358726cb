// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Creates an object that drivers refer to by its id (--object), from `TYPE,id=ID,KEY=VALUE...` or a JSON object. With
/// a word `help` or `?`, creates none and sets `help` to a list of the type's properties, or of the types.
Status add_user_object(std::string_view spec, std::string& help);

/// Names of all types.
std::vector<std::string_view> user_object_types();

} // namespace zoneio
