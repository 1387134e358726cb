// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/text/safe_text.h"

#include "block/base/status.h"
#include "block/base/utf8.h"
#include "commands/text/print.h"

#include <cerrno>
#include <getopt.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// True for the control characters C0 and C1 of ISO 6429.
bool is_control(char32_t code) {
    return (code < 0x20 && code != '\n' && code != '\t') || (code >= 0x7f && code < 0xa0);
}

} // namespace

std::string for_terminal(int fd, std::string_view text) {
    if (isatty(fd) == 0) {
        return std::string(text);
    }
    std::string shown;
    while (!text.empty()) {
        const std::optional<Utf8Character> character = first_character(text);
        const bool is_safe = character && !is_control(character->code);
        const size_t length = is_safe ? character->length : 1;
        shown += is_safe ? std::string(text.substr(0, length))
                         : fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
        text.remove_prefix(length);
    }
    return shown;
}

std::string getopt_complaint(std::string_view options) {
    const auto letter = static_cast<char>(optopt);
    const bool is_known = letter != ':' && options.find(letter) != std::string_view::npos;
    return fmt::format("{} -- '{}'", is_known ? "option requires an argument" : "invalid option", letter);
}

void print_error_line(std::string_view prefix, std::string_view separator, std::string_view text) {
    print_to(stderr, "{}\n", for_terminal(STDERR_FILENO, fmt::format("{}{}{}", prefix, separator, text)));
}

void print_lost_output(std::string_view program, int error) {
    if (error != EPIPE) {
        print_error_line(program, ": ", fmt::format("cannot write to standard output: {}", Status::from_errno(error).message()));
    }
}

} // namespace zoneio
