// SPDX-License-Identifier: GPL-3.0-or-later
//
// Causes of failures to parse the words of a command.
#include "commands/arguments.h"
#include "commands/command_table.h"
#include "commands/image/image_open.h"
#include "commands/text/nearest.h"
#include "commands/why/why.h"

#include <algorithm>

namespace zoneio {

namespace {

std::string usage_of(const Command& command) {
    return usage_line(command, command.name);
}

std::string help_for(const Evidence& evidence) {
    const Command* const command = evidence.failure().command;
    return command != nullptr ? fmt::format("help {}", command->name) : "help";
}

Explanation explain_unknown_command(Evidence& evidence) {
    const std::string& word = evidence.failure().word;
    const std::vector<std::string_view> names = command_names();
    Explanation explanation{fmt::format("unknown command '{}'", word), {}, "help"};
    if (const std::string nearest = nearest_text(word, names); !nearest.empty()) {
        explanation.more.push_back(fmt::format("did you mean {}?", nearest));
        explanation.repair = fmt::format("help {}", nearest_words(word, names).front());
    }
    return explanation;
}

Explanation explain_no_image(Evidence& evidence) {
    const Command* const command = evidence.failure().command;
    return {fmt::format("{} requires an open image", command != nullptr ? command->name : "the command"),
            {"'open FILE' opens an image; 'open -o driver=zoned,size=64M,zone.size=4M' opens a zoned device in memory."},
            "help open"};
}

Explanation explain_already_open(Evidence& /*evidence*/) {
    return {"an image is already open; only one can be open at a time", {"'close' waits for requests in flight and closes it."}, "close"};
}

Explanation explain_words(Evidence& evidence) {
    const Command& command = *evidence.failure().command;
    Explanation explanation{evidence.is(FailureKind::word_count)
                                ? fmt::format("wrong number of words for {}", command.name)
                                : fmt::format("wrong options or operands for {}", command.name),
                            {usage_of(command)},
                            help_for(evidence)};
    if (command.name == "zone_append" && evidence.is(FailureKind::word_count)) {
        explanation.more.emplace_back("The command must have three or four words, as in qemu-io: 'zap -p 0 4k', 'zap 0 4k 4k'.");
    }
    return explanation;
}

/// What is wrong with a word as a size.
std::string size_problem(std::string_view word) {
    const size_t digits = std::min(word.find_first_not_of("0123456789."), word.size());
    if (word.starts_with("0x") || word.starts_with("0X")) {
        return "a hexadecimal number has neither a suffix nor a fraction";
    }
    if (digits == 0) {
        return "it does not start with a digit";
    }
    const std::string_view rest = word.substr(digits);
    if (rest == "z" || rest == "Z" || rest.starts_with("z+") || rest.starts_with("z-")) {
        return "zone addresses (5z, 5z+wp) require an open zoned device, and an offset or a length";
    }
    return rest.empty() ? "it has two points" : fmt::format("'{}' is not a suffix", rest);
}

bool is_number_with_reason(Evidence& evidence) {
    return evidence.is(FailureKind::number) && evidence.failure().status.has_text();
}
Explanation explain_number_with_reason(Evidence& evidence) {
    const Failure& failure = evidence.failure();
    return {fmt::format("'{}': {}", failure.word, failure.status.message()),
            {"5z is the start of zone 5, 5z+4k is 4 KiB after it, 5z+wp is its write pointer, wp is the write pointer of the last zone used."},
            "zone_list"};
}

template <int Errno>
bool is_number_errno(Evidence& evidence) {
    return evidence.is(FailureKind::number) && evidence.code() == Errno;
}
Explanation explain_number_too_large(Evidence& evidence) {
    const std::string& word = evidence.failure().word;
    return {word.starts_with('-') ? fmt::format("'{}' is negative; offsets and lengths cannot be", word)
                                  : fmt::format("'{}' is too large; an offset or length is at most 2^63-1", word)};
}

Explanation explain_request_too_large(Evidence& evidence) {
    return {fmt::format("'{}' makes the request too large", evidence.failure().word),
            {fmt::format("One request transfers at most {} bytes (2 GiB minus one sector).", max_request_bytes)}};
}

Explanation explain_number(Evidence& evidence) {
    const std::string& word = evidence.failure().word;
    return {fmt::format("'{}' is not an offset, length or count: {}", word, size_problem(word)),
            {"A size is a decimal number, perhaps with a fraction and a suffix (b k m g t p e, powers of 1024), or a "
             "hexadecimal number.",
             "Examples: 4096, 4k, 1.5M, 0x1000; on a zoned device also 5z, 5z+4k, 5z+wp."},
            help_for(evidence)};
}

Explanation explain_pattern(Evidence& evidence) {
    return {fmt::format("'{}' is not a byte", evidence.failure().word),
            {"A pattern is a number from 0 to 255: 90, 0x5a, 0132."},
            help_for(evidence)};
}

Explanation explain_mode(Evidence& evidence) {
    struct Modes {
        std::string_view option;
        std::span<const std::string_view> words;
    };
    static constexpr Modes known[] = {
        {"cache", offered_words<cache_mode_words>},
        {"discard", offered_words<discard_mode_words>},
        {"aio", offered_words<aio_mode_words>},
    };
    const Failure& failure = evidence.failure();
    Explanation explanation{fmt::format("'{}' is not a mode of {}", failure.word, failure.option), {}, help_for(evidence)};
    for (const Modes& modes : known) {
        if (modes.option == failure.option) {
            explanation.more.push_back(choices_text("Known modes:", failure.word, modes.words));
        }
    }
    return explanation;
}

constexpr CauseRow words_table[] = {
    {"unknown-command", is_kind<FailureKind::unknown_command>, explain_unknown_command},
    {"no-image", is_kind<FailureKind::no_image>, explain_no_image},
    {"already-open", is_kind<FailureKind::already_open>, explain_already_open},
    {"word-count", is_kind<FailureKind::word_count>, explain_words},
    {"usage", is_kind<FailureKind::usage>, explain_words},
    {"bad-zone-address", is_number_with_reason, explain_number_with_reason},
    {"number-too-large", is_number_errno<ERANGE>, explain_number_too_large},
    {"request-too-large", is_number_errno<E2BIG>, explain_request_too_large},
    {"bad-number", is_kind<FailureKind::number>, explain_number},
    {"bad-pattern", is_kind<FailureKind::pattern>, explain_pattern},
    {"bad-mode", is_kind<FailureKind::mode>, explain_mode},
};

} // namespace

std::span<const CauseRow> word_causes() {
    return words_table;
}

} // namespace zoneio
