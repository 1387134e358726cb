// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/why/failed_command.h"

#include "commands/why/why.h"
#include "commands/zones/record.h"

namespace zoneio {

namespace {

/// With breakpoints, a request may end while the device is being read, and start another explanation.
bool may_ask(Session& session, const Failure& failure) {
    return !failure.line.empty() || !session.is_open() || !session.backend().orders_completions();
}

} // namespace

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
    std::optional<std::pair<uint64_t, ZoneDescriptor>> zone;
    if (const ZonePart* const part = evidence.part()) {
        zone.emplace(part->number, part->zone);
    }
    record->explain_failure(explanation.cause, explanation.first, [zone](JsonRecord& error) {
        if (zone) {
            error.begin_object("zone");
            add_numbered_zone(error, zone->first, zone->second);
            error.end();
        }
    });
}

} // namespace zoneio
