// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace zoneio {

/// Kinds of requests with their own counters.
enum class ServedKind : uint8_t { read, write, append, flush, discard, write_zeroes, report, manage, other };
inline constexpr size_t served_kinds = 9;
inline constexpr std::array<std::string_view, served_kinds> served_kind_names{
    "read", "write", "append", "flush", "discard", "write_zeroes", "report", "manage", "other"};

/// Counters of one kind.
struct ServedCount {
    uint64_t requests = 0;
    uint64_t bytes = 0; ///< read, written, discarded or zeroed; none for the management of zones
    uint64_t errors = 0;
};

/// Counts requests. One thread writes the counters, others read them.
class ServedCounters {
public:
    void add(ServedKind kind, uint64_t bytes, bool ok) {
        Cell& cell = cells_.at(static_cast<size_t>(kind));
        bump(cell.requests, 1);
        bump(cell.bytes, ok ? bytes : 0);
        bump(cell.errors, ok ? 0 : 1);
    }
    ServedCount get(ServedKind kind) const {
        const Cell& cell = cells_.at(static_cast<size_t>(kind));
        return {cell.requests.load(std::memory_order_relaxed), cell.bytes.load(std::memory_order_relaxed),
                cell.errors.load(std::memory_order_relaxed)};
    }

private:
    struct Cell {
        std::atomic<uint64_t> requests{0};
        std::atomic<uint64_t> bytes{0};
        std::atomic<uint64_t> errors{0};
    };
    static void bump(std::atomic<uint64_t>& value, uint64_t by) {
        value.store(value.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }

    std::array<Cell, served_kinds> cells_;
};

} // namespace zoneio
