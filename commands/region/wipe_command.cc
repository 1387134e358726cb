// SPDX-License-Identifier: GPL-3.0-or-later
//
// The command wipe: operands, questions and reports.
#include "block/host/device_facts.h"
#include "commands/families.h"
#include "commands/parse_options.h"
#include "commands/region/wipe.h"
#include "commands/text/safe_text.h"
#include "commands/text/stopwatch.h"
#include "commands/text/zone_words.h"

namespace zoneio {

namespace {

struct WipeOptions {
    std::optional<WipeMode> mode;
    bool many_modes = false;
    bool verify = false;  // --verify
    bool dry_run = false; // -n
    bool yes = false;     // -y
    bool quiet = false;   // -q
};

template <WipeMode Mode>
OptionStep take_mode(const GivenOption& /*given*/, WipeOptions& parsed) {
    parsed.many_modes = parsed.many_modes || (parsed.mode && *parsed.mode != Mode);
    parsed.mode = Mode;
    return OptionStep::next;
}

constexpr OptionRow<WipeOptions> wipe_options[] = {
    {{.name = "zero", .help = "it then reads as zeros; old data may remain on the medium", .fallback = "so without another mode"},
     take_mode<WipeMode::zero>},
    {{.name = "discard", .help = "discard the range: the device may drop the data"}, take_mode<WipeMode::discard>},
    {{.name = "random", .help = "write random bytes"}, take_mode<WipeMode::random>},
    {{.name = "secure", .help = "write random bytes, then zeros, and flush after each"}, take_mode<WipeMode::secure>},
    {{.name = "verify", .help = "read everything back"}, set_flag<&WipeOptions::verify>},
    {{.letter = 'n', .name = "dry-run", .help = "only show what would be done"}, set_flag<&WipeOptions::dry_run>},
    {{.letter = 'y', .name = "yes", .help = "do not ask"}, set_flag<&WipeOptions::yes>},
    {{.letter = 'q', .help = "no report"}, set_flag<&WipeOptions::quiet>},
};

std::string_view mode_text(WipeMode mode) {
    switch (mode) {
    case WipeMode::zero: return "overwritten with zeros";
    case WipeMode::discard: return "discarded";
    case WipeMode::random: return "overwritten with random bytes";
    case WipeMode::secure: break;
    }
    return "overwritten with random bytes, then with zeros";
}

/// `8 zones at offset 0 are reset`
std::string part_text(Session& session, WipeMode mode, const WipePart& part, std::string_view verb) {
    if (!part.reset) {
        return fmt::format("{} at offset {} {} {}", bytes_text(part.region.length), part.region.offset, verb, mode_text(mode));
    }
    const uint64_t zone_size = session.backend().limits().zone_size;
    const uint64_t zones = (part.region.length + zone_size - 1) / zone_size;
    return fmt::format("{} at offset {} {} reset", zones_text(zones), place_text(session, part.region.offset), verb);
}

/// The name of the image, and its disk.
std::string image_text(Session& session) {
    const std::string name = session.backend().filename();
    if (name.empty()) {
        return fmt::format("an image of {}", session.backend().format().name);
    }
    return device_facts(name).text(name);
}

/// Output of a dry run.
struct PlanFact {
    Session& session;
    WipeMode mode;
    std::span<const WipePart> parts;

