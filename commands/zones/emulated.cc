// SPDX-License-Identifier: GPL-3.0-or-later
//
// zoneio's own commands for emulated zoned devices and new images: create, check, zone_state.
#include "block/base/size.h"
#include "block/create.h"
#include "block/options/options.h"
#include "block/zoned/check.h"
#include "commands/families.h"
#include "commands/image/image_open.h"
#include "commands/parse_options.h"
#include "commands/text/nearest.h"
#include "commands/text/safe_text.h"
#include "commands/text/zone_words.h"

#include <algorithm>
#include <bit>
#include <unistd.h>

namespace zoneio {

namespace {

struct CreateOptions {
    std::optional<std::string> driver; // -f
    Options options;                   // -o
    bool overwrite = false;            // -F
    const char* like = nullptr;        // --like
};

constexpr OptionRow<CreateOptions> create_options[] = {
    {{.letter = 'f', .argument = "DRIVER", .help = "driver: raw or zoned", .fallback = "the driver that file names, else raw", .word = Word::format},
     set_word<&CreateOptions::driver>},
    {{.letter = 'o', .argument = "OPTIONS",
      .help = "options of zoned: zone.size, zone.capacity, zone.conventional_zones, zone.max_open_zones,\n"
              "zone.max_active_zones, zone.max_append_bytes, zone.readonly, zone.offline,\n"
              "logical_block_size",
      .word = Word::create_options},
     take_option_string<&CreateOptions::options>},
    {{.name = "like", .argument = "KIND", .help = "a zoned device like an NVMe SSD (zns), an SMR disk (smr) or Linux's null_blk (null_blk)"},
     set_word<&CreateOptions::like>},
    {{.letter = 'F', .help = "overwrite a file that is not empty; its content is lost"}, set_flag<&CreateOptions::overwrite>},
};

struct LikeKind {
    uint64_t zone_size;        ///< bytes, of a real device
    uint64_t capacity_32nds;   ///< of the zone size
    uint64_t conventional_pct; ///< of the zones
    uint64_t open;             ///< most open zones; 0: no limit
    uint64_t active;
    uint64_t block;            ///< bytes
};

/// Kinds of devices for `create --like`.
constexpr EnumWord<LikeKind> like_words[] = {
    {"zns", {2048ULL << 20, 17, 0, 14, 14, 4096}},
    {"smr", {256ULL << 20, 32, 1, 128, 0, 4096}},
    {"null_blk", {256ULL << 20, 32, 0, 0, 0, 512}},
};

void set_default(Options& options, const char* key, uint64_t value) {
    if (!options.contains(key)) {
        options.set(key, fmt::format("{}", value));
    }
}

/// The zone size in the options; `zone_size` if they have none or an invalid one.
uint64_t zone_size_or(const Options& options, uint64_t zone_size) {
    const OptionValue* const given = options.find("zone.size");
    const std::optional<std::string> text = given != nullptr ? option_text(*given) : std::nullopt;
    uint64_t size = 0;
    const bool is_size = text && parse_option_size("zone.size", *text, size).ok() && size > 0;
    return is_size ? size : zone_size;
}

/// Sets the options of a zoned device of `size` bytes that is like devices of a kind, where `options` do not say otherwise. On a
/// small device the zones are smaller, too, so that there are some. False: there is no such kind.
///
/// `zns`: an NVMe SSD (zones with a capacity below their size, few open and active zones). `smr`: a disk (conventional zones at the
/// start, a limit of open zones). `null_blk`: Linux's null_blk with its defaults (no limits).
bool make_like(std::string_view kind, uint64_t size, Options& options) {
    LikeKind like{};
    if (!parse_enum(like_words, kind, like).ok()) {
        return false;
    }
    constexpr uint64_t fewest_zones = 16;
    constexpr uint64_t smallest_zone = 1U << 20;
    const uint64_t fitting = std::bit_floor(std::max(size / fewest_zones, smallest_zone));
    const uint64_t zone_size = zone_size_or(options, std::min(like.zone_size, fitting));
    const uint64_t zones = size / zone_size;
    set_default(options, "zone.size", zone_size);
    set_default(options, "zone.capacity", zone_size / 32 * like.capacity_32nds);
    set_default(options, "logical_block_size", like.block);
    if (like.conventional_pct != 0) {
        set_default(options, "zone.conventional_zones", std::max<uint64_t>(zones * like.conventional_pct / 100, 1));
    }
    if (like.open != 0) {
        set_default(options, "zone.max_open_zones", like.open);
    }
    if (like.active != 0) {
        set_default(options, "zone.max_active_zones", like.active);
    }
    return true;
}

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
        return session.out().error(fmt::format("create: {}", choices_text("--like takes", parsed.like, offered_words<like_words>)));
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
        record.add("problem", problem.text);
        record.add("repaired", problem.repaired);
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
        session.out().tell_element(ProblemFact{problem});
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
