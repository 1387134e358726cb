// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/enum_word.h"
#include "block/node/debug_event.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Kinds of requests to which a rule can apply. Those of zones are zoneio's own.
enum class BlkdebugIo : uint8_t { read, write, write_zeroes, discard, flush, block_status, zone_report, zone_mgmt, zone_append };

inline constexpr EnumWord<BlkdebugIo> blkdebug_io_words[] = {
    {"read", BlkdebugIo::read},
    {"write", BlkdebugIo::write},
    {"write-zeroes", BlkdebugIo::write_zeroes},
    {"discard", BlkdebugIo::discard},
    {"flush", BlkdebugIo::flush},
    {"block-status", BlkdebugIo::block_status},
    {"zone-report", BlkdebugIo::zone_report},
    {"zone-mgmt", BlkdebugIo::zone_mgmt},
    {"zone-append", BlkdebugIo::zone_append},
};

/// An injected error or delay.
struct Injection {
    int error = EIO;           ///< errno; 0: no error; negative: success, but the request is not done
    bool once = false;         ///< applies to one request only
    bool immediately = false;  ///< the request fails without letting other requests run first
    uint64_t delay_ns = 0;     ///< delay before the request fails or continues
    uint64_t torn = 0;         ///< bytes at the start of the request that are done nevertheless
    int64_t sector = -1;       ///< applies to requests that touch this sector (512 bytes); -1: to all
    uint16_t io_types = 0;     ///< kinds of requests: bit N for the BlkdebugIo with number N

    static constexpr uint16_t bit(BlkdebugIo io) { return static_cast<uint16_t>(1U << static_cast<unsigned>(io)); }
    /// The kinds if a rule names none: all but block_status and zone_report, which transfer and change no data.
    static constexpr uint16_t default_io_types() {
        return static_cast<uint16_t>(((1U << (static_cast<unsigned>(BlkdebugIo::zone_append) + 1)) - 1) &
                                     ~static_cast<unsigned>(bit(BlkdebugIo::block_status) | bit(BlkdebugIo::zone_report)));
    }
    bool applies_to(BlkdebugIo io, uint64_t offset, uint64_t bytes) const;
};

/// A rule that an event triggers.
struct BlkdebugRule {
    enum class Action : uint8_t { inject_error, set_state, suspend };

    DebugEvent event = DebugEvent::none;
    Action action = Action::inject_error;
    int state = 0; ///< applies only in this state; 0: in all states
    Injection injection;
    int new_state = 0;
    std::string tag; ///< tag, for breakpoints
};

/// The rules of a blkdebug node, and its state.
class BlkdebugRules {
public:
    /// Adds a rule. Of two rules for the same event, the one added last is tried first.
    void add(BlkdebugRule rule);

    /// Tags of the remaining breakpoints.
    std::vector<std::string> breakpoint_tags() const;

    /// Effects of an event, apart from changing the active rules.
    struct Effects {
        std::vector<std::string> suspended_by; ///< tags of the breakpoints reached, which are removed
        int new_state;                         ///< takes effect when the request continues
    };
    Effects raise(DebugEvent event);
    void set_state(int state) { state_ = state; }

    /// The first active rule that applies to a request. A `once` rule is removed.
    std::optional<Injection> check(BlkdebugIo io, uint64_t offset, uint64_t bytes);

    /// Removes all breakpoints with this tag. False if there are none.
    bool remove_breakpoints(std::string_view tag);

private:
    using RuleList = std::list<BlkdebugRule>;

    std::array<RuleList, debug_event_count> rules_;
    std::list<RuleList::iterator> active_; ///< inject_error rules, in the order of precedence
    int state_ = 1;
};

} // namespace zoneio
