// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace zoneio {

/// True if an object of any type has this id.
bool has_user_object(std::string_view id);

/// Gives the id to an object. False if another one has it.
bool take_object_id(const std::string& id);

} // namespace zoneio
