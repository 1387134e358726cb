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

/// What kinds of requests a rule may be meant for. Those of zones are zoneio's own.
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

/// A failure to inject.
struct Injection {
    int error = EIO;           ///< errno; 0: none, negative: success, but nothing is done
    bool once = false;         ///< only one request
    bool immediately = false;  ///< the request fails before others get their turn
    uint64_t delay_ns = 0;     ///< before the request fails or goes on
    uint64_t torn = 0;         ///< bytes from the begin of the request that are done nevertheless
    int64_t sector = -1;       ///< only requests that touch this sector of 512 bytes; -1: all
    uint16_t io_types = 0;     ///< a bit for each BlkdebugIo

    static constexpr uint16_t bit(BlkdebugIo io) { return static_cast<uint16_t>(1U << static_cast<unsigned>(io)); }
    /// Where nobody says what: all that is done with data.
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
    int state = 0; ///< only in this state; 0: in all
    Injection injection;
    int new_state = 0;
    std::string tag; ///< of a breakpoint
};

/// The rules of one blkdebug node and the state they share.
class BlkdebugRules {
public:
    /// The later of two rules for the same event is looked at first.
    void add(BlkdebugRule rule);

    /// The tags of the breakpoints that are left.
    std::vector<std::string> breakpoint_tags() const;

    /// What an event brings about, apart from the rules that are active from now on.
    struct Effects {
        std::vector<std::string> suspended_by; ///< tags of breakpoints, which are used up
        int new_state;                         ///< to be set when the request goes on
    };
    Effects raise(DebugEvent event);
    void set_state(int state) { state_ = state; }

    /// The first active rule for a request; one that is meant for one request only is gone then.
    std::optional<Injection> check(BlkdebugIo io, uint64_t offset, uint64_t bytes);

    /// Removes all breakpoints of a tag; were there any?
    bool remove_breakpoints(std::string_view tag);

private:
    using RuleList = std::list<BlkdebugRule>;

    std::array<RuleList, debug_event_count> rules_;
    std::list<RuleList::iterator> active_; ///< inject_error rules, first one first
    int state_ = 1;
};

} // namespace zoneio
