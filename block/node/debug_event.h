// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace zoneio {

/// Events of requests to which fault injection ties rules and breakpoints.
///
/// The names (debug_event_names()) up to `none` are QEMU's. Those of image formats are accepted but never occur here.
/// The zone events are zoneio's own.
enum class DebugEvent : uint8_t {
    l1_update,
    l1_grow_alloc_table,
    l1_grow_write_table,
    l1_grow_activate_table,
    l2_load,
    l2_update,
    l2_update_compressed,
    l2_alloc_cow_read,
    l2_alloc_write,
    read_aio, ///< raw passes a read to its child
    read_backing_aio,
    read_compressed,
    write_aio, ///< raw passes a write to its child
    write_compressed,
    vmstate_load,
    vmstate_save,
    cow_read,
    cow_write,
    reftable_load,
    reftable_grow,
    reftable_update,
    refblock_load,
    refblock_update,
    refblock_update_part,
    refblock_alloc,
    refblock_alloc_hookup,
    refblock_alloc_write,
    refblock_alloc_write_blocks,
    refblock_alloc_write_table,
    refblock_alloc_switch_table,
    cluster_alloc,
    cluster_alloc_bytes,
    cluster_free,
    flush_to_os,            ///< a flush starts
    flush_to_disk,          ///< a flush finds unflushed data
    pwritev_rmw_head,       ///< an unaligned write reads its first block
    pwritev_rmw_after_head, ///< after reading it
    pwritev_rmw_tail,       ///< reads its last block
    pwritev_rmw_after_tail, ///< after reading it
    pwritev,                ///< a write of data starts
    pwritev_zero,           ///< a write of zeros starts
    pwritev_done,           ///< a write of data or zeros has ended
    empty_image_prepare,
    l1_shrink_write_table,
    l1_shrink_free_l2_clusters,
    cor_write, ///< copy-on-read writes the data that it has read
    cluster_alloc_space,
    none, ///< never occurs; rules tied to it are active from the start
    zone_report,
    zone_open,
    zone_close,
    zone_finish,
    zone_reset,
    zone_mgmt_done, ///< any of the four operations has ended
    zone_append,
    zone_append_done,
};

inline constexpr size_t debug_event_count = static_cast<size_t>(DebugEvent::zone_append_done) + 1;

/// In the order of DebugEvent.
std::span<const std::string_view> debug_event_names();
/// Empty if no event has this name.
std::optional<DebugEvent> find_debug_event(std::string_view name);

} // namespace zoneio
