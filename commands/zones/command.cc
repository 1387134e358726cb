// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/command.h"

#include "commands/long_work.h"

namespace zoneio {

bool check_zoned(Session& session, const Command& command) {
    const bool zoned = session.backend().limits().zoned != ZonedModel::none;
    if (!zoned) {
        session.failures().note(FailureKind::not_zoned);
        session.out().error(fmt::format("{}: the image that is open is no zoned device", command.name));
    }
    return zoned;
}

Outcome zone_command_failed(Session& session, const Command& command, const Status& status) {
    if (was_interrupted(status)) {
        session.out().interrupted(fmt::format("{} interrupted", command.name));
        return Outcome::failed;
    }
    session.failures().note(FailureKind::other, {}, status);
    session.out().error(status, fmt::format("{}: {}", command.name, status.message()));
    return Outcome::failed;
}

std::optional<ZoneOptions> parse_zone_options(Session& session, const Command& command, CommandLine line, int own) {
    ZoneOptions options;
    int c = 0;
    while ((c = getopt_long(line.argc, line.argv, command.options.text(), command.long_options, nullptr)) != -1) {
        Status status;
        if (c == own) {
            options.own = true;
        } else if (c == '?' || !options.filter.take_option(c, optarg, status)) {
            usage_error(session, command);
            return std::nullopt;
        }
        if (!status.ok()) {
            zone_command_failed(session, command, status);
            return std::nullopt;
        }
    }
    return options;
}

} // namespace zoneio
