// SPDX-License-Identifier: GPL-3.0-or-later
//
// What stands for `@NAME ARGUMENT...@` in the templates of the manual and the completion files.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace zoneio {

/// A reference within a template; arguments are words.
struct Placeholder {
    std::string_view name;
    std::span<const std::string_view> arguments;
};

/// The headings of the manual, and which of the options that should have one were given it.
class Manual {
public:
    /// In roff(7). Nothing where there is no such placeholder, or nothing of that name to tell about.
    std::optional<std::string> text(const Placeholder& placeholder);
    /// What the manual should tell of and does not: options of the process, or of drivers, when there was one of the kind.
    std::set<std::string> missing() const;

private:
    std::optional<std::string> option_heading(std::string_view name);
    std::optional<std::string> key_heading(std::string_view driver, std::string_view key, std::string_view value_name);

    std::set<std::string> told_options_;
    std::set<std::string> told_keys_;
};

/// Words and code for bash(1) and zsh(1). Nothing where there is no such placeholder.
std::optional<std::string> completion_text(const Placeholder& placeholder);

} // namespace zoneio
