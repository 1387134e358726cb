// SPDX-License-Identifier: GPL-3.0-or-later
//
// A second, naive model of a zoned device with its data. It has the rules in the plainest form, for comparison with the
// real ones.
#pragma once

#include "block/node/zone.h"
#include "block/zoned/geometry.h"

#include <cerrno>
#include <cstdint>
#include <vector>

namespace zoneio::testing {

struct ReferenceZone {
    bool conventional = false;
    ZoneState state = ZoneState::empty;
    uint64_t start = 0;
    uint64_t length = 0;
    uint64_t capacity = 0;
    std::vector<uint8_t> data; ///< data from the start of the zone; 0xff after the written part

    bool operator==(const ReferenceZone&) const = default;
};

class ReferenceDevice {
public:
    explicit ReferenceDevice(const ZoneGeometry& geometry) : block(geometry.block_size) {
        for (uint64_t start = 0; start < geometry.size; start += geometry.zone_size) {
            ReferenceZone zone;
            zone.conventional = zones.size() < geometry.conventional_zones;
            zone.start = start;
            zone.length = std::min(geometry.zone_size, geometry.size - start);
            zone.capacity = std::min(geometry.zone_capacity, zone.length);
            if (zone.conventional) {
                zone.state = ZoneState::not_write_pointer;
                zone.data.resize(zone.length);
            }
            zones.push_back(zone);
        }
        const uint64_t sequential = zones.size() - geometry.conventional_zones;
        max_active = geometry.max_active_zones >= sequential ? 0 : geometry.max_active_zones;
        max_open = geometry.max_open_zones;
        if (max_active > 0 && max_open > max_active) {
            max_open = max_active;
        }
        if (max_open >= sequential) {
            max_open = 0;
        }
    }

    uint64_t count(ZoneState state) const {
        uint64_t n = 0;
        for (const ReferenceZone& zone : zones) {
            n += zone.state == state ? 1 : 0;
        }
        return n;
    }
    uint64_t open_zones() const { return count(ZoneState::implicit_open) + count(ZoneState::explicit_open); }
    uint64_t active_zones() const { return open_zones() + count(ZoneState::closed); }

    /// A write within one zone. Returns 0 or the errno.
    int write(size_t index, uint64_t pointer, const std::vector<uint8_t>& bytes) {
        ReferenceZone& zone = zones[index];
        if (zone.conventional) {
            std::copy(bytes.begin(), bytes.end(), zone.data.begin() + static_cast<ptrdiff_t>(pointer));
            return 0;
        }
        switch (zone.state) {
        case ZoneState::full:
        case ZoneState::read_only:
        case ZoneState::offline: return EIO;
        default: break;
        }
        if (pointer != zone.data.size() || pointer + bytes.size() > zone.capacity) {
            return EIO;
        }
        if (const int error = make_room(zone)) {
            return error;
        }
        zone.data.insert(zone.data.end(), bytes.begin(), bytes.end());
        if (zone.data.size() == zone.capacity) {
            zone.state = ZoneState::full;
        } else if (zone.state != ZoneState::explicit_open) {
            zone.state = ZoneState::implicit_open;
        }
        return 0;
    }

    /// An operation on one zone. Returns 0 or the errno.
    int manage(ZoneOp op, size_t index) {
        ReferenceZone& zone = zones[index];
        if (zone.conventional || zone.state == ZoneState::read_only || zone.state == ZoneState::offline) {
            return EIO;
        }
        switch (op) {
        case ZoneOp::open: return open(zone);
        case ZoneOp::close: return close(zone);
        case ZoneOp::finish: return finish(zone);
        case ZoneOp::reset:
            zone.state = ZoneState::empty;
            zone.data.clear();
            return 0;
        }
        return EINVAL;
    }

    /// An operation on a range. Returns 0 or the errno.
    int manage_range(ZoneOp op, size_t first, size_t zone_count) {
        int last = 0;
        const bool reset_all = op == ZoneOp::reset && first == 0 && zone_count == zones.size();
        for (size_t i = first; i < first + zone_count; i++) {
            const int error = manage(op, i);
            last = error != 0 && !reset_all ? error : last;
        }
        return last;
    }

    void set_condition(size_t index, ZoneState state) {
        ReferenceZone& zone = zones[index];
        if (state == ZoneState::read_only) {
            zone.data.resize(zone.length);
        }
        if (state == ZoneState::empty) {
            zone.data.clear();
        }
        zone.state = state;
    }

    std::vector<ReferenceZone> zones;
    uint64_t block;
    uint64_t max_open;
    uint64_t max_active;
    size_t cursor = 0; ///< index after the zone that was last closed implicitly

private:
    int open(ReferenceZone& zone) {
        if (zone.state == ZoneState::full) {
            return EIO;
        }
        if (zone.state == ZoneState::empty || zone.state == ZoneState::closed) {
            if (const int error = make_room(zone)) {
                return error;
            }
        }
        zone.state = ZoneState::explicit_open;
        return 0;
    }

    static int close(ReferenceZone& zone) {
        if (zone.state == ZoneState::empty || zone.state == ZoneState::full) {
            return EIO;
        }
        zone.state = zone.data.empty() ? ZoneState::empty : ZoneState::closed;
        return 0;
    }

    int finish(ReferenceZone& zone) {
        if (zone.state == ZoneState::full) {
            return 0;
        }
        if (zone.state == ZoneState::empty || zone.state == ZoneState::closed) {
            if (const int error = make_room(zone)) {
                return error;
            }
        }
        zone.state = ZoneState::full;
        zone.data.resize(zone.length);
        return 0;
    }

    int make_room(const ReferenceZone& zone) {
        const bool active_left = max_active == 0 || active_zones() < max_active;
        if (zone.state == ZoneState::empty && !active_left) {
            return EOVERFLOW;
        }
        if (zone.state != ZoneState::empty && zone.state != ZoneState::closed) {
            return 0;
        }
        if (max_open == 0 || open_zones() < max_open) {
            return 0;
        }
        if (count(ZoneState::implicit_open) == 0 || !active_left) {
            return ETOOMANYREFS;
        }
        while (true) {
            cursor = cursor < zones.size() ? cursor : 0;
            ReferenceZone& candidate = zones[cursor++];
            if (candidate.state == ZoneState::implicit_open) {
                candidate.state = ZoneState::closed;
                return 0;
            }
        }
    }
};

} // namespace zoneio::testing
