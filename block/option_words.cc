// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/option_words.h"

#include <algorithm>

namespace zoneio {

namespace {

constexpr std::string_view node_keys[] = {"driver",         "node-name",      "read-only",     "auto-read-only", "cache.direct",
                                          "cache.no-flush", "detect-zeroes",  "discard",       "force-share"};

constexpr std::string_view on_off[] = {"on", "off"};
constexpr std::string_view aio_modes[] = {"threads", "native", "io_uring"};
constexpr std::string_view detect_modes[] = {"off", "on", "unmap"};
constexpr std::string_view discard_modes[] = {"ignore", "unmap"};
constexpr std::string_view locking_modes[] = {"auto", "on", "off"};

struct KeyWords {
    std::string_view key;
    std::span<const std::string_view> words;
};

/// A key means the same in every driver that has it.
constexpr KeyWords key_words[] = {
    {"aio", aio_modes},
    {"auto-read-only", on_off},
    {"cache.direct", on_off},
    {"cache.no-flush", on_off},
    {"detect-zeroes", detect_modes},
    {"discard", discard_modes},
    {"drop-cache", on_off},
    {"force-share", on_off},
    {"locking", locking_modes},
    {"read-only", on_off},
    {"read-zeroes", on_off},
    {"x-check-cache-dropped", on_off},
};

} // namespace

std::span<const std::string_view> node_option_keys() {
    return node_keys;
}

std::span<const std::string_view> option_words(std::string_view key) {
    const auto* const row = std::find_if(std::begin(key_words), std::end(key_words),
                                         [&](const KeyWords& words) { return words.key == key; });
    return row != std::end(key_words) ? row->words : std::span<const std::string_view>();
}

} // namespace zoneio
