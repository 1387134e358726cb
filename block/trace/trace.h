// SPDX-License-Identifier: GPL-3.0-or-later
//
// Trace events: `trace_NAME(...)` for every line of events.def. A disabled event costs one test of a global mask. If
// sys/sdt.h was present at build time, each event is also a USDT probe `zoneio:NAME`.
#pragma once

#include "block/base/status.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#ifdef ZONEIO_HAVE_SDT
#define SDT_USE_VARIADIC
#include <sys/sdt.h>
#define ZONEIO_TRACE_PROBE(name, ...) STAP_PROBEV(zoneio, name, __VA_ARGS__)
#else
#define ZONEIO_TRACE_PROBE(name, ...) (void)0
#endif

namespace zoneio {

enum class TraceEvent : unsigned {
#define ZONEIO_TRACE_EVENT(name, parameters, arguments, text) name,
#include "block/trace/events.def"
#undef ZONEIO_TRACE_EVENT
};

/// The enabled events: bit N for event N.
extern std::atomic<uint64_t> trace_mask;

inline bool trace_is_on(TraceEvent event) {
    return ((trace_mask.load(std::memory_order_relaxed) >> static_cast<unsigned>(event)) & 1U) != 0;
}

#define ZONEIO_TRACE_UNPACK(...) __VA_ARGS__
#define ZONEIO_TRACE_EVENT(name, parameters, arguments, text)                                                            \
    void trace_print_##name parameters;                                                                                    \
    inline void trace_##name parameters {                                                                                  \
        ZONEIO_TRACE_PROBE(name, ZONEIO_TRACE_UNPACK arguments);                                                           \
        if (trace_is_on(TraceEvent::name)) [[unlikely]] {                                                                  \
            trace_print_##name arguments;                                                                                  \
        }                                                                                                                  \
    }
#include "block/trace/events.def"
#undef ZONEIO_TRACE_EVENT

/// Enables the events that match a pattern (`*`: any characters, `?`: one character), or disables them if it starts
/// with `-`. False if the pattern has no wildcard and no event has this name.
bool trace_enable(std::string_view pattern);

/// Writes the trace to a file instead of stderr. An existing file is truncated.
Status trace_set_file(const std::string& path);

/// Names of all events.
std::vector<std::string_view> trace_event_names();

} // namespace zoneio
