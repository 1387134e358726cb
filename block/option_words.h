// SPDX-License-Identifier: GPL-3.0-or-later
//
// What may stand in an option string, beside what the rows of the driver table say; for completion.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace zoneio {

/// The keys that every node takes, whatever its driver.
std::span<const std::string_view> node_option_keys();

/// The length of `inject-error.` or `inject-error.0.` at the begin of a key: the group that it is in. 0: in none.
size_t option_group_length(std::string_view key);
/// The keys in a group, by its name with the point, as it stands in the row of the driver.
std::span<const std::string_view> option_group_keys(std::string_view group);

/// The words that an option is set to; empty where it is not one of a few.
std::span<const std::string_view> option_words(std::string_view key);

} // namespace zoneio
