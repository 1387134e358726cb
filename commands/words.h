// SPDX-License-Identifier: GPL-3.0-or-later
//
// Kinds of words in a command, for completion. The row of a command names the kind of each operand.
#pragma once

#include <array>
#include <cstdint>

namespace zoneio {

enum class Word : uint8_t {
    other,          ///< no completion
    offset,         ///< bytes; on a zoned device also 5z, wp
    length,         ///< bytes; on a zoned device also 3z
    count,          ///< number of zones
    file,           ///< file name
    image,          ///< image name, or options with --image-opts
    command,        ///< name of a command
    format,         ///< driver of a new image
    open_options,   ///< key=value,key=value
    create_options, ///< likewise for a new image
    reopen_options, ///< likewise for the open image
    cache_mode,
    discard_mode,
    aio_mode,
    prealloc_mode,
    debug_event,    ///< event of blkdebug
    break_tag,      ///< tag of a breakpoint or of a held request
    held_tag,       ///< tag of a held request
    zone_states,    ///< states separated by commas
    zone_state,     ///< operand of zone_state
    zone_operation, ///< operand of zone_apply
    export_kind,    ///< vhost-user, ublk
    export_name,    ///< name of an export
};

/// Kinds of the operands of a command; the last is that of further operands, too. Arguments of options are in their rows.
using CommandWords = std::array<Word, 5>;

/// `off len`
inline constexpr CommandWords range_words{Word::offset, Word::length};
/// `off len [len..]`
inline constexpr CommandWords vector_words{Word::offset, Word::length, Word::length, Word::length, Word::length};

} // namespace zoneio
