// SPDX-License-Identifier: GPL-3.0-or-later
#include "zoned_load.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

namespace zoneio::testing {

namespace {

const DriverInfo recording_info{"recording", true, false, nullptr, nullptr, {}};

uint64_t readable_bytes(const ZoneDescriptor& shown) {
    return shown.write_pointer == no_write_pointer ? shown.length : shown.write_pointer - shown.start;
}

std::vector<uint8_t> read_zone(BlockNode& node, const ZoneDescriptor& shown, uint64_t bytes) {
    std::vector<uint8_t> data(bytes);
    if (bytes > 0 && shown.state != ZoneState::offline) {
        EXPECT_TRUE(node.preadv(shown.start, IoVec(data.data(), data.size())).ok());
    }
    return data;
}

bool shows(const ReferenceZone& zone, const ZoneDescriptor& shown, const std::vector<uint8_t>& data) {
    return zone.state == shown.state && (shown.state == ZoneState::offline || zone.data == data);
}

/// The same during an operation, which may have closed the zone to make room for another one.
bool may_show(ReferenceZone zone, const ZoneDescriptor& shown, const std::vector<uint8_t>& data) {
    const bool is_victim = zone.state == ZoneState::implicit_open && shown.state == ZoneState::closed;
    zone.state = is_victim ? ZoneState::closed : zone.state;
    return shows(zone, shown, data);
}

} // namespace

RecordedDevice::RecordedDevice(const RecordedFile& file, const ZoneGeometry& geometry, NodeFlags flags) {
    auto made = std::make_unique<RecordingDriver>(file, ZonedLayout::table + ZonedLayout::table_bytes(geometry));
    recorder = made.get();
    OpenContext context;
    context.flags = flags;
    context.flags.unmap = true;
    context.child = std::make_unique<BlockNode>(recording_info, std::move(made), context.flags, "file", "file");
    Options options;
    Result<std::unique_ptr<BlockDriver>> driver = zoned_driver.open(context, options);
    if (!driver.ok()) {
        error = driver.status().message();
        recorder = nullptr;
        return;
    }
    node = std::make_unique<BlockNode>(zoned_driver, std::move(*driver), context.flags, "zoned", "");
}

std::vector<uint8_t> blank_image(const ZoneGeometry& geometry) {
    std::vector<uint8_t> image(ZonedLayout::file_bytes(geometry));
    const ZonedHeaderBytes header = encode_zoned_header(geometry);
    memcpy(image.data(), header.data(), header.size());
    memcpy(image.data() + ZonedLayout::header_copy, header.data(), header.size());
    return image;
}

ZoneGeometry random_geometry(std::mt19937& random) {
    constexpr uint64_t block = ZonedLoad::block;
    ZoneGeometry geometry;
    geometry.zone_size = block * (16 + random() % 40);
    geometry.zone_capacity = geometry.zone_size - block * (random() % 8);
    geometry.size = geometry.zone_size * (6 + random() % 6) - block * (random() % 3);
    geometry.conventional_zones = random() % 3;
    geometry.max_open_zones = random() % 4;
    geometry.max_active_zones = random() % 6;
    return geometry;
}

ZonedLoad::ZonedLoad(const ZoneGeometry& geometry, std::mt19937& random)
    : geometry_(geometry), random_(random), reference_(geometry), before_(geometry),
      cut_({.unit = block, .zone_size = geometry.zone_size, .max_active = 0, .capacity = [&geometry](uint64_t zone) -> uint64_t {
                return zone < geometry.conventional_zones ? 0 : geometry.zone_capacity;
            }}) {
    remember_flush();
}

std::vector<uint8_t> ZonedLoad::fresh_data(uint64_t bytes) {
    std::vector<uint8_t> data(bytes);
    for (uint64_t i = 0; i < bytes; i += sizeof(uint32_t)) {
        const auto value = static_cast<uint32_t>(random_());
        memcpy(data.data() + i, &value, sizeof(value));
    }
    return data;
}

void ZonedLoad::add_entry(LogKind kind, size_t zone, const EntryData& data) {
    if (reference_.zones[zone].conventional) {
        return;
    }
    LogEntry entry;
    entry.number = first_entry_ + entries_.size();
    entry.kind = kind;
    entry.offset = geometry_.zone_start(zone) + (kind == LogKind::write ? histories_[zone].latest.size() : 0);
    entry.length = kind == LogKind::write ? data.size() : geometry_.zone_length(zone);
    cut_.add(entry);
    entries_.push_back(data);
}

void ZonedLoad::extend(size_t zone, const std::vector<uint8_t>& data) {
    if (data.empty()) {
        return;
    }
    add_entry(LogKind::write, zone, data);
    histories_[zone].latest.insert(histories_[zone].latest.end(), data.begin(), data.end());
}

void ZonedLoad::extend_with_zeros(size_t zone, uint64_t end) {
    const uint64_t begin = histories_[zone].latest.size();
    extend(zone, std::vector<uint8_t>(end - std::min(begin, end)));
}

void ZonedLoad::replace(size_t zone, const std::vector<uint8_t>& data) {
    add_entry(LogKind::reset, zone, {});
    histories_[zone].latest.clear();
    extend(zone, data);
}

/// Continues the histories with the present content.
void ZonedLoad::after_change() {
    for (size_t i = 0; i < histories_.size(); i++) {
        const ReferenceZone& zone = reference_.zones[i];
        History& history = histories_[i];
        history.was_offline |= zone.state == ZoneState::offline;
        const std::vector<uint8_t>& latest = history.latest;
        const bool goes_on = zone.data.size() >= latest.size() && std::equal(latest.begin(), latest.end(), zone.data.begin());
        if (goes_on) {
            extend(i, std::vector<uint8_t>(zone.data.begin() + static_cast<ptrdiff_t>(latest.size()), zone.data.end()));
        } else {
            replace(i, zone.data);
        }
    }
}

void ZonedLoad::remember_flush() {
    LogEntry flush;
    flush.number = first_entry_ + entries_.size();
    flush.kind = LogKind::flush;
    cut_.add(flush);
    first_entry_ = flush.number + 1;
    entries_.clear();
    histories_.clear();
    for (const ReferenceZone& zone : reference_.zones) {
        histories_.push_back({zone.data, zone.data, zone.state == ZoneState::offline});
    }
}

void ZonedLoad::write(BlockNode& node) {
    const uint64_t zone = below(geometry_.zone_count());
    const uint64_t pointer = reference_.zones[zone].conventional ? block * below(geometry_.zone_length(zone) / block)
                                                                 : reference_.zones[zone].data.size();
    const uint64_t room = geometry_.zone_length(zone) - std::min(pointer, geometry_.zone_length(zone));
    if (room == 0) {
        return;
    }
    std::vector<uint8_t> data = fresh_data(block * (1 + below(std::min<uint64_t>(room / block, 6))));
    const bool zeros = below(6) == 0;
    if (zeros) {
        std::fill(data.begin(), data.end(), uint8_t{0});
    }
    // During the operation, the zone may have the data or not.
    const bool may_write = !reference_.zones[zone].conventional && ReferenceDevice(reference_).write(zone, pointer, data) == 0;
    if (may_write) {
        extend(zone, data);
    }
    const uint64_t offset = geometry_.zone_start(zone) + pointer;
    const Status status = zeros ? node.pwrite_zeroes(offset, data.size(), {true, true, false})
                                : node.pwritev(offset, IoVec(data.data(), data.size()), {});
    if (status.ok()) {
        EXPECT_EQ(reference_.write(zone, pointer, data), 0);
    } else {
        // If no rule of the zone explains the error, it is an injected failure of a flush, before or after the data was
        // written.
        if (reference_.zones[zone].conventional) {
            std::vector<uint8_t>& known = reference_.zones[zone].data;
            EXPECT_TRUE(node.preadv(geometry_.zone_start(zone), IoVec(known.data(), known.size())).ok());
        }
        if (may_write) {
            replace(zone, reference_.zones[zone].data);
        }
    }
}

void ZonedLoad::append(BlockNode& node) {
    const uint64_t zone = geometry_.conventional_zones + below(geometry_.zone_count() - geometry_.conventional_zones);
    std::vector<uint8_t> data = fresh_data(block * (1 + below(4)));
    const uint64_t pointer = reference_.zones[zone].data.size();
    const bool may_write = ReferenceDevice(reference_).write(zone, pointer, data) == 0;
    if (may_write) {
        extend(zone, data);
    }
    const Result<uint64_t> position = node.zone_append(geometry_.zone_start(zone), IoVec(data.data(), data.size()), {});
    if (position.ok()) {
        EXPECT_EQ(*position, geometry_.zone_start(zone) + pointer);
        EXPECT_EQ(reference_.write(zone, pointer, data), 0);
    } else if (may_write) {
        replace(zone, reference_.zones[zone].data);
    }
}

void ZonedLoad::manage(BlockNode& node) {
    const uint64_t zones = geometry_.zone_count();
    const auto op = static_cast<ZoneOp>(below(4));
    uint64_t first = geometry_.conventional_zones + below(zones - geometry_.conventional_zones);
    uint64_t count = below(4) == 0 ? 1 + below(zones - first) : 1;
    if (below(30) == 0) {
        first = 0;
        count = zones;
    }
    const uint64_t end = std::min(geometry_.size, (first + count) * geometry_.zone_size);
    // The interrupted operation may be done in some zones and not in others.
    ReferenceDevice trial = reference_;
    for (uint64_t zone = first; zone < first + count; zone++) {
        if (trial.manage(op, zone) == 0 && op == ZoneOp::finish) {
            extend_with_zeros(zone, reference_.zones[zone].length);
        }
    }
    (void)node.zone_mgmt(op, geometry_.zone_start(first), end - geometry_.zone_start(first));
    // With failing flushes, only the device knows which zones were done: its report is used, and the data is checked.
    reference_.manage_range(op, first, count);
}

void ZonedLoad::condition(BlockNode& node) {
    const uint64_t zone = geometry_.conventional_zones + below(geometry_.zone_count() - geometry_.conventional_zones);
    constexpr ZoneState conditions[] = {ZoneState::read_only, ZoneState::offline, ZoneState::empty, ZoneState::empty};
    // After a power cut, the content of an offline zone is unknown: it can only come back empty.
    const bool is_offline = reference_.zones[zone].state == ZoneState::offline;
    const ZoneState state = is_offline ? ZoneState::empty : conditions[below(4)];
    if (state == ZoneState::read_only) {
        extend_with_zeros(zone, geometry_.zone_length(zone));
    }
    histories_[zone].was_offline |= state == ZoneState::offline;
    const Status status = node.set_zone_state(geometry_.zone_start(zone), geometry_.zone_length(zone), state);
    if (status.ok()) {
        reference_.set_condition(zone, state);
    }
}

void ZonedLoad::settle(BlockNode& node) {
    (void)node.zone_report(0, reference_.zones.size(), [&](const ZoneDescriptor& shown) {
        ReferenceZone& zone = reference_.zones[shown.start / geometry_.zone_size];
        if (zone.conventional || (zone.state == shown.state && (shown.write_pointer == no_write_pointer ||
                                                                 shown.write_pointer == shown.start + zone.data.size()))) {
            return;
        }
        zone.state = shown.state;
        zone.data = read_zone(node, shown, readable_bytes(shown));
    });
    after_change();
}

void ZonedLoad::take_over(BlockNode& node) {
    (void)node.zone_report(0, reference_.zones.size(), [&](const ZoneDescriptor& shown) {
        ReferenceZone& zone = reference_.zones[shown.start / geometry_.zone_size];
        zone.state = shown.state;
        zone.data = read_zone(node, shown, readable_bytes(shown));
    });
    after_change();
}

bool ZonedLoad::step(BlockNode& node) {
    bool flushed = false;
    before_ = reference_;
    const uint64_t kind = below(100);
    if (kind < 45) {
        write(node);
    } else if (kind < 60) {
        append(node);
    } else if (kind < 85) {
        manage(node);
    } else if (kind < 87) {
        condition(node);
    } else {
        flushed = node.flush().ok() && !node.flags().no_flush;
    }
    settle(node);
    return flushed;
}

void ZonedLoad::expect_flushed_or_newer(BlockNode& node) const {
    size_t index = 0;
    const Result<uint64_t> shown =
        node.zone_report(0, geometry_.zone_count(), [&](const ZoneDescriptor& zone) { expect_zone(node, index++, zone); });
    ASSERT_TRUE(shown.ok());
    ASSERT_EQ(index, histories_.size());
}

std::optional<std::vector<uint8_t>> ZonedLoad::content(size_t zone, uint64_t state, uint64_t bytes) const {
    const std::vector<PowerCut::Piece> pieces = cut_.zone_state(zone, state);
    const auto data_of = [&](const PowerCut::Piece& piece) -> const EntryData& { return entries_[piece.entry - first_entry_]; };
    uint64_t length = histories_[zone].flushed.size();
    for (const PowerCut::Piece& piece : pieces) {
        length = data_of(piece).empty() ? 0 : length + piece.bytes;
    }
    if (length != bytes) {
        return std::nullopt;
    }
    std::vector<uint8_t> content = histories_[zone].flushed;
    for (const PowerCut::Piece& piece : pieces) {
        const EntryData& data = data_of(piece);
        if (data.empty()) {
            content.clear();
        } else {
            const auto begin = data.begin() + static_cast<ptrdiff_t>(piece.begin);
            content.insert(content.end(), begin, begin + static_cast<ptrdiff_t>(piece.bytes));
        }
    }
    return content;
}

void ZonedLoad::expect_zone(BlockNode& node, size_t index, const ZoneDescriptor& shown) const {
    if (shown.type == ZoneType::conventional) {
        return;
    }
    const History& history = histories_[index];
    if (shown.state == ZoneState::offline) {
        EXPECT_TRUE(history.was_offline) << "zone " << index << " is offline and never was";
        return;
    }
    const uint64_t pointer = readable_bytes(shown);
    // A report holds the driver's lock; reads do not take it.
    const std::vector<uint8_t> data = read_zone(node, shown, shown.length);
    const auto end = data.begin() + static_cast<ptrdiff_t>(pointer);
    bool found = false;
    for (uint64_t state = 0; state < cut_.zone_count(index) && !found; state++) {
        const std::optional<std::vector<uint8_t>> possible = content(index, state, pointer);
        found = possible && std::equal(data.begin(), end, possible->begin());
    }
    EXPECT_TRUE(found) << "zone " << index << ": state " << static_cast<int>(shown.state) << ", pointer " << pointer
                       << ", flushed at " << history.flushed.size() << "; none of " << cut_.zone_count(index) << " possible states";
    const bool clean = std::all_of(end, data.end(), [](uint8_t b) { return b == 0xff; });
    EXPECT_TRUE(clean) << "zone " << index << ": stale bytes above its pointer";
}

void ZonedLoad::expect_as_known(BlockNode& node, bool in_step) const {
    size_t index = 0;
    const Result<uint64_t> count = node.zone_report(0, geometry_.zone_count(), [&](const ZoneDescriptor& shown) {
        const std::vector<uint8_t> data = read_zone(node, shown, readable_bytes(shown));
        const bool as_known = shows(reference_.zones[index], shown, data);
        EXPECT_TRUE(as_known || (in_step && may_show(before_.zones[index], shown, data)))
            << "zone " << index << ": state " << static_cast<int>(shown.state) << ", pointer " << readable_bytes(shown)
            << "; known: state " << static_cast<int>(reference_.zones[index].state) << ", pointer "
            << reference_.zones[index].data.size();
        index++;
    });
    EXPECT_TRUE(count.ok());
    EXPECT_EQ(index, reference_.zones.size());
}

} // namespace zoneio::testing
