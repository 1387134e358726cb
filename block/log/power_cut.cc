// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/log/power_cut.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace zoneio {

/// A generator with the same numbers on every machine (splitmix64), so that a seed always identifies the same state.
class PowerCut::Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}

    uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        uint64_t mixed = state_;
        mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
        return mixed ^ mixed >> 31;
    }
    uint64_t below(uint64_t limit) { return next() % limit; }
    bool coin() { return (next() >> 32 & 1) != 0; }

private:
    uint64_t state_;
};

std::string PowerCut::StateId::text() const {
    return fmt::format("{}{}", counted ? '#' : 's', number);
}

Result<PowerCut::StateId> PowerCut::StateId::parse(std::string_view text) {
    StateId id;
    const std::string_view digits = text.substr(text.empty() ? 0 : 1);
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id.number);
    const bool is_one = !digits.empty() && (text[0] == '#' || text[0] == 's') && error == std::errc() && rest == digits.data() + digits.size();
    if (!is_one) {
        return Status::invalid(fmt::format("'{}' is not the name of a state, #NUMBER or sSEED", text));
    }
    id.counted = text[0] == '#';
    return id;
}

bool PowerCut::is_sequential(uint64_t offset) const {
    return device_.zone_size != 0 && device_.capacity(zone_of(offset)) != 0;
}

void PowerCut::add_active_zone(uint64_t zone, uint64_t pointer) {
    zones_[zone] = {pointer, true};
}

/// Applies a change, of which `bytes` bytes survive, to a zone.
void PowerCut::step(Zone& zone, const Change& change, uint64_t bytes) const {
    const uint64_t number = zone_of(change.offset);
    switch (change.kind) {
    case LogKind::reset: zone = {}; break;
    case LogKind::finish: zone.active = false; break;
    case LogKind::state: zone = {}; break;
    default: {
        zone.pointer = change.offset + bytes - number * device_.zone_size;
        zone.active = zone.pointer > 0 && zone.pointer < device_.capacity(number);
        break;
    }
    }
}

/// Makes everything up to this change part of every state.
void PowerCut::settle(uint64_t entry) {
    for (const auto& [number, steps] : in_zone_) {
        Zone& zone = zones_[number];
        for (const size_t index : steps) {
            step(zone, changes_[index], changes_[index].bytes);
        }
        if (!zone.active) {
            zones_.erase(number);
        }
    }
    in_zone_.clear();
    changes_.clear();
    settled_ = entry;
}

void PowerCut::settle_zone(uint64_t zone, size_t last) {
    for (const size_t index : in_zone_[zone]) {
        if (index > last) {
            break;
        }
        changes_[index].durable = true;
    }
}

void PowerCut::add_change(Change change) {
    const bool in_zone = is_sequential(change.offset);
    const bool is_whole = change.kind == LogKind::reset || change.kind == LogKind::finish || change.kind == LogKind::state ||
                          change.kind == LogKind::length;
    change.units = is_whole ? 1 : (change.bytes + device_.unit - 1) / device_.unit;
    changes_.push_back(change);
    if (!in_zone) {
        return;
    }
    const uint64_t zone = zone_of(change.offset);
    in_zone_[zone].push_back(changes_.size() - 1);
    if (change.durable) {
        settle_zone(zone, changes_.size() - 1);
    }
}

void PowerCut::add(const LogEntry& entry) {
    if (entry.preflush) {
        settle(entry.number);
    }
    Change change{entry.number, entry.kind, 0, entry.length, entry.offset, entry.fua, 0};
    switch (entry.kind) {
    case LogKind::flush: settle(entry.number + 1); return;
    case LogKind::write:
    case LogKind::append:
    case LogKind::discard: add_change(change); return;
    case LogKind::length:
        change.durable = true;
        add_change(change);
        return;
    case LogKind::reset:
    case LogKind::finish:
    case LogKind::state: break;
    default: return;
    }
    // Splits the entry at zones.
    for (uint64_t done = 0; device_.zone_size != 0 && done < entry.length; done += change.bytes) {
        change.begin = done;
        change.offset = entry.offset + done;
        change.bytes = std::min(device_.zone_size, entry.length - done);
        if (is_sequential(change.offset)) {
            add_change(change);
        }
    }
}

