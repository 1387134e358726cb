// SPDX-License-Identifier: GPL-3.0-or-later
//
// What may stand in an option string, beside what the rows of the driver table say; for completion.
#pragma once

#include <span>
#include <string_view>

namespace zoneio {

/// The keys that every node takes, whatever its driver.
std::span<const std::string_view> node_option_keys();

/// The words that an option is set to; empty where it is not one of a few.
std::span<const std::string_view> option_words(std::string_view key);

} // namespace zoneio
