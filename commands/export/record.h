// SPDX-License-Identifier: GPL-3.0-or-later
//
// What there is to tell of an export.
#pragma once

#include "block/export/export.h"
#include "commands/report/report.h"

namespace zoneio {

/// That it is served now.
struct ServedFact {
    const Export& served;

    void text(Reporter& out) const;
    void json(JsonRecord& record) const;
};

/// How it is: an element of the list `exports`.
struct ExportFact {
    const Export& served;

    void text(Reporter& out) const;
    void json(JsonRecord& record) const;
};

} // namespace zoneio