    void text(Reporter& out) const {
        out.print("{}\n", image_text(session));
        for (const WipePart& part : parts) {
            out.print("{}\n", part_text(session, mode, part, "would be"));
        }
    }
    void json(JsonRecord& record) const {
        record.begin_list("plan");
        for (const WipePart& part : parts) {
            record.begin_element();
            record.add("offset", part.region.offset);
            record.add("bytes", part.region.length);
            record.add("action", part.reset ? std::string_view("reset") : mode_name());
            record.end();
        }
    }

private:
    std::string_view mode_name() const {
        static constexpr std::string_view names[] = {"zero", "discard", "random", "secure"};
        return names[static_cast<size_t>(mode)];
    }
};

struct VerifiedFact {
    void text(Reporter& out) const { out.write("verified\n"); }
    void json(JsonRecord& record) const { record.add("verified", true); }
};

/// Asks the user, but only at a terminal.
bool may_wipe(Session& session, WipeMode mode, std::span<const WipePart> parts) {
    if (session.guard != Guard::ask || session.ask == nullptr) {
        return true;
    }
    constexpr size_t most_lines = 10;
    session.out().flush();
    print_error_line({}, {}, image_text(session));
    for (const WipePart& part : parts.first(std::min(parts.size(), most_lines))) {
        print_error_line("  ", "", part_text(session, mode, part, "will be"));
    }
    if (parts.size() > most_lines) {
        print_error_line("  ", "", fmt::format("and {} more parts", parts.size() - most_lines));
    }
    return session.confirm("Its data is lost. Wipe it?");
}

Outcome report_failure(Session& session, const Command& command, const Wipe& wipe, const Region& region, Status status) {
    if (was_interrupted(status)) {
        return session.out().interrupted("wipe", region.offset, std::min(wipe.done(), region.length), region.length);
    }
    const std::string text = fmt::format("{}; {} were done before", status.message(), bytes_text(wipe.done()));
    return command_failed(session, command, std::move(status).with_text(text));
}

Outcome do_wipe(Session& session, const Command& command, const WipeOptions& options, const Region& region,
                std::vector<WipePart> parts, WipeMode mode) {
    const Stopwatch watch(!options.quiet);
    Wipe wipe(session, mode, std::move(parts));
    Status status = wipe.run();
    if (!status.ok()) {
        return report_failure(session, command, wipe, region, std::move(status));
    }
    if (!options.quiet) {
        session.out().request({"wiped", region.offset, region.length, watch.elapsed()}, false);
    }
    if (options.verify) {
        status = wipe.verify();
        if (status.code() == EILSEQ) {
            return command_failed(session, command, status);
        }
        if (!status.ok()) {
            return report_failure(session, command, wipe, region, std::move(status));
        }
        session.out().tell(VerifiedFact());
    }
    return Outcome::ok;
}

Outcome run_wipe(Session& session, const Command& command, const WipeOptions& options, std::span<char*> operands) {
    if (operands.empty() || options.many_modes) {
        return usage_error(session, command);
    }
    const std::optional<Region> region = parse_region(session, command, operands, 0);
    if (!region) {
        return Outcome::failed;
    }
    if (region->length == 0) {
        return usage_error(session, command);
    }
    const WipeMode mode = options.mode.value_or(WipeMode::zero);
    Result<std::vector<WipePart>> parts = wipe_parts(session, mode, *region);
    if (!parts.ok()) {
        return long_command_failed(session, command, parts.status());
    }
    if (options.dry_run) {
        session.out().tell(PlanFact{session, mode, *parts});
        return Outcome::ok;
    }
    if (const Status status = session.backend().require(Permissions::write); !status.ok()) {
        return command_failed(session, command, status);
    }
    if (!options.yes && !may_wipe(session, mode, *parts)) {
        return command_failed(session, command, Status::error(ECANCELED, "nothing was wiped, because you did not answer yes"));
    }
    return do_wipe(session, command, options, *region, std::move(*parts), mode);
}

} // namespace

constexpr Command wipe_commands[] = {
    {.name = "wipe", .run = with_options<wipe_options, run_wipe>,
     .argmin = 1, .argmax = -1, .needs_image = true, .waits_for_aio = true, .is_ours = true,
     .operands = "(off len | all)",
     .oneline = "overwrite a range of the image",
     .help =
         "Overwrites LEN bytes at offset OFF, or the whole image, with zeros. At a terminal, asks first. Sequential zones\n"
         "are reset in every mode; 'wipe 5z' wipes one zone. Flushes at the end.\n"
         "\n"
         "Example: wipe --zero --verify 0 1M\n",
     .notes =
         "No mode reaches blocks that a drive such as an SSD keeps in reserve. For these, use the drive's own command (nvme\n"
         "format, hdparm --security-erase, blkdiscard --secure).\n",
     .options = option_table<wipe_options>(), .words = range_words},
};

} // namespace zoneio
