// SPDX-License-Identifier: GPL-3.0-or-later
//
// Keys and words of options that the driver table does not list; used for completion.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace zoneio {

/// The keys that every node accepts.
std::span<const std::string_view> node_option_keys();

/// Length of the group at the start of a key, `inject-error.` or `inject-error.0.`; 0 if the key is in no group.
size_t option_group_length(std::string_view key);
/// The keys of a group. `group` is its name with the dot, as in the driver's row.
std::span<const std::string_view> option_group_keys(std::string_view group);

/// The words that an option accepts; empty if it accepts other values.
std::span<const std::string_view> option_words(std::string_view key);

} // namespace zoneio
