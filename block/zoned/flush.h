// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/node.h"
#include "block/zoned/file.h"
#include "block/zoned/model.h"

namespace zoneio {

/// Brings the zones to the medium, in the order that a power cut cannot turn into a lie: first the data, then the
/// words that say it is there. docs/zoned-file-format.md says why this is enough.
class ZonedFlush {
public:
    ZonedFlush(BlockNode& node, ZonedFile& file, const ZoneModel& model) : node_(node), file_(file), model_(model) {}

    /// After success every zone is safe as it is now. Nobody may change a zone meanwhile.
    Status flush();

    /// To be called before anything is written into a zone at `pointer` bytes from its start: what the medium
    /// believes to be there must not be overwritten.
    Status before_write(uint64_t zone, uint64_t pointer);

    /// The zone was reset: its space is given back, now or with the flush that makes the reset lasting.
    void after_reset(uint64_t zone);

    /// Without any syncing, when no power cut is feared: the words as of now are those to come back to.
    void adopt_unsynced();

private:
    Status sync();
    Status prepare_words();
    bool limits_could_be_exceeded() const;
    Status store_releases();
    void give_back_space(const std::vector<uint32_t>& zones);

    BlockNode& node_;
    ZonedFile& file_;
    const ZoneModel& model_;
    /// A flush failed half-way: the medium may hold the words of before or of now.
    bool uncertain_ = false;
};

} // namespace zoneio
