// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/filter.h"

#include "commands/long_work.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoneio {

namespace {

/// Parses a number with an optional unit after it. False if there is none.
bool take_number(std::string_view& text, char unit, uint64_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) {
        return false;
    }
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    text.remove_prefix(text.starts_with(unit) ? 1 : 0);
    return true;
}

/// `5`, `5-7`, `5-`, `-7`
std::optional<Span> parse_span(std::string_view text, char unit) {
    Span span;
    const bool has_first = take_number(text, unit, span.first);
    if (has_first && text.empty()) {
        span.last = span.first;
        return span;
    }
    if (!text.starts_with('-')) {
        return std::nullopt;
    }
    text.remove_prefix(1);
    const bool has_last = take_number(text, unit, span.last);
    const bool valid = text.empty() && (has_first || has_last) && span.first <= span.last;
    return valid ? std::optional(span) : std::nullopt;
}

StateSet states_named(std::string_view word) {
    StateSet named;
    for (size_t i = 0; i < zone_state_words.size(); i++) {
        const ZoneState state = zone_state_words[i].state;
        named[i] = word == zone_state_words[i].option || (word == "open" && is_open(state)) ||
                   (word == "active" && is_active(state));
    }
    return named;
}

/// Zones that may be selected, for a device with `zones` zones; empty if there are none.
std::optional<Span> zones_to_visit(uint64_t zones, const ZoneFilter& filter, const Span& range) {
    const uint64_t first = std::max(range.first, filter.range().first);
    const uint64_t last = std::min({range.last, filter.range().last, zones - 1});
    return zones == 0 || first > last ? std::nullopt : std::optional(Span{first, last});
}

} // namespace

std::vector<std::string_view> zone_state_options() {
    std::vector<std::string_view> options;
    options.reserve(zone_state_words.size() + 2);
    for (const ZoneStateWords& words : zone_state_words) {
        options.push_back(words.option);
    }
    options.insert(options.end(), {"open", "active"});
    return options;
}

Status ZoneFilter::set_states(std::string_view words) {
    StateSet asked;
    for (size_t begin = 0; begin <= words.size();) {
        const size_t end = std::min(words.find(',', begin), words.size());
        const std::string_view word = words.substr(begin, end - begin);
        const StateSet named = states_named(word);
        if (named.none()) {
            return Status::invalid(fmt::format("--state: '{}' is not a zone state; known states: {}", word,
                                               fmt::join(zone_state_options(), ", ")));
        }
        asked |= named;
        begin = end + 1;
    }
    states_ = asked;
    is_set_ = true;
    return {};
}

Status ZoneFilter::set_range(std::string_view word) {
    const Status status = set_zones(word);
    return status.ok() ? status : Status::error(status.code(), fmt::format("--range: {}", status.message()));
}

Status ZoneFilter::set_zones(std::string_view word) {
    const std::optional<Span> span = parse_span(word, 'z');
    if (!span) {
        return Status::invalid(fmt::format("'{}' is not a range of zones such as 5, 5-7, 5- or -7", word));
    }
    range_ = *span;
    is_set_ = true;
    return {};
}

Status ZoneFilter::set_fill(std::string_view word) {
    fill_ = parse_span(word, '%');
    if (!fill_ || fill_->first > 100) {
        return Status::invalid(fmt::format("--fill: '{}' is not a range of percents such as 0, 1-99, 50- or -50", word));
    }
    is_set_ = true;
    return {};
}

bool ZoneFilter::takes(uint64_t number, const ZoneDescriptor& zone) const {
    if (!range_.contains(number) || !states_[state_index(zone.state)]) {
        return false;
    }
    const std::optional<unsigned> fill = fill_ ? fill_percent(zone) : std::optional(0U);
    return fill && (!fill_ || fill_->contains(*fill));
}

Result<uint64_t> visit_zones(const ZoneTrial& trial, const ZoneFilter& filter, const Span& range,
                             const NumberedZoneVisitor& visit) {
    constexpr uint64_t look_every = 4096;
    const std::optional<Span> zones = zones_to_visit(trial.zone_count(), filter, range);
    uint64_t taken = 0;
    for (uint64_t number = zones ? zones->first : 1; number <= (zones ? zones->last : 0); number++) {
        if (number % look_every == 0 && InterruptEndsCommand::is_requested()) {
            return Status::from_errno(EINTR);
        }
        const ZoneDescriptor zone = trial.describe(number);
        if (filter.takes(number, zone)) {
            visit(number, zone);
            taken++;
        }
    }
    return taken;
}

Result<uint64_t> visit_zones(BlockBackend& backend, const ZoneFilter& filter, const Span& range,
                             const NumberedZoneVisitor& visit) {
    const Limits& limits = backend.limits();
    const std::optional<Span> zones = zones_to_visit(limits.nr_zones, filter, range);
    if (!zones) {
        return uint64_t{0};
    }
    const auto [first, last] = *zones;
    uint64_t number = first;
    uint64_t taken = 0;
    const auto take = [&](const ZoneDescriptor& zone) {
        if (filter.takes(number, zone)) {
            visit(number, zone);
            taken++;
        }
        number++;
    };
    uint64_t seen = 0;
    Status status = report_in_pieces(backend, first * limits.zone_size, last - first + 1, take, seen);
    return status.ok() ? Result<uint64_t>(taken) : std::move(status);
}

} // namespace zoneio
