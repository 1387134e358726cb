// SPDX-License-Identifier: GPL-3.0-or-later
//
// reference TEMPLATE FILE VERSION DATE: makes a manual page or a completion file.
//
// Replaces `@NAME ARGUMENT...@` in the template by text made from the program's tables. An unknown name is an error,
// and so is an option that the manual leaves out: the build stops.
#include "shell/reference/tables.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <fstream>
#include <vector>

namespace zoneio {

namespace {

class Template {
public:
    Template(std::string version, std::string date) : version_(std::move(version)), date_(std::move(date)) {}

    /// Replaces the placeholders. Empty after errors, which have been printed with `name`.
    std::optional<std::string> fill(const std::string& name, std::string_view text) {
        std::string filled;
        bool valid = true;
        for (size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@')) {
            const size_t length = placeholder_length(text.substr(at));
            filled.append(text.substr(0, length == 0 ? at + 1 : at));
            if (length > 0) {
                const std::optional<std::string> value = value_of(text.substr(at + 1, length - 2));
                if (!value) {
                    fmt::print(stderr, "{}: nothing is known of {}\n", name, text.substr(at, length));
                    valid = false;
                }
                filled.append(value.value_or(""));
            }
            text.remove_prefix(at + std::max<size_t>(length, 1));
        }
        filled.append(text);
        for (const std::string& missing : manual_.missing()) {
            fmt::print(stderr, "{}: tells nothing of {}\n", name, missing);
            valid = false;
        }
        return valid ? std::optional(filled) : std::nullopt;
    }

private:
    /// Length of the placeholder at the start of `text`, with both `@`; 0 if there is none, as for the `@` in `$@`.
    static size_t placeholder_length(std::string_view text) {
        const size_t end = text.find_first_of("@\n", 1);
        const bool is_closed = end != std::string_view::npos && text[end] == '@';
        return is_closed && end > 1 && text[1] >= 'a' && text[1] <= 'z' ? end + 1 : 0;
    }

    std::optional<std::string> value_of(std::string_view placeholder) {
        if (placeholder == "version") {
            return version_;
        }
        if (placeholder == "date") {
            return date_;
        }
        std::vector<std::string_view> words;
        while (!placeholder.empty()) {
            const size_t end = std::min(placeholder.find(' '), placeholder.size());
            words.push_back(placeholder.substr(0, end));
            placeholder.remove_prefix(std::min(end + 1, placeholder.size()));
        }
        const Placeholder parsed{words.front(), std::span(words).subspan(1)};
        const std::optional<std::string> text = manual_.text(parsed);
        return text ? text : completion_text(parsed);
    }

    std::string version_;
    std::string date_;
    Manual manual_;
};

int run(std::span<char* const> arguments) {
    if (arguments.size() != 5) {
        fmt::print(stderr, "usage: reference TEMPLATE FILE VERSION DATE\n");
        return 1;
    }
    std::ifstream input(arguments[1]);
    const std::string text{std::istreambuf_iterator<char>(input), {}};
    if (!input) {
        fmt::print(stderr, "{}: cannot be read\n", arguments[1]);
        return 1;
    }
    Template page(arguments[3], arguments[4]);
    const std::optional<std::string> filled = page.fill(arguments[1], text);
    if (!filled) {
        return 1;
    }
    std::ofstream output(arguments[2]);
    output << *filled;
    if (!output.flush()) {
        fmt::print(stderr, "{}: cannot be written\n", arguments[2]);
        return 1;
    }
    return 0;
}

} // namespace

} // namespace zoneio

int main(int argc, char** argv) {
    try {
        return zoneio::run({argv, static_cast<size_t>(argc)});
    } catch (const std::exception& error) {
        fputs(error.what(), stderr);
        return 1;
    }
}
