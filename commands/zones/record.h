// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/zone.h"
#include "commands/report/json_record.h"

namespace zoneio {

/// The name of a state in records, after the kernel's: `implicit-open`.
std::string_view state_name(ZoneState state);
/// `conventional`, `sequential-required`, `sequential-preferred`.
std::string_view type_name(ZoneType type);
/// What a record has about a zone, as members of the object that is open.
void add_zone(JsonRecord& record, const ZoneDescriptor& zone);
/// The same with its number, and how much is written.
void add_numbered_zone(JsonRecord& record, uint64_t number, const ZoneDescriptor& zone);

} // namespace zoneio
