// SPDX-License-Identifier: GPL-3.0-or-later
//
// Random load on an emulated zoned device above a recording file. Knows the present content of each zone, and what a power
// cut may leave of it, by the rules of PowerCut.
#pragma once

#include "block/log/power_cut.h"
#include "block/node/driver_rows.h"
#include "block/node/node.h"
#include "block/zoned/header.h"

#include "recording_driver.h"
#include "zone_reference.h"

#include <memory>
#include <optional>
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
    /// Content of a zone at the last flush, and after everything that came since.
    struct History {
        std::vector<uint8_t> flushed;
        std::vector<uint8_t> latest;
        bool was_offline = false;
    };
    /// The data of an entry that `cut_` knows; none for a reset.
    using EntryData = std::vector<uint8_t>;

    void write(BlockNode& node);
    void append(BlockNode& node);
    void manage(BlockNode& node);
    void condition(BlockNode& node);
    void after_change();
    /// Tells `cut_` that data was added to a zone, or is about to be.
    void extend(size_t zone, const std::vector<uint8_t>& data);
    void extend_with_zeros(size_t zone, uint64_t end);
    /// Tells it that the zone was reset, and has this data since.
    void replace(size_t zone, const std::vector<uint8_t>& data);
    void add_entry(LogKind kind, size_t zone, const EntryData& data);
    /// The data of a zone in a state; nothing where it has another length.
    std::optional<std::vector<uint8_t>> content(size_t zone, uint64_t state, uint64_t bytes) const;
    void expect_zone(BlockNode& node, size_t index, const ZoneDescriptor& shown) const;
    uint64_t below(uint64_t end) { return random_() % end; }
    std::vector<uint8_t> fresh_data(uint64_t bytes);

    const ZoneGeometry& geometry_;
    std::mt19937& random_;
    ReferenceDevice reference_;
    ReferenceDevice before_; ///< state when the last step began
    std::vector<History> histories_;
    PowerCut cut_;
    std::vector<EntryData> entries_;  ///< since the last flush
    uint64_t first_entry_ = 0;        ///< number of the first of them
};

} // namespace zoneio::testing
