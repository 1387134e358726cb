// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"

#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Makes an object that drivers refer to by its id (--object): `TYPE,id=ID,KEY=VALUE...` or a JSON object. With a word
/// `help` or `?` none is made; `help` becomes what there is to know about the type, or about types.
Status add_user_object(std::string_view spec, std::string& help);

/// Is there an object of that id, of whatever type?
bool has_user_object(std::string_view id);

/// The names of the types there are.
std::vector<std::string_view> user_object_types();

} // namespace zoneio
