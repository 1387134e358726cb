// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/log/format.h"

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace zoneio {

/// What a power cut may leave of a device, by what was done to it. No I/O. The rules, for a cut behind entry N where F is the
/// last flush up to there:
///
/// - everything up to F is there;
/// - of each write behind F to a place without a write pointer, any of its units are there and the others are not; the
///   same of discards;
/// - what was done to a sequential zone behind F is there up to some point and not beyond it: a pointer between where F saw
///   it and where N left it, a reset that has happened or not, and nothing that came behind a reset without it;
/// - what was forced out (FUA) is there, and in a zone what came before it there;
/// - open zones are closed: opens and closes leave no trace;
/// - no more zones are active than may be.
///
/// Memory grows with the entries behind F, and with the zones that are active.
class PowerCut {
public:
    struct Device {
        uint64_t unit = 512;      ///< what is written whole or not at all: a sector of the log, a block of the device; bytes
        uint64_t zone_size = 0;   ///< bytes; 0: there are no zones
        uint64_t max_active = 0;  ///< 0: no limit
        /// Writable bytes of a sequential zone; 0: the zone is conventional.
        std::function<uint64_t(uint64_t zone)> capacity = nullptr;
    };

    /// A part of an entry that has happened: so many bytes from where the entry begins.
    struct Piece {
        uint64_t entry = 0;
        uint64_t begin = 0;
        uint64_t bytes = 0;

        bool operator==(const Piece&) const = default;
    };

    /// The name of a state: two of the same name are the same, for the same entries.
    struct StateId {
        bool counted = false; ///< one of all of them; else one that a seed gives
        uint64_t number = 0;

        /// `#5`, or `seed 5` as one word: `s5`.
        std::string text() const;
        static Result<StateId> parse(std::string_view text);
    };

    explicit PowerCut(Device device) : device_(std::move(device)) {}

    /// A zone that was active before the first entry.
    void add_active_zone(uint64_t zone, uint64_t pointer);
    /// What happened next.
    void add(const LogEntry& entry);

    /// Entries below this number are there in every state.
    uint64_t settled() const { return settled_; }
    /// How many states there are, those that are the same counted apart; UINT64_MAX for more than can be counted.
    uint64_t count() const;
    /// What of the entries from settled() on is there in a state, in their order. Counted ones are below count(); the last
    /// has everything.
    std::vector<Piece> state(const StateId& id) const;

private:
    /// Something behind the last flush, as far as it lies in one zone or in none.
    struct Change {
        uint64_t entry = 0;
        LogKind kind{};
        uint64_t begin = 0;  ///< bytes from where the entry begins
        uint64_t bytes = 0;
        uint64_t offset = 0; ///< on the device
        bool durable = false;
        uint64_t units = 0;  ///< that may be there or not; in a zone, points at which it may end
    };
    struct Zone {
        uint64_t pointer = 0;
        bool active = false;
    };
    /// Of each change the units that are there: all of the first so many, or those that are set.
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
    std::unordered_map<uint64_t, std::vector<size_t>> in_zone_; ///< changes of a sequential zone, in their order
    std::unordered_map<uint64_t, Zone> zones_;                  ///< as F saw them; others are not active
};

} // namespace zoneio
