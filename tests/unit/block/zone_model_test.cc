// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/model.h"

#include "zone_reference.h"

#include <gtest/gtest.h>
#include <random>

namespace zoneio {
namespace {

using testing::ReferenceDevice;
using testing::ReferenceZone;

constexpr uint64_t block = 512;
constexpr uint64_t zone_blocks = 8;

ZoneGeometry small_geometry(uint64_t max_open, uint64_t max_active, uint64_t capacity_blocks = zone_blocks) {
    ZoneGeometry geometry;
    geometry.size = 12 * zone_blocks * block;
    geometry.zone_size = zone_blocks * block;
    geometry.zone_capacity = capacity_blocks * block;
    geometry.conventional_zones = 2;
    geometry.max_open_zones = max_open;
    geometry.max_active_zones = max_active;
    return geometry;
}

/// ZoneModel and the naive model side by side.
class Pair {
public:
    explicit Pair(const ZoneGeometry& shape)
        : geometry(shape), entries(shape.zone_count()), table(entries), model(geometry, table), reference(shape) {
        EXPECT_TRUE(model.load().ok());
    }

    int write(uint64_t zone, uint64_t pointer, uint64_t bytes) {
        const Result<ZoneChange> change = model.begin_write(zone, pointer, bytes);
        check_unchanged();
        const int expected = reference.write(zone, pointer, std::vector<uint8_t>(bytes, 1));
        EXPECT_EQ(change.status().code(), expected);
        if (change.ok()) {
            EXPECT_EQ(change->before.pointer, pointer);
            EXPECT_TRUE(model.commit(*change).ok());
        }
        check();
        return expected;
    }

    int append(uint64_t zone, uint64_t bytes) {
        const uint64_t pointer = reference.zones[zone].data.size();
        const Result<ZoneChange> change = model.begin_append(zone, bytes);
        check_unchanged();
        const int expected = bytes == 0 ? 0 : reference.write(zone, pointer, std::vector<uint8_t>(bytes, 1));
        EXPECT_EQ(change.status().code(), expected);
        if (change.ok()) {
            EXPECT_EQ(change->before.pointer, pointer);
            EXPECT_TRUE(model.commit(*change).ok());
        }
        check();
        return expected;
    }

    int manage(ZoneOp op, uint64_t first, uint64_t count) {
        const Status status = model.manage(op, first, count, [&](const ZoneChange& change) { return model.commit(change); });
        const int expected = reference.manage_range(op, first, count);
        EXPECT_EQ(status.code(), expected);
        check();
        return expected;
    }

    void set_condition(uint64_t zone, ZoneState state) {
        const Result<ZoneChange> change = model.begin_state(zone, state);
        ASSERT_TRUE(change.ok());
        EXPECT_TRUE(model.commit(*change).ok());
        reference.set_condition(zone, state);
        check();
    }

    void check() {
        for (uint64_t zone = 0; zone < reference.zones.size(); zone++) {
            const ReferenceZone& expected = reference.zones[zone];
            const ZoneDescriptor shown = model.describe(zone);
            EXPECT_EQ(shown.start, expected.start);
            EXPECT_EQ(shown.length, expected.length);
            EXPECT_EQ(shown.state, expected.state) << "zone " << zone;
            EXPECT_TRUE(is_valid_word(geometry, zone, table.current_bits(zone))) << "zone " << zone;
            const bool has_pointer = expected.state != ZoneState::read_only && expected.state != ZoneState::offline;
            EXPECT_EQ(shown.write_pointer, has_pointer ? expected.start + expected.data.size() : no_write_pointer);
        }
        EXPECT_EQ(model.open_zones(), reference.open_zones());
        EXPECT_EQ(model.active_zones(), reference.active_zones());
        remember();
    }

    ZoneGeometry geometry;
    std::vector<ZoneEntry> entries;
    ZoneTable table;
    ZoneModel model;
    ReferenceDevice reference;

private:
    void remember() {
        before_.clear();
        for (uint64_t zone = 0; zone < table.size(); zone++) {
            before_.push_back(table.current_bits(zone));
        }
    }

