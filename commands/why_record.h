// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/report.h"
#include "commands/why.h"

namespace zoneio {

/// What `why` has to say about a failure.
struct WhyFact {
    Evidence& evidence;
    const Explanation& explanation;

    void text(Reporter& out) const;
    void json(JsonRecord& record) const;
};

/// What it says as long as nothing failed.
struct NothingFailedFact {
    void text(Reporter& out) const;
    void json(JsonRecord& record) const;
};

} // namespace zoneio
