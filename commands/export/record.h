// SPDX-License-Identifier: GPL-3.0-or-later
//
// Facts about exports.
#pragma once

#include "block/export/export.h"
#include "commands/report/report.h"

namespace zoneio {

/// Reports that an export has started.
struct ServedFact {
    const Export& served;

    void text(Reporter& out) const;
    void json(JsonRecord& record) const;
};

/// State of an export, as an element of the list `exports`.
struct ExportFact {
    const Export& served;

    void text(Reporter& out) const;
    void json(JsonRecord& record) const;
};

} // namespace zoneio
