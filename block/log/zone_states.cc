// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/log/zone_states.h"

#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr unsigned state_position = 56; ///< position of a zone's state in the word with its number

void store_le32(uint8_t* bytes, uint32_t value) {
    for (unsigned i = 0; i < 4; i++) {
        bytes[i] = static_cast<uint8_t>(value >> (8 * i));
    }
}

uint32_t load_le32(const uint8_t* bytes) {
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++) {
        value |= uint32_t{bytes[i]} << (8 * i);
    }
    return value;
}

bool is_active(ZoneState state) {
    return state == ZoneState::implicit_open || state == ZoneState::explicit_open || state == ZoneState::closed;
}

std::string text_of(const LoggedZone& zone) {
    constexpr std::string_view empty = "empty";
    const auto name = [&]() -> std::string_view {
        switch (zone.state) {
        case ZoneState::implicit_open:
        case ZoneState::explicit_open: return "open";
        case ZoneState::closed: return "closed";
        case ZoneState::read_only: return "read-only";
        case ZoneState::full: return "full";
        case ZoneState::offline: return "offline";
        default: return empty;
        }
    };
    return is_active(zone.state) ? fmt::format("{} with {} bytes written", name(), zone.pointer) : std::string(name());
}

Status differs(uint64_t number, const LoggedZone& now, const LoggedZone& then) {
    return Status::invalid(fmt::format("zone {} is {}; when the log began it was {}", number, text_of(now), text_of(then)))
        .because(Cause::write_log_of_other);
}

} // namespace

LoggedDevice LoggedDevice::of(const Limits& limits, uint64_t length, uint64_t cursor) {
    LoggedDevice device;
    device.length = length;
    device.zone_size = limits.zone_size;
    device.max_open_zones = limits.max_open_zones;
    device.max_active_zones = limits.max_active_zones;
    device.write_granularity = limits.write_granularity;
    device.max_append_bytes = limits.max_append_bytes;
    device.cursor = cursor;
    return device;
}

void LoggedDevice::encode(std::span<uint8_t> bytes) const {
    store_le64(&bytes[0], length);
    store_le64(&bytes[8], zone_size);
    store_le32(&bytes[16], max_open_zones);
    store_le32(&bytes[20], max_active_zones);
    store_le32(&bytes[24], write_granularity);
    store_le32(&bytes[28], 0);
    store_le64(&bytes[32], max_append_bytes);
    store_le64(&bytes[40], cursor);
}

Result<LoggedDevice> LoggedDevice::decode(std::string_view bytes) {
    LoggedDevice device;
    const auto* const at = reinterpret_cast<const uint8_t*>(bytes.data());
    if (bytes.size() >= bytes_on_medium) {
        device.length = load_le64(at);
        device.zone_size = load_le64(at + 8);
        device.max_open_zones = load_le32(at + 16);
        device.max_active_zones = load_le32(at + 20);
        device.write_granularity = load_le32(at + 24);
        device.max_append_bytes = load_le64(at + 32);
        device.cursor = load_le64(at + 40);
    }
    const bool is_one = device.zone_size > 0 && device.length >= device.zone_size && device.length <= INT64_MAX;
    return is_one ? Result<LoggedDevice>(device) : Status::invalid("the log describes a device that is no zoned one");
}

bool LoggedZone::is_told(const ZoneDescriptor& zone) {
    return zone.type != ZoneType::conventional && zone.state != ZoneState::empty;
}

LoggedZone LoggedZone::of(const ZoneDescriptor& zone, uint64_t zone_size) {
    const bool has_pointer = zone.write_pointer != no_write_pointer && zone.write_pointer >= zone.start;
    return {zone.start / zone_size, zone.state, has_pointer ? zone.write_pointer - zone.start : 0};
}

void LoggedZone::encode(uint8_t* bytes) const {
    // The first byte stays 0: replay-log refuses entries with another first byte, unless they are marks.
    store_le64(bytes, number << 8 | uint64_t{static_cast<uint8_t>(state)} << state_position);
    store_le64(bytes + 8, pointer);
}

