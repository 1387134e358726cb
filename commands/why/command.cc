// SPDX-License-Identifier: GPL-3.0-or-later
//
// The command `why`.
#include "commands/families.h"
#include "commands/why/record.h"
#include "commands/why/why.h"

namespace zoneio {

namespace {

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

} // namespace zoneio
