// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/limits.h"
#include "block/zoned/model.h"

#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace zoneio {

/// Predicts the results of requests to a zoned device. Requests change a copy of its zones, never the device.
///
/// The rules are those of ZoneModel, so results are exact for emulated devices. A real device may choose another zone
/// to close when it needs room. Failures of the host (no space, medium errors) are not predicted. Offsets and lengths
/// are in bytes.
class ZoneTrial {
public:
    using Report = std::function<Result<uint64_t>(const std::function<void(const ZoneDescriptor&)>& visit)>;

    /// Copies the zones that `report` visits, all zones of a device of `length` bytes. EIO if it visits other zones.
    static Result<std::unique_ptr<ZoneTrial>> create(const Limits& limits, uint64_t length, const ZoneControl& control,
                                                     const Report& report);

    uint64_t length() const { return geometry_.size; }
    uint64_t zone_count() const { return geometry_.zone_count(); }
    ZoneDescriptor describe(uint64_t zone) const;

    // The methods return what the request would return, including errors of range checks.
    Status write(uint64_t offset, uint64_t bytes);
    Status append(uint64_t offset, uint64_t bytes);
    Status manage(ZoneOp op, uint64_t offset, uint64_t bytes);
    Status set_state(uint64_t offset, uint64_t bytes, ZoneState state);

private:
    ZoneTrial(const Limits& limits, const ZoneControl& control) : limits_(limits), control_(control) {}

    Status read(const Report& report);
    void take(const ZoneDescriptor& zone);
    void adopt_capacity();
    uint64_t capacity_of(uint64_t zone) const;
    /// Also used for conventional zones, which the device may have set to read-only or offline.
    Status write_zone(uint64_t zone, uint64_t pointer, uint64_t bytes);
    Status change_zones(uint64_t offset, uint64_t bytes, const std::function<Status(uint64_t zone)>& change);
    Status make(const Result<ZoneChange>& change);

    Limits limits_;
    ZoneControl control_;
    ZoneGeometry geometry_;
    ZoneEntries entries_;
    std::optional<ZoneTable> table_;
    std::optional<ZoneModel> model_;
    std::vector<bool> conventional_;
    uint64_t usual_capacity_ = 0;
    std::unordered_map<uint64_t, uint64_t> other_capacities_;
    std::unordered_map<uint64_t, ZoneState> conventional_states_; ///< of conventional zones that the device has set to
                                                                  ///< read-only or offline
};

} // namespace zoneio
