// SPDX-License-Identifier: GPL-3.0-or-later
//
// Overwrites a range of the open image, and reads it back.
#pragma once

#include "commands/region/range.h"
#include "commands/region/reader.h"

namespace zoneio {

enum class WipeMode : uint8_t {
    zero,    ///< it reads as zeros
    discard, ///< the device may forget it
    random,  ///< bytes that nobody can foresee
    secure,  ///< random bytes, then zeros, both written out as data and flushed
};

/// What is done with a part of a range.
struct WipePart {
    Region region;
    bool reset = false; ///< sequential zones: they are reset, and the mode does not matter
};

/// Overwrites the parts of a range, one after the other.
class Wipe {
public:
    Wipe(Session& session, WipeMode mode, std::vector<WipePart> parts);

    /// EINTR: the user ended it.
    Status run();
    /// Reads everything back; of zones that were reset only whether they are empty. EINTR; EILSEQ: something is not as it should be.
    Status verify();
    /// Bytes that were done by the one that ran last.
    uint64_t done() const { return done_; }
    uint64_t total() const { return total_; }

private:
    enum class Fill : uint8_t { zeros, zeros_as_data, random, discard };

    Status reset(const Region& region);
    Status fill(const Region& region, Fill fill);
    Status write(Fill fill, uint64_t offset, uint64_t bytes, bool more);
    Status verify(const WipePart& part);
    Status verify_empty(const Region& region);
    Status step(LongWork& work, uint64_t bytes);

    Session& session_;
    WipeMode mode_;
    std::vector<WipePart> parts_;
    uint64_t total_ = 0;
    uint64_t done_ = 0;
    uint64_t seed_;
    LongWork* work_ = nullptr;
};

/// The parts of a range; on a zoned device its sequential zones are reset, so it begins and ends with zones there.
///
/// EINVAL: it does not, or the mode cannot be had there. EIO: a zone is read-only or offline. Nothing is changed.
Result<std::vector<WipePart>> wipe_parts(Session& session, WipeMode mode, const Region& region);

} // namespace zoneio
