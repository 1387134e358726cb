// SPDX-License-Identifier: GPL-3.0-or-later
//
// zoneio's own commands for emulated zoned devices and new images: create, check, zone_state.
#include "block/base/size.h"
#include "block/create.h"
#include "block/zoned/check.h"
#include "commands/families.h"
#include "commands/image/image_open.h"
#include "commands/parse_options.h"
#include "commands/text/nearest.h"
#include "commands/text/safe_text.h"
#include "commands/text/zone_words.h"
#include "commands/zones/like.h"

#include <unistd.h>

namespace zoneio {

namespace {

struct CreateOptions {
    std::optional<std::string> driver; // -f
    Options options;                   // -o
    bool overwrite = false;            // -F
    const char* like = nullptr;        // --like
};

OptionStep take_create_options(const GivenOption& given, CreateOptions& parsed) {
    return take_option_string(given, parsed.options);
}

constexpr OptionRow<CreateOptions> create_options[] = {
    {{.letter = 'f', .argument = "DRIVER", .help = "driver: raw or zoned", .fallback = "the driver that file names, else raw", .word = Word::format},
     set_word<&CreateOptions::driver>},
    {{.letter = 'o', .argument = "OPTIONS",
      .help = "options of zoned: zone.size, zone.capacity, zone.conventional_zones, zone.max_open_zones,\n"
              "zone.max_active_zones, zone.max_append_bytes, zone.readonly, zone.offline,\n"
              "logical_block_size",
      .word = Word::create_options},
     take_create_options},
    {{.name = "like", .argument = "KIND", .help = "a zoned device like an NVMe SSD (zns), an SMR disk (smr) or Linux's null_blk (null_blk)"},
     set_word<&CreateOptions::like>},
    {{.letter = 'F', .help = "overwrite a file that is not empty; its content is lost"}, set_flag<&CreateOptions::overwrite>},
};

/// At a terminal only: scripts expect no output.
void tell_created(Session& session, const char* name, uint64_t size, bool zoned) {
    if (session.out().is_json() || isatty(STDOUT_FILENO) == 0) {
        return;
    }
    session.out().print("made '{}': a {} of {}; {}\n", for_terminal(STDOUT_FILENO, name), zoned ? "zoned device" : "raw image",
                        format_size(size),
                        zoned ? fmt::format("'open -n {}' opens it", for_terminal(STDOUT_FILENO, name))
                              : std::string("'create --like zns' makes a zoned device"));
}

Outcome run_create(Session& session, const Command& command, CreateOptions& parsed, std::span<char*> operands) {
    if (operands.size() != 2) {
        return usage_error(session, command);
    }
    const std::optional<int64_t> size = parse_size_argument(session, operands[1]);
    if (!size) {
        return Outcome::failed;
    }
    if (parsed.like != nullptr && !make_like(parsed.like, static_cast<uint64_t>(*size), parsed.options)) {
        return session.out().error(fmt::format("create: {}", choices_text("--like takes", parsed.like, like_words())));
    }
    if (parsed.like != nullptr && parsed.driver.value_or("zoned") != "zoned") {
        return session.out().error("create: --like makes a zoned device, and -f asks for something else");
    }
    parsed.driver = parsed.like != nullptr ? "zoned" : parsed.driver;
    std::optional<NamedFile> file = parse_image_file(session, operands[0]);
    if (!file) {
        return Outcome::failed;
    }
    const bool zoned = parsed.driver ? *parsed.driver == "zoned" : file->is_zoned;
    const Status status = create_image(parsed.driver, *file, static_cast<uint64_t>(*size),
                                       std::move(parsed.options), parsed.overwrite);
    if (!status.ok()) {
        return session.out().error({FailureKind::open, operands[0]}, status);
    }
    tell_created(session, operands[0], static_cast<uint64_t>(*size), zoned);
    return Outcome::ok;
}

/// A problem of a file.
struct ProblemFact {
    const ZonedCheck::Problem& problem;

    void text(Reporter& out) const { out.print("{}{}\n", problem.text, problem.repaired ? " (repaired)" : ""); }
    void json(JsonRecord& record) const {
        record.begin_element();
        record.add("problem", problem.text);
        record.add("repaired", problem.repaired);
        record.end();
    }
};

/// Result of a check. In text mode, remaining problems are reported as an error instead.
struct CheckedFact {
    uint64_t found;
    uint64_t repaired;

