// SPDX-License-Identifier: GPL-3.0-or-later
//
// reference TEMPLATE FILE VERSION DATE: makes a page of the manual, or a completion file.
//
// `@NAME ARGUMENT...@` in the template is replaced by what the tables of the program say. A name that nothing is
// known of is an error, and so is a page of the manual that leaves out an option: the build ends there.
#include "shell/reference/tables.h"

#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <vector>

namespace zoneio {

namespace {

class Template {
public:
    Template(std::string version, std::string date) : version_(std::move(version)), date_(std::move(date)) {}

    /// Nothing after errors, which were told; `name` is for them.
    std::optional<std::string> fill(const std::string& name, const std::string& text) {
        static const std::regex placeholder("@([a-z_]+)((?: [^@\\s]+)*)@");
        std::string filled;
        bool valid = true;
        auto rest = text.cbegin();
        for (std::sregex_iterator match(text.begin(), text.end(), placeholder), end; match != end; ++match) {
            const std::optional<std::string> value = value_of((*match)[1], (*match)[2]);
            if (!value) {
                fmt::print(stderr, "{}: nothing is known of {}\n", name, match->str());
                valid = false;
            }
            filled.append(rest, (*match)[0].first).append(value.value_or(""));
            rest = (*match)[0].second;
        }
        filled.append(rest, text.cend());
        for (const std::string& missing : manual_.missing()) {
            fmt::print(stderr, "{}: tells nothing of {}\n", name, missing);
            valid = false;
        }
        return valid ? std::optional(filled) : std::nullopt;
    }

private:
    std::optional<std::string> value_of(const std::string& name, const std::string& arguments) {
        if (name == "version") {
            return version_;
        }
        if (name == "date") {
            return date_;
        }
        std::istringstream stream(arguments);
        const std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
        const std::vector<std::string_view> views(words.begin(), words.end());
        const std::optional<std::string> text = manual_.text({name, views});
        return text ? text : completion_text({name, views});
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
