// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/log/format.h"

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace zoneio {

/// The states in which a power cut may leave a device, computed from a log. No I/O. The rules for a cut after entry N, where
/// F is the last flush up to N:
///
/// - everything up to F survives;
/// - of each write or discard after F to a place without a write pointer, any units survive;
/// - in a sequential zone, the changes after F survive up to some point: the write pointer is between its positions at F
///   and at N, a reset survives or not, and nothing after a reset survives without it;
/// - forced writes (FUA) survive, and in a zone so does everything before them;
/// - the length of the image is as it is at N;
/// - open zones are closed: opens and closes leave no trace;
/// - the active-zone limit is not exceeded.
///
/// Memory grows with the number of entries after F and of active zones.
class PowerCut {
public:
    struct Device {
        uint64_t unit = 512;      ///< unit that is written as a whole or not at all, in bytes: a sector of the log or a
                                  ///< block of the device
        uint64_t zone_size = 0;   ///< in bytes; 0: no zones
        uint64_t max_active = 0;  ///< 0: no limit
        /// Writable bytes of a sequential zone; 0: the zone is conventional.
        std::function<uint64_t(uint64_t zone)> capacity = nullptr;
    };

    /// A part of an entry that survives: `bytes` bytes from the start of the entry.
    struct Piece {
        uint64_t entry = 0;
        uint64_t begin = 0;
        uint64_t bytes = 0;

        bool operator==(const Piece&) const = default;
    };

    /// Name of a state. For the same entries, it always identifies the same state.
    struct StateId {
        bool counted = false; ///< the state has this number among all; otherwise it follows from a seed
        uint64_t number = 0;

        /// The name as one word: `#5`, or `s5` for seed 5.
        std::string text() const;
        static Result<StateId> parse(std::string_view text);
    };

    explicit PowerCut(Device device) : device_(std::move(device)) {}

    /// Adds a zone that was active before the first entry.
    void add_active_zone(uint64_t zone, uint64_t pointer);
    /// Adds the next entry.
    void add(const LogEntry& entry);

    /// Entries below this number survive in every state.
    uint64_t settled() const { return settled_; }
    /// Number of states, where equal ones may count several times; UINT64_MAX if there are more.
    uint64_t count() const;
    /// The parts of entries, from settled() on, that survive in a state, in order. Numbers of counted states are below
    /// count(); in the last one, everything survives.
    std::vector<Piece> state(const StateId& id) const;

    /// The same of one sequential zone by itself: how many states, and what is there in one of them. The limit of active zones
    /// does not count.
    uint64_t zone_count(uint64_t zone) const;
    std::vector<Piece> zone_state(uint64_t zone, uint64_t number) const;

private:
    /// A change after the last flush, split at zones.
    struct Change {
        uint64_t entry = 0;
        LogKind kind{};
        uint64_t begin = 0;  ///< bytes from the start of the entry
        uint64_t bytes = 0;
        uint64_t offset = 0; ///< offset on the device
        bool durable = false;
        uint64_t units = 0;  ///< number of units that may survive; in a zone, number of places at which it may end
    };
    struct Zone {
        uint64_t pointer = 0;
        bool active = false;
    };
    /// Surviving units of each change: the first ones, or a set.
    struct Choice {
        std::vector<std::vector<bool>> units;
    };
    class Random;

    bool is_sequential(uint64_t offset) const;
    uint64_t zone_of(uint64_t offset) const { return offset / device_.zone_size; }
    void add_change(Change change);
    void settle(uint64_t entry);
    void settle_zone(uint64_t zone, size_t last);
    void step(Zone& zone, const Change& change, uint64_t bytes) const;

    Choice all(bool there) const;
    Choice counted_choice(uint64_t number) const;
    Choice random_choice(Random& random) const;
    void choose_prefix(Random& random, Choice& choice) const;
    void choose_one(Random& random, Choice& choice, bool lost) const;
    void choose_each(Random& random, Choice& choice) const;
    void keep_rules(Choice& choice) const;
    bool exceeds_active(const Choice& choice) const;
    std::vector<Piece> pieces(const Choice& choice) const;

    Device device_;
    uint64_t settled_ = 0;
    std::vector<Change> changes_;
    std::unordered_map<uint64_t, std::vector<size_t>> in_zone_; ///< changes of each sequential zone, in order
    std::unordered_map<uint64_t, Zone> zones_;                  ///< zones at the last flush; others are not active
};

} // namespace zoneio
