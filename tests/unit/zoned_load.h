// SPDX-License-Identifier: GPL-3.0-or-later
//
// A random load on an emulated zoned device over a recording file, and what is known of its zones: as they are, and
// every content that each had since the last flush.
#pragma once

#include "block/node/driver_rows.h"
#include "block/node/node.h"
#include "block/zoned/header.h"

#include "recording_driver.h"
#include "zone_reference.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace zoneio::testing {

/// The driver over a recording file, with the recorder in reach.
struct RecordedDevice {
    RecordingDriver* recorder = nullptr;
    std::unique_ptr<BlockNode> node;
    std::string error; ///< why it did not open

    RecordedDevice(const RecordedFile& file, const ZoneGeometry& geometry, NodeFlags flags = {});
};

/// A device as format makes it, whose session page nobody has written.
std::vector<uint8_t> blank_image(const ZoneGeometry& geometry);

/// Six to eleven small zones with random capacity, limits and conventional zones.
ZoneGeometry random_geometry(std::mt19937& random);

class ZonedLoad {
public:
    static constexpr uint64_t block = 512;

    ZonedLoad(const ZoneGeometry& geometry, std::mt19937& random);

    /// One random operation on `node`. True when it was a flush that succeeded.
    bool step(BlockNode& node);
    /// Takes what the device says as what is so, where a failure left that open.
    void settle(BlockNode& node);
    /// Takes all that the device holds as what is so: at the start of a session, after what was found was checked.
    void take_over(BlockNode& node);
    /// Begins the histories anew: everything is on the medium as it is.
    void remember_flush();

    /// Holds what a device shows after its medium may have lost writes against the histories.
    void expect_flushed_or_newer(BlockNode& node) const;
    /// The same where nothing can have been lost: each zone is as it is known to be or, `in_step`, as before the last step.
    void expect_as_known(BlockNode& node, bool in_step) const;

private:
    /// What a zone has held since the last flush: one content from each reset to the next.
    struct History {
        size_t flushed_bytes = 0; ///< of the first content
        std::vector<std::vector<uint8_t>> contents;
        bool was_offline = false;
    };

    void write(BlockNode& node);
    void append(BlockNode& node);
    void manage(BlockNode& node);
    void condition(BlockNode& node);
    void after_change();
    void expect_zone(BlockNode& node, size_t index, const ZoneDescriptor& shown) const;
    uint64_t below(uint64_t end) { return random_() % end; }
    std::vector<uint8_t> fresh_data(uint64_t bytes);

    const ZoneGeometry& geometry_;
    std::mt19937& random_;
    ReferenceDevice reference_;
    ReferenceDevice before_; ///< as it was when the last step began
    std::vector<History> histories_;
};

} // namespace zoneio::testing
