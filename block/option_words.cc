// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/option_words.h"

#include "block/blkdebug/options.h"
#include "block/host/posix_file.h"
#include "block/node/debug_event.h"
#include "block/node/mode_words.h"

#include <algorithm>

namespace zoneio {

namespace {

constexpr std::string_view node_keys[] = {"driver",         "node-name",      "read-only",     "auto-read-only", "cache.direct",
                                          "cache.no-flush", "detect-zeroes",  "discard",       "force-share"};

constexpr std::string_view on_off[] = {"on", "off"};
constexpr std::string_view server_types[] = {"inet", "unix", "vsock", "fd"};

struct KeyWords {
    std::string_view key;
    std::span<const std::string_view> words;
};

/// A key has the same words in every driver.
constexpr KeyWords key_words[] = {
    {"aio", offered_words<aio_mode_words>},
    {"auto-read-only", on_off},
    {"cache.direct", on_off},
    {"cache.no-flush", on_off},
    {"detect-zeroes", offered_words<detect_zeroes_words>},
    {"discard", offered_words<discard_mode_words>},
    {"drop-cache", on_off},
    {"force-share", on_off},
    {"immediately", on_off},
    {"iotype", offered_words<blkdebug_io_words>},
    {"log-append", on_off},
    {"locking", offered_words<locking_words>},
    {"once", on_off},
    {"read-only", on_off},
    {"read-zeroes", on_off},
    {"server.abstract", on_off},
    {"server.ipv4", on_off},
    {"server.ipv6", on_off},
    {"server.keep-alive", on_off},
    {"server.mptcp", on_off},
    {"server.numeric", on_off},
    {"server.tight", on_off},
    {"server.type", server_types},
    {"x-check-cache-dropped", on_off},
};

constexpr std::string_view injection_keys[] = {"event",  "state", "iotype",      "errno",
                                                "sector", "once",  "immediately", "delay-ns", "torn"};
constexpr std::string_view state_keys[] = {"event", "state", "new_state"};

/// Length of the index of a list element, with its dot.
size_t index_length(std::string_view key) {
    const size_t digits = std::min(key.find_first_not_of("0123456789"), key.size());
    return digits > 0 && key.substr(digits).starts_with('.') ? digits + 1 : 0;
}

} // namespace

std::span<const std::string_view> node_option_keys() {
    return node_keys;
}

std::span<const std::string_view> option_group_keys(std::string_view group) {
    return group == "inject-error."  ? std::span<const std::string_view>(injection_keys)
           : group == "set-state."   ? std::span<const std::string_view>(state_keys)
                                     : std::span<const std::string_view>();
}

size_t option_group_length(std::string_view key) {
    for (const std::string_view group : {"inject-error.", "set-state.", "take-child-perms.", "unshare-child-perms."}) {
        if (key.starts_with(group)) {
            return group.size() + index_length(key.substr(group.size()));
        }
    }
    return 0;
}

std::span<const std::string_view> option_words(std::string_view key) {
    const size_t group = option_group_length(key);
    if (key.substr(0, group).starts_with("take-child-perms.") || key.substr(0, group).starts_with("unshare-child-perms.")) {
        return offered_words<permission_words>;
    }
    key.remove_prefix(group);
    if (group > 0 && key == "event") {
        return debug_event_names();
    }
    const auto* const row = std::find_if(std::begin(key_words), std::end(key_words),
                                         [&](const KeyWords& words) { return words.key == key; });
    return row != std::end(key_words) ? row->words : std::span<const std::string_view>();
}

} // namespace zoneio
