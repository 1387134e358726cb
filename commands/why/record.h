// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/report/report.h"
#include "commands/why/why.h"

namespace zoneio {

/// The explanation as lines for this descriptor: the failure, then the rule and the state; without the repair.
std::vector<std::string> explanation_lines(const Explanation& explanation, int fd);

/// The answer of `why` about a failure.
struct WhyFact {
    Evidence& evidence;
    const Explanation& explanation;

    void text(Reporter& out) const;
    void json(JsonRecord& record) const;
};

/// The answer of `why` if nothing has failed.
struct NothingFailedFact {
    void text(Reporter& out) const;
    void json(JsonRecord& record) const;
};

} // namespace zoneio
