// SPDX-License-Identifier: GPL-3.0-or-later
//
// Selects zones, for zone_list and zone_apply.
#pragma once

#include "block/backend.h"
#include "commands/text/zone_words.h"

#include <bitset>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace zoneio {

/// Numbers from `first` to `last`, both included.
struct Span {
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;

    bool contains(uint64_t number) const { return number >= first && number <= last; }
};

using StateSet = std::bitset<zone_state_words.size()>;

class ZoneFilter {
public:
    /// States: `full,closed`, from the words of zone_state_words and `open`, `active`.
    Status set_states(std::string_view words);
    /// Zone numbers: `5`, `5-7`, `5-`, `-7`; a `z` may follow each.
    Status set_range(std::string_view word);
    /// The same for an operand; its errors name no option.
    Status set_zones(std::string_view word);
    /// Percentage of the capacity that is written, in the same form.
    Status set_fill(std::string_view word);

    bool takes(uint64_t number, const ZoneDescriptor& zone) const;
    const Span& range() const { return range_; }
    /// True if a filter was set.
    bool is_set() const { return is_set_; }

private:
    bool is_set_ = false;
    StateSet states_ = ~StateSet();
    Span range_;
    std::optional<Span> fill_;
};

/// Words for `--state`: those of zone_state_words without duplicates, and `open`, `active`.
std::vector<std::string_view> zone_state_options();

using NumberedZoneVisitor = std::function<void(uint64_t number, const ZoneDescriptor& zone)>;

/// Calls `visit` for every selected zone of a range, and returns their number. EINTR: the user interrupted the command.
/// Uses constant memory. `visit` must not use the device.
Result<uint64_t> visit_zones(BlockBackend& backend, const ZoneFilter& filter, const Span& range,
                             const NumberedZoneVisitor& visit);
/// The same for the zones of a trial.
Result<uint64_t> visit_zones(const ZoneTrial& trial, const ZoneFilter& filter, const Span& range,
                             const NumberedZoneVisitor& visit);

} // namespace zoneio
