// SPDX-License-Identifier: GPL-3.0-or-later
//
// Overwrites a range of the open image, and verifies the result.
#pragma once

#include "commands/region/range.h"
#include "commands/region/reader.h"

namespace zoneio {

enum class WipeMode : uint8_t {
    zero,    ///< the range reads as zeros
    discard, ///< the device may discard the data
    random,  ///< unpredictable bytes
    secure,  ///< random bytes, then zeros; both written as data and flushed
};

/// A part of a range, and what happens to it.
struct WipePart {
    Region region;
    bool reset = false; ///< sequential zones, which are reset whatever the mode is
};

/// Overwrites the parts of a range in order.
class Wipe {
public:
    Wipe(Session& session, WipeMode mode, std::vector<WipePart> parts);

    /// Overwrites everything. EINTR: the user interrupted the command.
    Status run();
    /// Reads everything back. Of zones that were reset, only checks that they are empty. EINTR: interrupted; EILSEQ:
    /// the content is wrong.
    Status verify();
    /// Bytes processed by the last run() or verify().
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

/// Splits a range into parts. On a zoned device, sequential zones are reset, so the range must start and end at zones
/// there.
///
/// EINVAL: it does not, or the mode is impossible there. EIO: a zone is read-only or offline. Changes nothing.
Result<std::vector<WipePart>> wipe_parts(Session& session, WipeMode mode, const Region& region);

} // namespace zoneio
