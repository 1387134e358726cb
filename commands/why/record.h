// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/report/report.h"
#include "commands/why/why.h"

namespace zoneio {

/// What was wrong, and behind it the rule and how things are, as lines for this descriptor; not how to mend it.
std::vector<std::string> explanation_lines(const Explanation& explanation, int fd);

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
