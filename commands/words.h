// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the words of a command stand for. The row of a command says so once; completion goes by it.
#pragma once

#include <cstdint>
#include <span>

namespace zoneio {

enum class Word : uint8_t {
    other,          ///< nothing that could be completed
    offset,         ///< bytes; on a zoned device also 5z, wp
    length,         ///< bytes; on a zoned device also 3z
    count,          ///< how many zones
    file,           ///< a name
    image,          ///< a name, or options with --image-opts
    command,        ///< for help
    format,         ///< of a new image
    open_options,   ///< key=value,key=value
    create_options, ///< the same, for a new image
    reopen_options, ///< the same, for the open one
    cache_mode,
    discard_mode,
    aio_mode,
    prealloc_mode,
    debug_event,    ///< of blkdebug
    break_tag,      ///< of a breakpoint, or of a request that is held at one
    held_tag,       ///< of a request that is held
    zone_states,    ///< with commas in between
    zone_condition, ///< what zone_condition takes
    zone_operation, ///< what zone_apply takes
    export_kind,    ///< vhost-user
    export_name,    ///< of something that is served
};

/// The operands of a command; those that are not told are Word::other. The arguments of options are in their rows.
struct CommandWords {
    std::span<const Word> operands = {};
    bool repeats = false; ///< more operands are like the last
};

inline constexpr Word range_operands[] = {Word::offset, Word::length};
/// `off len`
inline constexpr CommandWords range_words{.operands = range_operands};
/// `off len [len..]`
inline constexpr CommandWords vector_words{.operands = range_operands, .repeats = true};

} // namespace zoneio
