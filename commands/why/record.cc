// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/why/record.h"

#include "commands/text/safe_text.h"
#include "commands/text/terminal.h"
#include "commands/text/wrapping.h"
#include "commands/zones/record.h"

#include <unistd.h>

namespace zoneio {

namespace {

std::optional<std::string> if_any(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

void add_zone_in_question(JsonRecord& record, const ZonePart& part) {
    record.begin_object("zone");
    add_numbered_zone(record, part.number, part.zone);
    record.end();
}

void add_mismatch(JsonRecord& record, const DataMismatch& mismatch) {
    record.begin_object("mismatch");
    record.add("offset", mismatch.offset);
    record.add("bytes", mismatch.bytes);
    record.add("found", uint64_t{mismatch.found});
    record.add("expected", uint64_t{mismatch.expected});
    record.add("compared_offset", mismatch.compared_offset);
    record.add("compared_bytes", mismatch.compared_bytes);
    record.end();
}

void add_limit(JsonRecord& record, Evidence& evidence, bool active) {
    const ZoneTally& tally = evidence.holders().tally;
    record.begin_object("limit");
    record.add("kind", active ? "active" : "open");
    record.add("max", uint64_t{active ? evidence.limits().max_active_zones : evidence.limits().max_open_zones});
    record.add("implicit_open", tally.in(ZoneState::implicit_open));
    record.add("explicit_open", tally.in(ZoneState::explicit_open));
    record.add("closed", tally.in(ZoneState::closed));
    record.end();
}

/// Adds the first of the zones that are open or active.
void add_holders(JsonRecord& record, const ZoneHolders& holders) {
    const auto add = [&](ZoneState state, const ZoneNumbers& zones) {
        for (const ZoneNumbers::Run& run : zones.runs()) {
            record.begin_element();
            record.add("state", state_name(state));
            record.add("first", run.first);
            record.add("last", run.last);
            record.end();
        }
    };
    record.begin_list("holders");
    add(ZoneState::explicit_open, holders.explicitly);
    add(ZoneState::implicit_open, holders.implicit);
    add(ZoneState::closed, holders.closed);
}

} // namespace

std::vector<std::string> explanation_lines(const Explanation& explanation, int fd) {
    constexpr size_t hanging = 4;
    std::vector<std::string> lines;
    const auto add = [&](std::string_view indent, std::string_view line) {
        lines.push_back(wrapped(for_terminal(fd, fmt::format("{}{}", indent, line)), line_columns(fd), hanging));
    };
    add("", explanation.first);
    for (const std::string& line : explanation.more) {
        add("  ", line);
    }
    return lines;
}

void WhyFact::text(Reporter& out) const {
    for (const std::string& line : explanation_lines(explanation, STDOUT_FILENO)) {
        out.print("{}\n", line);
    }
    if (explanation.repair.empty()) {
        return;
    }
    // A command stays on one line, so that it can be copied.
    const std::string repair = for_terminal(STDOUT_FILENO, fmt::format("  Try: {}", explanation.repair));
    const std::string note = explanation.note.empty() ? "" : fmt::format("    ({})", explanation.note);
    const bool fits = repair.size() + note.size() <= line_columns(STDOUT_FILENO);
    out.print("{}{}{}\n", repair, fits || note.empty() ? "" : "\n", note);
}

void WhyFact::json(JsonRecord& record) const {
    record.add("failed", if_any(evidence.failure().line));
    record.add("cause", explanation.cause);
    record.add("explanation", explanation.first);
    record.begin_list("details");
    for (const std::string& line : explanation.more) {
        record.add_element(line);
    }
    record.add("repair", if_any(explanation.repair));
    record.add("repair_note", if_any(explanation.note));
    if (const ZonePart* const part = evidence.part()) {
        add_zone_in_question(record, *part);
    }
    if (evidence.is(FailureKind::mismatch)) {
        add_mismatch(record, *evidence.failure().mismatch);
    }
    const bool is_active = explanation.cause == active_limit_cause;
    if (is_active || explanation.cause == open_limit_cause) {
        add_limit(record, evidence, is_active);
        add_holders(record, evidence.holders());
    }
}

void NothingFailedFact::text(Reporter& out) const {
    out.print("Nothing has failed so far.\n");
}

void NothingFailedFact::json(JsonRecord& record) const {
    record.add("cause", nullptr);
}

} // namespace zoneio
