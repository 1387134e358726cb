// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/zone.h"
#include "commands/report/json_record.h"

namespace zoneio {

/// Name of a state in records, such as `implicit-open`, after the kernel's names.
std::string_view state_name(ZoneState state);
/// `conventional`, `sequential-required`, `sequential-preferred`.
std::string_view type_name(ZoneType type);
/// Adds the members for a zone to the open object.
void add_zone(JsonRecord& record, const ZoneDescriptor& zone);
/// Adds the members for a zone, its number, and how much is written.
void add_numbered_zone(JsonRecord& record, uint64_t number, const ZoneDescriptor& zone);

} // namespace zoneio
