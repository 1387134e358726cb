// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/image/device_guard.h"

#include "block/host/device_facts.h"
#include "block/host/device_use.h"
#include "commands/session.h"
#include "commands/text/safe_text.h"

#include <fmt/ranges.h>

namespace zoneio {

namespace {

Status declined(const std::string& filename) {
    return Status::error(ECANCELED, fmt::format("'{}' was not opened for writing, because you did not answer yes; use -r to open it read-only", filename))
        .because(Cause::write_declined, {.name = filename});
}

Status ask(Session& session, const std::string& filename, const std::vector<std::string>& uses) {
    session.out().flush();
    print_error_line(session.out().program(), ": ", fmt::format("writing to '{}' may destroy data:", filename));
    if (const DeviceFacts facts = device_facts(filename); facts.is_device) {
        print_error_line("  ", "", facts.text(filename));
    }
    for (const std::string& use : uses) {
        print_error_line("  ", "", use);
    }
    switch (session.ask != nullptr ? session.ask("Open it for writing?", "[y]es, [r]ead-only, [N]o", "yr") : '\0') {
    case 'y': return {};
    case 'r': session.wants_read_only = true; break;
    default: break;
    }
    return declined(filename);
}

Status refuse(const std::string& filename, const std::vector<std::string>& uses) {
    return Status::error(EBUSY, fmt::format("'{}' was not opened for writing, which may destroy data: {}; use -r to open it read-only",
                                            filename, fmt::join(uses, "; ")))
        .because(Cause::write_declined, {.name = filename});
}

} // namespace

WriteGuard write_guard(Session& session) {
    if (session.guard == Guard::off) {
        return {};
    }
    return [&session](const std::string& filename) {
        const std::vector<std::string> uses = path_uses(filename);
        if (uses.empty()) {
            return Status();
        }
        if (session.guard == Guard::ask) {
            return ask(session, filename, uses);
        }
        if (session.guard == Guard::refuse) {
            return refuse(filename, uses);
        }
        session.out().warning(fmt::format("writing to '{}' may destroy data: {}", filename, fmt::join(uses, "; ")));
        return Status();
    };
}

} // namespace zoneio
