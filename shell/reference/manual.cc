// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parts of the manual: headings of options, and the commands with their help texts, in roff(7) with the macros of
// man(7).
#include "shell/reference/tables.h"

#include "block/node/driver.h"
#include "block/option_words.h"
#include "commands/command_help.h"
#include "commands/command_table.h"
#include "commands/text/help_text.h"
#include "shell/options/options.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoneio {

namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Escapes text, so that it contains no requests or escapes. A `-` between letters is a hyphen, otherwise a minus that
/// can be copied.
std::string roff(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); i++) {
        const bool in_word = i > 0 && i + 1 < text.size() && is_letter(text[i - 1]) && is_letter(text[i + 1]);
        switch (text[i]) {
        case '\\': out += "\\e"; break;
        case '-': out += in_word ? "-" : "\\-"; break;
        case '\'': out += "\\(aq"; break;
        case '^': out += "\\(ha"; break;
        case '~': out += "\\(ti"; break;
        case '`': out += "\\(ga"; break;
        default: out += text[i];
        }
    }
    return out.starts_with('.') ? "\\&" + out : out;
}

/// Escapes text that is typed literally.
std::string literal(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c == '-' ? "\\-" : roff({&c, 1});
    }
    return out.starts_with('.') ? "\\&" + out : out;
}

std::string bold(std::string_view text) {
    return fmt::format("\\fB{}\\fR", literal(text));
}

std::string italic(std::string_view text) {
    return fmt::format("\\fI{}\\fR", literal(text));
}

/// The arguments of a usage line: literal words in bold, names of values in italics.
std::string arguments_text(std::string_view text) {
    std::string out;
    int depth = 0;
    for (size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (c != '-' && !is_letter(c)) {
            depth += c == '[' ? 1 : c == ']' ? -1 : 0;
            // Text in brackets stays on one line.
            out += c == ' ' && depth > 0 ? "\\ " : std::string(1, c);
            at++;
            continue;
        }
        const size_t end = std::min(text.find_first_not_of("-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", at), text.size());
        const std::string_view word = text.substr(at, end - at);
        const bool is_choice = (end < text.size() && text[end] == '|') || (at > 0 && text[at - 1] == '|');
        out += c == '-' || is_choice ? bold(word) : italic(word);
        at = end;
    }
    return out;
}

/// A command and, after a gap, its explanation.
std::string example_text(std::string_view line) {
    const size_t gap = std::min(line.find("  "), line.size());
    const size_t words = std::min(line.find_first_not_of(' ', gap), line.size());
    const std::string what = words < line.size() ? fmt::format("\n.br\n{}", roff(line.substr(words))) : std::string();
    return fmt::format(".PP\nExample: {}{}\n", bold(line.substr(0, gap)), what);
}

/// The help text of a command with its paragraphs, options and examples formatted.
std::string help_text(std::string_view help) {
    std::string out;
    for (const HelpBlock& block : parse_help(help)) {
        switch (block.kind) {
        case HelpBlock::Kind::paragraph: out += fmt::format(".PP\n{}\n", roff(block.text)); break;
        case HelpBlock::Kind::option:
            out += fmt::format(".TP\n{}\n{}\n", arguments_text(block.tag), roff(block.text));
            break;
        case HelpBlock::Kind::example: out += example_text(block.text); break;
        }
    }
    return out;
}

std::string command_entry(const Command& command) {
    const bool has_short = !command.altname.empty() && command.altname != command.name;
    std::string out = fmt::format(".SS {}\n.SY {}\n", literal(command.name), literal(command.name));
    if (const std::string arguments = usage_arguments(command); !arguments.empty()) {
        out += arguments_text(arguments) + "\n";
    }
    out += fmt::format(".YS\n.PP\n{}{}.\n", static_cast<char>(toupper(command.oneline[0])), roff(command.oneline.substr(1)));
    if (has_short) {
        out += fmt::format("Short: {}.\n", bold(command.altname));
    }
    if (command.is_ours) {
        out += "Not in\n.BR qemu\\-io (1).\n";
    }
    return out + help_text(manual_of(command));
}

std::string command_entries() {
    std::string out;
    for (const Command* command : command_table()) {
        out += command_entry(*command);
    }
    // The line of the template ends here, too.
    out.pop_back();
    return out;
}

/// True for two names of one driver, which have the same keys.
bool have_same_keys(const DriverInfo& a, const DriverInfo& b) {
    return a.option_keys.data() == b.option_keys.data();
}

std::string key_id(const DriverInfo& info, std::string_view key) {
    const std::span<const DriverInfo> table = driver_table();
    const auto first = std::find_if(table.begin(), table.end(), [&](const DriverInfo& other) { return have_same_keys(info, other); });
    return fmt::format("{} of {}", key, first->name);
}

constexpr std::string_view any_driver = "node";

} // namespace

std::optional<std::string> Manual::text(const Placeholder& placeholder) {
    const std::span<const std::string_view> words = placeholder.arguments;
    if (placeholder.name == "option" && words.size() == 1) {
        return option_heading(words[0]);
    }
    if (placeholder.name == "key" && (words.size() == 2 || words.size() == 3)) {
        return key_heading(words[0], words[1], words.size() == 3 ? words[2] : "");
    }
    return placeholder.name == "commands" && words.empty() ? std::optional(command_entries()) : std::nullopt;
}

std::optional<std::string> Manual::option_heading(std::string_view name) {
    for (const ProcessOption& option : process_options()) {
        if (option.name == name) {
            told_options_.insert(option.name);
            const std::string letter = option.letter.empty() ? "" : bold(fmt::format("-{}", option.letter)) + ", ";
            const std::string value = option.value_name.empty() ? "" : italic(option.value_name);
            return fmt::format(".TP\n{}{}{}{}", letter, bold(fmt::format("--{}", option.name)), value.empty() ? "" : " ", value);
        }
    }
    return std::nullopt;
}

std::optional<std::string> Manual::key_heading(std::string_view driver, std::string_view key, std::string_view value_name) {
    const DriverInfo* const info = find_driver(driver);
    const std::span<const std::string_view> keys = driver == any_driver ? node_option_keys()
                                                   : info != nullptr    ? info->option_keys
                                                                        : std::span<const std::string_view>();
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
        return std::nullopt;
    }
    told_keys_.insert(info != nullptr ? key_id(*info, key) : fmt::format("{} of every driver", key));
    const std::span<const std::string_view> words = option_words(key);
    const std::string value = words.empty() ? italic(value_name) : arguments_text(fmt::format("{}", fmt::join(words, "|")));
    return fmt::format(".TP\n{}{}", bold(fmt::format("{}{}", key, key.ends_with('.') ? "" : "=")), value);
}

std::set<std::string> Manual::missing() const {
    std::set<std::string> missing;
    for (const ProcessOption& option : process_options()) {
        if (!told_options_.empty() && !told_options_.contains(option.name)) {
            missing.insert("--" + option.name);
        }
    }
    const auto add_key = [&](const std::string& id) {
        if (!told_keys_.empty() && !told_keys_.contains(id)) {
            missing.insert(id);
        }
    };
    for (const std::string_view key : node_option_keys()) {
        add_key(fmt::format("{} of every driver", key));
    }
    for (const DriverInfo& info : driver_table()) {
        for (const std::string_view key : info.option_keys) {
            add_key(key_id(info, key));
        }
    }
    return missing;
}

} // namespace zoneio
