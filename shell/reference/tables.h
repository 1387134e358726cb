// SPDX-License-Identifier: GPL-3.0-or-later
//
// Values of `@NAME ARGUMENT...@` in the templates of the manual and the completion files.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace zoneio {

/// A placeholder in a template. Its arguments are words.
struct Placeholder {
    std::string_view name;
    std::span<const std::string_view> arguments;
};

/// Makes the parts of the manual, and records which options have got a heading.
class Manual {
public:
    /// The text for a placeholder, in roff(7). Empty if the placeholder or its argument is unknown.
    std::optional<std::string> text(const Placeholder& placeholder);
    /// Options of the process or of drivers that the manual should have and lacks. Only kinds of which it has at least
    /// one are checked.
    std::set<std::string> missing() const;

private:
    std::optional<std::string> option_heading(std::string_view name);
    std::optional<std::string> key_heading(std::string_view driver, std::string_view key, std::string_view value_name);

    std::set<std::string> told_options_;
    std::set<std::string> told_keys_;
};

/// The text for a placeholder in a completion file of bash(1) or zsh(1). Empty if it is unknown.
std::optional<std::string> completion_text(const Placeholder& placeholder);

} // namespace zoneio
