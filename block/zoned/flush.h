// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/node.h"
#include "block/zoned/file.h"
#include "block/zoned/model.h"

namespace zoneio {

/// Flushes the zones of an emulated device: first the data, then the words that refer to it, so that after a power cut no
/// word refers to lost data. The rules and the argument for them are in docs/zoned-power-cuts.md.
///
/// REQUIRES: one call at a time; no zone changes during a call.
class ZonedFlush {
public:
    ZonedFlush(BlockNode& node, ZonedFile& file, const ZoneModel& model) : node_(node), file_(file), model_(model) {}

    /// Saves the current state of every zone on the medium.
    Status flush();

    /// Call it before each change of a zone, and change nothing if it fails. The first call in a session syncs if the last
    /// session ended with unwritten data, or if the medium may have lost data since.
    Status before_change();
    /// Call it after before_change() and before a write at `pointer` bytes from the start of a zone; do not write if it
    /// fails. Flushes first if the write would overwrite data that the flushed words on the medium refer to.
    Status before_write(uint64_t zone, uint64_t pointer);

    /// Frees the space of a zone that was reset: now, or in the flush that makes the reset durable.
    void after_reset(uint64_t zone);

    /// Ends the session; no zone may change after it. Without `ever_synced` (cache=unsafe) the current words become the
    /// flushed words, so that an orderly reboot loses nothing.
    void end(bool ever_synced);
    /// Tells the flush that earlier syncs did nothing: the medium may hold any word stored since the session started.
    void distrust();

private:
    Status begin();
    Status write_once_more();
    Status write_zone_once_more(uint64_t zone);
    Status sync();
    Status save_words();
    bool limits_could_be_exceeded() const;
    Status store_flushed(bool only_releases);
    void give_back_space(const std::vector<uint32_t>& zones);

    BlockNode& node_;
    ZonedFile& file_;
    const ZoneModel& model_;
    bool has_begun_ = false;
    /// A zone or its data has changed since the last successful flush.
    bool is_dirty_ = false;
    /// A flush failed halfway: the medium may hold the old or the new flushed words.
    bool is_uncertain_ = false;
};

} // namespace zoneio
