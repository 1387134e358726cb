// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/counters.h"
#include "block/export/port.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace zoneio {

/// A request of the other side of an export.
struct ServedRequest {
    Request request; ///< the request for the gate
    ServedKind kind = ServedKind::other;
    uint16_t queue = 0;
    std::optional<uint64_t> zone;          ///< start of the sequential zone whose write pointer the request moves, if that must be known
    std::optional<uint64_t> begin_pointer; ///< append: write pointer of the zone before it started
    uint64_t position = 0;                 ///< append: offset of the data after completion
    bool is_repeated = false;              ///< an earlier server may have done it already
    bool is_answered_at_once = false;      ///< perform() has completed it; otherwise the port reports completion
};

/// True if the data of a request, from its byte `done` on, is `stored`.
using IsData = std::function<bool(uint64_t done, std::span<const uint8_t> stored)>;

/// Takes from a write or append what an earlier server has done of it: the effects on a sequential zone must not be repeated.
/// (Elsewhere, repeating a request has the same result.) A request that is done becomes a flush. Of another, the caller replaces the
/// data, if the result is not 0: the number of bytes that are done. `zone`: the start of its zone.
uint64_t skip_done(BackendPort& port, ServedRequest& request, uint64_t zone, const IsData& is_data);

} // namespace zoneio