uint64_t PowerCut::count() const {
    uint64_t states = 1;
    const auto multiply = [&](uint64_t factor) { states = states > UINT64_MAX / factor ? UINT64_MAX : states * factor; };
    for (const Change& change : changes_) {
        if (change.durable || is_sequential(change.offset)) {
            continue;
        }
        for (uint64_t unit = 0; unit < change.units && states != UINT64_MAX; unit++) {
            multiply(2);
        }
    }
    for (const auto& [zone, steps] : in_zone_) {
        multiply(zone_count(zone));
    }
    return states;
}

uint64_t PowerCut::zone_count(uint64_t zone) const {
    uint64_t points = 1;
    if (const auto steps = in_zone_.find(zone); steps != in_zone_.end()) {
        for (const size_t index : steps->second) {
            points += changes_[index].durable ? 0 : changes_[index].units;
        }
    }
    return points;
}

std::vector<PowerCut::Piece> PowerCut::zone_state(uint64_t zone, uint64_t number) const {
    Choice choice;
    for (const Change& change : changes_) {
        choice.units.emplace_back(change.units, false);
    }
    if (const auto steps = in_zone_.find(zone); steps != in_zone_.end()) {
        for (const size_t index : steps->second) {
            const Change& change = changes_[index];
            const uint64_t there = change.durable ? change.units : std::min(number, change.units);
            std::fill_n(choice.units[index].begin(), there, true);
            number -= change.durable ? 0 : there;
        }
    }
    return pieces(choice);
}

PowerCut::Choice PowerCut::all(bool there) const {
    Choice choice;
    for (const Change& change : changes_) {
        choice.units.emplace_back(change.units, there || change.durable);
    }
    return choice;
}

/// The state with this number: the choices of all changes are the digits of the number.
PowerCut::Choice PowerCut::counted_choice(uint64_t number) const {
    Choice choice = all(false);
    std::vector<uint64_t> left_in_zone;
    std::unordered_map<uint64_t, uint64_t> points;
    for (size_t i = 0; i < changes_.size(); i++) {
        const Change& change = changes_[i];
        if (change.durable) {
            continue;
        }
        if (!is_sequential(change.offset)) {
            for (uint64_t unit = 0; unit < change.units; unit++) {
                choice.units[i][unit] = (number & 1) != 0;
                number >>= 1;
            }
            continue;
        }
        // The first change of a zone decides how many of its changes survive.
        const uint64_t zone = zone_of(change.offset);
        const auto [point, is_first] = points.try_emplace(zone, 0);
        if (is_first) {
            const uint64_t all_points = zone_count(zone);
            point->second = number % all_points;
            number /= all_points;
        }
        for (uint64_t unit = 0; unit < change.units && point->second > 0; unit++, point->second--) {
            choice.units[i][unit] = true;
        }
    }
    return choice;
}

/// Chooses a state as if the device had worked in order, and the cut came in the middle of a change.
void PowerCut::choose_prefix(Random& random, Choice& choice) const {
    const size_t last = random.below(changes_.size());
    for (size_t i = 0; i <= last; i++) {
        const uint64_t units = i < last ? changes_[i].units : random.below(changes_[i].units + 1);
        std::fill_n(choice.units[i].begin(), units, true);
    }
}

/// Chooses a state in which all changes but one are lost, or only one is lost. Such states reveal a missing flush.
void PowerCut::choose_one(Random& random, Choice& choice, bool lost) const {
    const size_t one = random.below(changes_.size());
    const bool whole = random.coin();
    for (uint64_t unit = 0; unit < changes_[one].units; unit++) {
        choice.units[one][unit] = !lost;
        if (!whole && random.coin()) {
            choice.units[one][unit] = lost;
        }
    }
}

