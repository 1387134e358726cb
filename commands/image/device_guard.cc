// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/image/device_guard.h"

#include "block/host/device_use.h"
#include "commands/session.h"
#include "commands/text/safe_text.h"

#include <fmt/ranges.h>

namespace zoneio {

namespace {

Status ask(Session& session, const std::string& filename, const std::vector<std::string>& uses) {
    session.out().flush();
    print_error_line(session.out().program(), ": ", fmt::format("writing to '{}' may destroy data:", filename));
    for (const std::string& use : uses) {
        print_error_line("  ", "", use);
    }
    if (session.confirm("Open it for writing?")) {
        return {};
    }
    return Status::error(ECANCELED, fmt::format("'{}' was not opened for writing, as answered; use -r to open it read-only", filename))
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
        session.out().warning(fmt::format("writing to '{}' may destroy data: {}", filename, fmt::join(uses, "; ")));
        return Status();
    };
}

} // namespace zoneio