    /// Calls that fail or only ask change nothing.
    void check_unchanged() {
        for (uint64_t zone = 0; zone < before_.size(); zone++) {
            EXPECT_EQ(before_[zone], table.current_bits(zone));
        }
    }

    std::vector<uint64_t> before_;
};

constexpr uint64_t subject = 5; // the zone to which the operation applies

/// Operations on the zone before the tested one.
enum class Before { empty, implicit_open, explicit_empty, explicit_written, closed, full, finished, read_only, offline };

constexpr Before befores[] = {Before::empty,  Before::implicit_open, Before::explicit_empty, Before::explicit_written, Before::closed,
                            Before::full,   Before::finished,      Before::read_only,      Before::offline};

void bring_into(Pair& pair, Before setup) {
    const uint64_t capacity = pair.geometry.capacity_of(subject);
    switch (setup) {
    case Before::empty: break;
    case Before::implicit_open: pair.write(subject, 0, block); break;
    case Before::explicit_empty: pair.manage(ZoneOp::open, subject, 1); break;
    case Before::explicit_written:
        pair.manage(ZoneOp::open, subject, 1);
        pair.write(subject, 0, block);
        break;
    case Before::closed:
        pair.write(subject, 0, block);
        pair.manage(ZoneOp::close, subject, 1);
        break;
    case Before::full: pair.write(subject, 0, capacity); break;
    case Before::finished: pair.manage(ZoneOp::finish, subject, 1); break;
    case Before::read_only: pair.set_condition(subject, ZoneState::read_only); break;
    case Before::offline: pair.set_condition(subject, ZoneState::offline); break;
    }
}

/// Uses up the limits with other zones.
void occupy(Pair& pair, uint64_t explicit_open, uint64_t implicit_open, uint64_t closed) {
    uint64_t zone = 6;
    for (uint64_t i = 0; i < closed; i++, zone++) {
        pair.write(zone, 0, block);
        pair.manage(ZoneOp::close, zone, 1);
    }
    for (uint64_t i = 0; i < explicit_open; i++, zone++) {
        pair.manage(ZoneOp::open, zone, 1);
    }
    for (uint64_t i = 0; i < implicit_open; i++, zone++) {
        pair.write(zone, 0, block);
    }
}

/// Every state x every operation x every way to use up the limits, compared with the naive model.
TEST(ZoneModel, FullTable) {
    size_t rows = 0;
    for (const uint64_t max_open : {0U, 1U, 2U, 3U}) {
        for (const uint64_t max_active : {0U, 1U, 2U, 3U, 4U}) {
            for (const uint64_t capacity : {zone_blocks, zone_blocks - 2}) {
                for (const Before setup : befores) {
                    for (int occupied = 0; occupied < 27; occupied++) {
                        for (int operation = 0; operation < 9; operation++) {
                            Pair pair(small_geometry(max_open, max_active, capacity));
                            bring_into(pair, setup);
                            occupy(pair, static_cast<uint64_t>(occupied % 3), static_cast<uint64_t>(occupied / 3 % 3),
                                   static_cast<uint64_t>(occupied / 9));
                            const uint64_t pointer = pair.reference.zones[subject].data.size();
                            const uint64_t rest = pair.geometry.capacity_of(subject) - std::min(pointer, pair.geometry.capacity_of(subject));
                            switch (operation) {
                            case 0: pair.manage(ZoneOp::open, subject, 1); break;
                            case 1: pair.manage(ZoneOp::close, subject, 1); break;
                            case 2: pair.manage(ZoneOp::finish, subject, 1); break;
                            case 3: pair.manage(ZoneOp::reset, subject, 1); break;
                            case 4: pair.write(subject, std::min(pointer, zone_blocks * block - block), block); break;
                            case 5: pair.append(subject, std::max(rest, block)); break;
                            case 6: pair.append(subject, rest + block); break;
                            case 7: pair.write(subject, pointer == 0 ? block : pointer - block, block); break;
                            case 8: pair.append(subject, 0); break;
                            }
                            rows++;
                            if (::testing::Test::HasFailure()) {
                                FAIL() << "max_open " << max_open << " max_active " << max_active << " setup "
                                       << static_cast<int>(setup) << " occupied " << occupied << " operation " << operation;
                            }
                        }
                    }
                }
            }
        }
    }
    EXPECT_EQ(rows, 4U * 5 * 2 * 9 * 27 * 9);
}

TEST(ZoneModel, ImplicitlyOpenZonesAreClosedInTurn) {
    Pair pair(small_geometry(2, 0));
    pair.write(2, 0, block);
    pair.write(3, 0, block);
    struct Step {
        uint64_t written, closed;
    };
    for (const auto& [written, closed] : {Step{4, 2}, Step{5, 3}, Step{6, 4}, Step{2, 5}, Step{3, 6}, Step{4, 2}}) {
        EXPECT_EQ(pair.table.current(closed).state, ZoneState::implicit_open);
        pair.write(written, pair.table.current(written).pointer, block);
        EXPECT_EQ(pair.table.current(closed).state, ZoneState::closed) << "after a write to zone " << written;
        EXPECT_EQ(pair.table.current(written).state, ZoneState::implicit_open);
    }
}

TEST(ZoneModel, RandomSequences) {
    constexpr int sequences = 300;
    constexpr int steps = 400;
    for (unsigned seed = 0; seed < sequences; seed++) {
        std::mt19937 random(seed);
        const auto below = [&](uint64_t end) { return random() % end; };
        ZoneGeometry geometry = small_geometry(below(5), below(7), zone_blocks - below(3));
        geometry.size -= below(2) * 3 * block;
        geometry.conventional_zones = below(4);
        Pair pair(geometry);
        const uint64_t zones = geometry.zone_count();
        for (int step = 0; step < steps; step++) {
            const uint64_t zone = geometry.conventional_zones + below(zones - geometry.conventional_zones);
            const uint64_t pointer = std::min<uint64_t>(pair.reference.zones[zone].data.size(), geometry.zone_length(zone) - block);
            switch (below(10)) {
            case 0:
            case 1:
            case 2: pair.write(zone, pointer, block * (1 + below(3))); break;
            case 3: pair.write(zone, block * below(geometry.zone_length(zone) / block), block); break;
            case 4:
            case 5: pair.append(zone, block * below(4)); break;
            case 6: {
                const uint64_t first = below(zones);
                pair.manage(static_cast<ZoneOp>(below(4)), first, 1 + below(zones - first));
                break;
            }
            case 7: pair.manage(static_cast<ZoneOp>(below(4)), below(2) == 0 ? 0 : zone, below(2) == 0 ? zones - zone : 1); break;
            case 8:
                if (below(20) == 0) {
                    constexpr ZoneState conditions[] = {ZoneState::read_only, ZoneState::offline, ZoneState::empty};
                    pair.set_condition(zone, conditions[below(3)]);
                }
                break;
            default: pair.manage(static_cast<ZoneOp>(below(4)), zone, 1); break;
            }
            if (::testing::Test::HasFailure()) {
                FAIL() << "seed " << seed << " step " << step;
            }
        }
    }
}

TEST(ZoneModel, LimitsAsInSysfs) {
    const ZoneGeometry all = small_geometry(10, 10);
    EXPECT_EQ(all.effective_max_active(), 0U);
    EXPECT_EQ(all.effective_max_open(), 0U);
    const ZoneGeometry lowered = small_geometry(9, 3);
    EXPECT_EQ(lowered.effective_max_active(), 3U);
    EXPECT_EQ(lowered.effective_max_open(), 3U);
}

TEST(ZoneModel, LoadRefusesTooManyActiveZones) {
    Pair pair(small_geometry(0, 2));
    std::vector<ZoneEntry> entries = pair.entries;
    ZoneTable table(entries);
    for (uint64_t zone = 2; zone < 5; zone++) {
        EXPECT_TRUE(table.store(zone, {ZoneState::closed, block}).ok());
    }
    ZoneModel model(pair.geometry, table);
    EXPECT_EQ(model.load().message(), "3 zones are active; the limit is 2");
}

} // namespace
} // namespace zoneio
