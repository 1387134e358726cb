// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/status.h"

#include <string>
#include <string_view>

namespace zoneio {

/// Makes an object that drivers refer to by its id (--object): `TYPE,id=ID,KEY=VALUE...` or a JSON object.
Status add_user_object(std::string_view spec);

/// The types there are, one a line, with a heading.
std::string user_object_help();

} // namespace zoneio