LoggedZone LoggedZone::decode(const uint8_t* bytes) {
    const uint64_t first = load_le64(bytes);
    return {(first & ((uint64_t{1} << state_position) - 1)) >> 8, static_cast<ZoneState>(first >> state_position), load_le64(bytes + 8)};
}

bool LoggedZone::is_like(const LoggedZone& other) const {
    if (is_active(state) && is_active(other.state)) {
        return pointer == other.pointer;
    }
    // An open zone without data becomes empty when it is closed.
    const auto is_bare = [](const LoggedZone& zone) { return is_active(zone.state) ? zone.pointer == 0 : zone.state == ZoneState::empty; };
    return state == other.state || (is_bare(*this) && is_bare(other));
}

Status log_zones(uint64_t zone_size, size_t room, const ZoneReport& report,
                 const std::function<Status(std::span<const uint8_t>)>& put) {
    std::vector<uint8_t> piece;
    const size_t most = room / LoggedZone::bytes_on_medium * LoggedZone::bytes_on_medium;
    Status status;
    const auto put_piece = [&] {
        if (status.ok() && !piece.empty()) {
            status = put(piece);
        }
        piece.clear();
    };
    const Result<uint64_t> seen = report([&](const ZoneDescriptor& zone) {
        if (!LoggedZone::is_told(zone)) {
            return;
        }
        piece.resize(piece.size() + LoggedZone::bytes_on_medium);
        LoggedZone::of(zone, zone_size).encode(&piece[piece.size() - LoggedZone::bytes_on_medium]);
        if (piece.size() == most) {
            put_piece();
        }
    });
    put_piece();
    return seen.ok() ? status : seen.status();
}

Result<LoggedZones> LoggedZones::read(LogReader& reader, const LogEntry& device) {
    Result<std::string> own = reader.own_bytes(device);
    if (!own.ok()) {
        return std::move(own).status();
    }
    const LoggedDevice shape = TRY(LoggedDevice::decode(*own));
    LoggedZones logged{shape, {}};
    while (true) {
        const std::optional<LogEntry> entry = TRY(reader.next());
        if (!entry) {
            return logged;
        }
        if (entry->kind != LogKind::zones) {
            reader.go_to(*entry);
            return logged;
        }
        own = reader.own_bytes(*entry);
        if (!own.ok()) {
            return std::move(own).status();
        }
        for (size_t at = 0; at + LoggedZone::bytes_on_medium <= own->size(); at += LoggedZone::bytes_on_medium) {
            logged.zones.push_back(LoggedZone::decode(reinterpret_cast<const uint8_t*>(own->data()) + at));
        }
    }
}

Status LoggedZones::check(const Limits& limits, uint64_t length, const ZoneReport& report) const {
    if (limits.zoned == ZonedModel::none) {
        return Status::invalid("the log is that of a zoned device, and the image that is open is none")
            .because(Cause::write_log_of_other);
    }
    if (length != device.length || limits.zone_size != device.zone_size) {
        return Status::invalid(fmt::format("the device has {} bytes in zones of {}; that of the log had {} in zones of {}",
                                           length, limits.zone_size, device.length, device.zone_size))
            .because(Cause::write_log_of_other);
    }
    Status problem;
    auto then = zones.begin();
    const Result<uint64_t> seen = report([&](const ZoneDescriptor& zone) {
        const LoggedZone now = LoggedZone::of(zone, limits.zone_size);
        LoggedZone logged{now.number, ZoneState::empty, 0};
        if (then != zones.end() && then->number == now.number) {
            logged = *then++;
        }
        if (problem.ok() && zone.type != ZoneType::conventional && !now.is_like(logged)) {
            problem = differs(now.number, now, logged);
        }
    });
    return seen.ok() ? problem : seen.status();
}

} // namespace zoneio
