// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/command.h"

#include "commands/long_work.h"

namespace zoneio {

bool check_zoned(Session& session, const Command& command) {
    const bool zoned = session.backend().limits().zoned != ZonedModel::none;
    if (!zoned) {
        session.out().error({FailureKind::not_zoned}, fmt::format("{}: the open image is not a zoned device", command.name));
    }
    return zoned;
}

Outcome zone_command_failed(Session& session, const Command& command, const Status& status) {
    if (was_interrupted(status)) {
        return session.out().interrupted(fmt::format("{} interrupted", command.name));
    }
    return session.out().error(status, fmt::format("{}: {}", command.name, status.message()));
}

OptionStep zone_option_step(const GivenOption& given, const Status& status) {
    if (status.ok()) {
        return OptionStep::next;
    }
    (void)zone_command_failed(given.session, given.command, status);
    return OptionStep::failed;
}

} // namespace zoneio