/// Chooses for each change whether it survives, in whole or in part.
void PowerCut::choose_each(Random& random, Choice& choice) const {
    const uint64_t torn = random.below(3);
    for (size_t i = 0; i < changes_.size(); i++) {
        const bool there = random.coin();
        const bool in_part = random.below(4) < torn;
        for (uint64_t unit = 0; unit < changes_[i].units; unit++) {
            choice.units[i][unit] = in_part ? random.coin() : there;
        }
    }
}

PowerCut::Choice PowerCut::random_choice(Random& random) const {
    if (changes_.empty()) {
        return {};
    }
    const uint64_t way = random.below(5);
    Choice choice = all(way == 1);
    switch (way) {
    case 0: choose_prefix(random, choice); break;
    case 1: choose_one(random, choice, true); break;
    case 2: choose_one(random, choice, false); break;
    default: choose_each(random, choice); break;
    }
    keep_rules(choice);
    return choice;
}

/// Makes a choice valid: forced writes survive, and in a zone nothing survives after something that does not.
void PowerCut::keep_rules(Choice& choice) const {
    for (size_t i = 0; i < changes_.size(); i++) {
        if (changes_[i].durable) {
            choice.units[i].assign(changes_[i].units, true);
        }
    }
    for (const auto& [zone, steps] : in_zone_) {
        bool there = true;
        for (const size_t index : steps) {
            for (uint64_t unit = 0; unit < changes_[index].units; unit++) {
                there = there && choice.units[index][unit];
                choice.units[index][unit] = there;
            }
        }
    }
}

bool PowerCut::exceeds_active(const Choice& choice) const {
    if (device_.max_active == 0) {
        return false;
    }
    uint64_t active = zones_.size();
    for (const auto& [number, steps] : in_zone_) {
        const auto found = zones_.find(number);
        Zone zone = found != zones_.end() ? found->second : Zone{};
        active -= zone.active ? 1 : 0;
        for (const size_t index : steps) {
            const auto units = static_cast<uint64_t>(std::count(choice.units[index].begin(), choice.units[index].end(), true));
            if (units > 0) {
                step(zone, changes_[index], std::min(units * device_.unit, changes_[index].bytes));
            }
        }
        active += zone.active ? 1 : 0;
    }
    return active > device_.max_active;
}

std::vector<PowerCut::Piece> PowerCut::pieces(const Choice& choice) const {
    std::vector<Piece> found;
    for (size_t i = 0; i < changes_.size(); i++) {
        const Change& change = changes_[i];
        const bool is_whole = change.units == 1;
        for (uint64_t unit = 0; unit < change.units; unit++) {
            if (!choice.units[i][unit]) {
                continue;
            }
            const uint64_t begin = change.begin + unit * device_.unit;
            const uint64_t bytes = is_whole ? change.bytes : std::min(device_.unit, change.bytes - unit * device_.unit);
            if (!found.empty() && found.back().entry == change.entry && found.back().begin + found.back().bytes == begin &&
                (change.kind == LogKind::write || change.kind == LogKind::append || change.kind == LogKind::discard)) {
                found.back().bytes += bytes;
            } else {
                found.push_back({change.entry, begin, bytes});
            }
        }
    }
    return found;
}

std::vector<PowerCut::Piece> PowerCut::state(const StateId& id) const {
    Random random(id.number);
    Choice choice = id.counted ? counted_choice(id.number) : random_choice(random);
    if (exceeds_active(choice)) {
        // In the order of the log, the limit was never exceeded.
        choice = all(false);
        choose_prefix(random, choice);
        keep_rules(choice);
        if (exceeds_active(choice)) {
            choice = all(true);
        }
    }
    return pieces(choice);
}

} // namespace zoneio
