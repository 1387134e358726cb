// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/node.h"
#include "block/zoned/file.h"
#include "block/zoned/model.h"

namespace zoneio {

/// Brings the zones to the medium, in the order that a power cut cannot turn into a lie: first the data, then the
/// words that say it is there. docs/zoned-file-format.md says why this is enough.
///
/// No two calls at a time, and nobody changes a zone meanwhile.
class ZonedFlush {
public:
    ZonedFlush(BlockNode& node, ZonedFile& file, const ZoneModel& model) : node_(node), file_(file), model_(model) {}

    /// After success every zone is safe as it is now.
    Status flush();

    /// Has to succeed before each change. The first in a session costs a sync where the last one did not end with
    /// everything on the medium, or the medium may have lost something since.
    Status before_change();
    /// Has to succeed, after before_change(), before anything is written into a zone at `pointer` bytes from its start:
    /// what the medium believes to be there must not be overwritten.
    Status before_write(uint64_t zone, uint64_t pointer);

    /// The zone was reset: its space is given back, now or with the flush that makes the reset lasting.
    void after_reset(uint64_t zone);

    /// Ends the session: nothing may be changed after it. Where nothing is `ever_synced`, no power cut is feared, and what
    /// a next boot of the machine comes back to are the words as of now.
    void end(bool ever_synced);
    /// Syncs have done nothing so far: the medium may hold any of the words since the session began.
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
    /// Something was changed since the last flush that succeeded.
    bool is_dirty_ = false;
    /// A flush failed half-way: the medium may hold the words of before or of now.
    bool is_uncertain_ = false;
};

} // namespace zoneio