    void text(Reporter& out) const {
        if (found == 0) {
            out.print("No errors were found.\n");
        } else if (repaired == found) {
            out.print("Errors found: {}, repaired: {}.\n", found, repaired);
        }
    }
    void json(JsonRecord& record) const {
        record.add("found", found);
        record.add("repaired", repaired);
    }
};

/// The file of the open emulated device. Empty if there is none, after an error.
std::optional<NamedFile> open_zoned_file(Session& session) {
    std::string filename = session.is_open() ? session.backend().file_of("zoned") : std::string();
    if (!filename.empty()) {
        return NamedFile(std::move(filename));
    }
    session.out().error("check: name a file, or open an emulated zoned device in a file");
    return std::nullopt;
}

struct CheckOptions {
    bool repair = false; // -r
};

constexpr OptionRow<CheckOptions> check_options[] = {
    {{.letter = 'r',
      .help = "repair what can be repaired; a zone whose content is unknown goes offline"},
     set_flag<&CheckOptions::repair>},
};

Outcome run_check(Session& session, const Command& command, const CheckOptions& options, std::span<char*> operands) {
    const bool repair = options.repair;
    if (operands.size() > 1 || (operands.empty() && repair)) {
        return usage_error(session, command);
    }
    const std::optional<NamedFile> file = operands.empty() ? open_zoned_file(session) : parse_image_file(session, operands[0]);
    if (!file) {
        return Outcome::failed;
    }
    const std::string& filename = file->filename;
    const Result<ZonedCheck> result = check_zoned_file(*file, repair, operands.empty());
    if (!result.ok()) {
        return session.out().error(result.status(), fmt::format("cannot check '{}': {}", filename, result.status().message()));
    }
    session.out().begin_list("problems");
    for (const ZonedCheck::Problem& problem : result->problems) {
        session.out().tell(ProblemFact{problem});
    }
    session.out().tell(CheckedFact{result->found, result->repaired});
    if (result->left() == 0) {
        return Outcome::ok;
    }
    const std::string sum = fmt::format("Errors found: {}, repaired: {}.", result->found, result->repaired);
    return session.out().fail(Status::error(EUCLEAN, sum), "{}\n", sum);
}

Outcome run_zone_state(Session& session, const Command& command, CommandLine line) {
    const std::optional<RangeArgument> asked = parse_range(session, line.argv[1], line.argv[2]);
    if (!asked) {
        return Outcome::failed;
    }
    ZoneState state{};
    if (!parse_enum(settable_state_words, line.argv[3], state).ok()) {
        return usage_error(session, command);
    }
    const Status status = session.backend().execute(Request::set_zone_state(asked->offset, asked->length, state));
    if (!status.ok()) {
        return session.out().fail_explained("zone state", status);
    }
    return Outcome::ok;
}

} // namespace

constexpr Command zoned_commands[] = {
    {.name = "check", .run = with_options<check_options, run_check>,
     .argmax = 2, .waits_for_aio = true, .is_ours = true,
     .operands = "[file]",
     .oneline = "check the file of an emulated zoned device",
     .help =
         "Checks the header, zone table and limits of the open device, or of the device in file.\n"
         "\n"
         "Example: check -r disk.zoned    repair a file that is not in use\n",
     .options = option_table<check_options>(), .words = {Word::file}},
    {.name = "create", .run = with_options<create_options, run_create>,
     .argmin = 2, .argmax = -1, .is_ours = true,
     .operands = "file size",
     .oneline = "create an image",
     .help =
         "Creates an image of size bytes without opening it. file is a name as for open: zoned:disk.zoned is a zoned device.\n"
         "\n"
         "Example: create --like zns disk.zoned 1G\n"
         "         create -f zoned -o zone.size=4M,zone.max_open_zones=8 disk.zoned 1G\n",
     .options = option_table<create_options>(), .words = {Word::file, Word::length}},
    {.name = "zone_state", .altname = "zcond", .run = run_zone_state,
     .argmin = 3, .argmax = 3, .needs_image = true, .waits_for_aio = true, .is_ours = true,
     .operands = "offset len readonly|offline|empty",
     .oneline = "set zones of an emulated device read-only, offline or empty",
     .help =
         "Puts zones into a state that they enter on real devices when the medium fails. readonly: writes fail, and the\n"
         "unwritten rest reads as zeros. offline: reads fail too. empty: takes the zones back; their data is lost.\n"
         "\n"
         "Example: zone_state 8M 4M offline\n",
     .words = {Word::offset, Word::length, Word::zone_state}},
};

} // namespace zoneio
