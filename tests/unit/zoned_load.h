// SPDX-License-Identifier: GPL-3.0-or-later
//
// Random load on an emulated zoned device above a recording file. Knows the present content of each zone and every
// content that it had since the last flush.
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

/// The driver above a recording file, with access to the recorder.
struct RecordedDevice {
    RecordingDriver* recorder = nullptr;
    std::unique_ptr<BlockNode> node;
    std::string error; ///< error of opening

    RecordedDevice(const RecordedFile& file, const ZoneGeometry& geometry, NodeFlags flags = {});
};

/// A newly formatted device whose session page is unwritten.
std::vector<uint8_t> blank_image(const ZoneGeometry& geometry);

/// Six to eleven small zones with random capacity, limits and conventional zones.
ZoneGeometry random_geometry(std::mt19937& random);

class ZonedLoad {
public:
    static constexpr uint64_t block = 512;

    ZonedLoad(const ZoneGeometry& geometry, std::mt19937& random);

    /// Runs one random operation on `node`. True if it was a successful flush.
    bool step(BlockNode& node);
    /// Adopts the device's state if a failure left it open.
    void settle(BlockNode& node);
    /// Adopts everything that the device holds: at the start of a session, after it was checked.
    void take_over(BlockNode& node);
    /// Restarts the histories: everything is on the medium.
    void remember_flush();

    /// Compares a device whose medium may have lost writes with the histories.
    void expect_flushed_or_newer(BlockNode& node) const;
    /// Compares a device that cannot have lost anything: each zone is as known or, with `in_step`, as before the last
    /// step.
    void expect_as_known(BlockNode& node, bool in_step) const;

private:
    /// Contents of a zone since the last flush; each reset starts a new one.
    struct History {
        size_t flushed_bytes = 0; ///< length of the first content
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
    ReferenceDevice before_; ///< state when the last step began
    std::vector<History> histories_;
};

} // namespace zoneio::testing
