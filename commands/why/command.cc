// SPDX-License-Identifier: GPL-3.0-or-later
//
// The command `why`, and explanations beside the failures themselves.
#include "commands/families.h"
#include "commands/text/safe_text.h"
#include "commands/text/terminal.h"
#include "commands/text/wrapping.h"
#include "commands/why/why.h"
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

/// The answer of `why` about a failure.
struct WhyFact {
    Evidence& evidence;
    const Explanation& explanation;

    void text(Reporter& out) const {
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
    void json(JsonRecord& record) const {
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
};

/// The answer of `why` if nothing has failed.
struct NothingFailedFact {
    void text(Reporter& out) const { out.print("Nothing has failed so far.\n"); }
    void json(JsonRecord& record) const { record.add("cause", nullptr); }
};

/// With breakpoints, a request may end while the device is being read, and start another explanation.
bool may_ask(Session& session, const Failure& failure) {
    return !failure.line.empty() || !session.is_open() || !session.backend().orders_completions();
}

Outcome run_why(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    const Failure* const failure = session.failures().last();
    if (failure == nullptr) {
        session.out().tell(NothingFailedFact{});
        return Outcome::ok;
    }
    Evidence evidence(session, *failure);
    const Explanation explanation = explain(evidence);
    session.out().tell(WhyFact{evidence, explanation});
    return Outcome::ok;
}

} // namespace

constexpr Command why_commands[] = {
    {.name = "why", .run = run_why,
     .waits_for_aio = true, .is_ours = true,
     .oneline = "explain the last failure",
     .help =
         "Shows why the last command or asynchronous request failed: the rule, the state of the zone or file now, and a\n"
         "command that helps, if there is one. Changes nothing.\n"
         "\n"
         "Example: why\n"},
};

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

void explain_failed_command(Session& session, JsonRecord* record, bool prints) {
    const Failure* const failure = session.failures().last();
    if (failure == nullptr || (record == nullptr && !prints) || !may_ask(session, *failure)) {
        return;
    }
    Evidence evidence(session, *failure);
    const Explanation explanation = explain(evidence);
    if (record == nullptr) {
        session.out().flush();
        const std::string place = session.scripts().empty() ? "" : fmt::format("{}:{}: ", session.scripts().back().name, session.scripts().back().line);
        session.out().notice(fmt::format("{}{} [{}]", place, explanation.first, explanation.cause));
        return;
    }
    const ZonePart* const part = evidence.part();
    record->explain_failure(explanation.cause, explanation.first, [part = part != nullptr ? std::optional(*part) : std::nullopt](JsonRecord& error) {
        if (part) {
            add_zone_in_question(error, *part);
        }
    });
}

} // namespace zoneio
