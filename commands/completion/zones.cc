// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/completion/zones.h"

#include "commands/why/why.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <numeric>
#include <span>

namespace zoneio {

namespace {

constexpr size_t most_matches = 1000;

/// Numbers from `begin` to `end`, excluding `end`.
struct NumberRange {
    uint64_t begin;
    uint64_t end;
};

/// The numbers that start with these digits, as ranges: for `12` these are 12, 120 to 129, and so on.
std::vector<NumberRange> numbers_with(std::string_view digits, unsigned base) {
    constexpr uint64_t any = UINT64_MAX;
    if (digits.empty()) {
        return {{0, any}};
    }
    uint64_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, number, static_cast<int>(base));
    if (error != std::errc() || stop != end || (digits[0] == '0' && digits.size() > 1)) {
        return {};
    }
    std::vector<NumberRange> ranges;
    for (NumberRange range{number, number + 1}; range.end > range.begin;) {
        ranges.push_back(range);
        if (number == 0 || __builtin_mul_overflow(range.begin, base, &range.begin) ||
            __builtin_mul_overflow(range.end, base, &range.end)) {
            break;
        }
    }
    return ranges;
}

/// Collects starts of zones that are multiples of a unit. Examines at most twice as many zones as are wanted, however
/// many the device has.
class ZoneBegins {
public:
    explicit ZoneBegins(const Limits& limits) : limits_(limits) {}

    /// Adds the starts that are multiples of `unit` bytes with a factor in `ranges`, and not multiples of `larger_unit`
    /// (0: none).
    void add(std::span<const NumberRange> ranges, uint64_t unit, uint64_t larger_unit) {
        const uint64_t step = zones_between(unit);
        const uint64_t skipped = larger_unit != 0 ? zones_between(larger_unit) : 0;
        for (const NumberRange& range : ranges) {
            add(range, unit, step, skipped);
        }
    }

    /// The first matches, sorted.
    std::vector<uint64_t> take() {
        std::sort(begins_.begin(), begins_.end());
        begins_.erase(std::unique(begins_.begin(), begins_.end()), begins_.end());
        begins_.resize(std::min(begins_.size(), most_matches));
        return std::move(begins_);
    }

private:
    /// Distance, in zones, between zones that start at multiples of `unit`.
    uint64_t zones_between(uint64_t unit) const { return unit / std::gcd(unit, limits_.zone_size); }

    void add(const NumberRange& range, uint64_t unit, uint64_t step, uint64_t skipped) {
        if (range.begin == 0) {
            begins_.push_back(0);
        }
        if (skipped == step) {
            return;
        }
        using Wide = unsigned __int128;
        const Wide end = Wide{range.end} * unit;
        const Wide zones_before = (Wide{range.begin} * unit + limits_.zone_size - 1) / limits_.zone_size;
        size_t found = 0;
        for (Wide zone = (zones_before + step - 1) / step * step;
             found < most_matches && zone < limits_.nr_zones && zone * limits_.zone_size < end; zone += step) {
            if (skipped == 0 || zone % skipped != 0) {
                begins_.push_back(static_cast<uint64_t>(zone) * limits_.zone_size);
                found++;
            }
        }
    }

    const Limits& limits_;
    std::vector<uint64_t> begins_;
};

void add_hexadecimal(std::vector<std::string>& found, const Limits& limits, std::string_view typed) {
    ZoneBegins begins(limits);
    begins.add(numbers_with(typed.substr(2), 16), 1, 0);
    for (const uint64_t begin : begins.take()) {
        found.push_back(fmt::format("{:#x}", begin));
    }
}

/// Adds starts as sizes (`4M`) that begin with `digits`.
void add_sizes(std::vector<std::string>& found, const Limits& limits, std::string_view typed, std::string_view digits) {
    std::vector<NumberRange> ranges = numbers_with(digits, 10);
    if (digits.size() < typed.size()) {
        // After a suffix no digit can follow.
        ranges.resize(std::min<size_t>(ranges.size(), 1));
    }
    ZoneBegins begins(limits);
    constexpr unsigned largest_shift = 60;
    for (unsigned shift = 0; shift <= largest_shift; shift += 10) {
        // A multiple of a larger unit is written in that unit.
        begins.add(ranges, uint64_t{1} << shift, shift < largest_shift ? uint64_t{1} << (shift + 10) : 0);
    }
    for (const uint64_t begin : begins.take()) {
        std::string text = exact_size(begin);
        if (text.starts_with(typed)) {
            found.push_back(std::move(text));
        }
    }
}

void add_numbers(std::vector<std::string>& found, const Limits& limits, std::string_view digits) {
    for (const NumberRange& range : numbers_with(digits, 10)) {
        for (uint64_t zone = range.begin; zone < std::min(range.end, limits.nr_zones) && found.size() < most_matches; zone++) {
            found.push_back(fmt::format("{}z", zone));
        }
    }
}

} // namespace

std::vector<std::string> zone_offsets(const Limits& limits, std::string_view typed) {
    std::vector<std::string> found;
    const std::string_view digits = typed.substr(0, typed.find_first_not_of("0123456789"));
    const std::string_view rest = typed.substr(digits.size());
    if (!digits.empty() && rest.starts_with("z")) {
        const std::string zone = fmt::format("{}z", digits);
        for (std::string text : {zone, zone + "+wp"}) {
            if (text.starts_with(typed)) {
                found.push_back(std::move(text));
            }
        }
        return found;
    }
    if (typed.starts_with("0x")) {
        add_hexadecimal(found, limits, typed);
        return found;
    }
    if (typed.empty() || !digits.empty()) {
        add_sizes(found, limits, typed, digits);
    }
    if (!digits.empty() && rest.empty()) {
        add_numbers(found, limits, digits);
    }
    if (!typed.empty() && std::string_view("wp").starts_with(typed)) {
        found.emplace_back("wp");
    }
    return found;
}

std::vector<std::string> zone_lengths(const Limits& limits, std::string_view typed) {
    std::vector<std::string> found;
    for (std::string text : {exact_size(limits.zone_size), exact_size(limits.zone_size * limits.nr_zones),
                             std::string("1z"), fmt::format("{}z", limits.nr_zones)}) {
        if (text.starts_with(typed) && std::find(found.begin(), found.end(), text) == found.end()) {
            found.push_back(std::move(text));
        }
    }
    return found;
}

} // namespace zoneio
