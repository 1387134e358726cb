// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace zoneio {

/// The points that requests pass, as fault injection knows them: rules and breakpoints are tied to one.
///
/// The names (debug_event_names()) are upstream's up to `none`, those of image formats included, which are accepted
/// and never come here; the zone events are zoneio's own.
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
    read_aio, ///< raw hands a read down
    read_backing_aio,
    read_compressed,
    write_aio, ///< raw hands a write down
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
    flush_to_os,            ///< the node above begins to flush
    flush_to_disk,          ///< it has something to flush
    pwritev_rmw_head,       ///< an unaligned write reads its first block
    pwritev_rmw_after_head, ///< has read it
    pwritev_rmw_tail,       ///< reads its last block
    pwritev_rmw_after_tail, ///< has read it
    pwritev,                ///< a write of data begins
    pwritev_zero,           ///< a write of zeros begins
    pwritev_done,           ///< either has ended
    empty_image_prepare,
    l1_shrink_write_table,
    l1_shrink_free_l2_clusters,
    cor_write, ///< copy-on-read writes what it has read
    cluster_alloc_space,
    none, ///< never comes; rules tied to it are active from the start
    zone_report,
    zone_open,
    zone_close,
    zone_finish,
    zone_reset,
    zone_mgmt_done, ///< any of the four has ended
    zone_append,
    zone_append_done,
};

inline constexpr size_t debug_event_count = static_cast<size_t>(DebugEvent::zone_append_done) + 1;

/// In the order of DebugEvent.
std::span<const std::string_view> debug_event_names();
/// Nothing when there is no event of that name.
std::optional<DebugEvent> find_debug_event(std::string_view name);

} // namespace zoneio
