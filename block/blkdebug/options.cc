// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/blkdebug/options.h"

#include "block/blkdebug/config.h"
#include "block/node/driver.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace zoneio {

namespace {

std::string index_key(size_t index) {
    return fmt::format("{}", index);
}

/// Takes the elements of a list, numbered from 0 without gaps. An element is a single value or a set of keys.
Result<std::vector<Options>> take_list(Options& options, BlkdebugGroup group) {
    std::vector<Options> elements;
    while (true) {
        const std::string key = index_key(elements.size());
        const bool is_value = options.contains(key);
        Options element = options.take_subtree(key);
        if (is_value == !element.empty()) {
            for (const auto& [name, value] : element.all()) {
                options.set(fmt::format("{}.{}", key, name), value);
            }
            break;
        }
        options.erase(key);
        elements.push_back(std::move(element)); // empty: the element is a single value
    }
    if (const std::optional<std::string> unused = options.first_unknown()) {
        return Status::invalid(fmt::format("Unused option '{}' for [{}]", *unused, blkdebug_group_name(group)));
    }
    return elements;
}

/// Takes a list of rules, or a single rule without a number.
Status take_group(Options& options, BlkdebugGroup group, std::vector<BlkdebugSection>& sections) {
    Options given = options.take_subtree(blkdebug_group_name(group));
    if (given.empty()) {
        return {};
    }
    const size_t count = given.size();
    BlkdebugSection only;
    only.group = group;
    TRY(take_blkdebug_section(given, only));
    if (given.empty()) {
        sections.push_back(std::move(only));
        return {};
    }
    if (given.size() < count) {
        return Status::invalid(
            fmt::format("Unknown option '{}' for [{}]", *given.first_unknown(), blkdebug_group_name(group)));
    }
    std::vector<Options> elements = TRY(take_list(given, group));
    for (size_t i = 0; i < elements.size(); i++) {
        Options& element = elements[i];
        if (element.empty()) {
            return Status::invalid(
                fmt::format("[{}] section (index {}) does not consist of keys", blkdebug_group_name(group), i));
        }
        BlkdebugSection section;
        section.group = group;
        section.id = fmt::format("{}.{}", blkdebug_group_name(group), i);
        TRY(add_blkdebug_section(std::move(section), sections));
        TRY(take_blkdebug_section(element, sections.back()));
        if (const std::optional<std::string> unknown = element.first_unknown()) {
            return Status::invalid(
                fmt::format("[{}] section doesn't support the option '{}'", blkdebug_group_name(group), *unknown));
        }
    }
    return {};
}

Result<BlkdebugRule> make_rule(const BlkdebugSection& section) {
    BlkdebugRule rule;
    if (!section.event) {
        return Status::invalid("Missing event name for rule");
    }
    const std::optional<DebugEvent> event = find_debug_event(*section.event);
    if (!event) {
        return invalid_enum_word(*section.event);
    }
    rule.event = *event;
    rule.state = static_cast<int>(section.state.value_or(0));
    if (section.group == BlkdebugGroup::set_state) {
        rule.action = BlkdebugRule::Action::set_state;
        rule.new_state = static_cast<int>(section.new_state.value_or(0));
        return rule;
    }
    Injection& injection = rule.injection;
    injection.error = static_cast<int>(section.error.value_or(EIO));
    injection.once = section.once.value_or(false);
    injection.immediately = section.immediately.value_or(false);
    injection.delay_ns = section.delay_ns.value_or(0);
    injection.torn = section.torn.value_or(0);
    injection.sector = static_cast<int64_t>(section.sector.value_or(UINT64_MAX));
    injection.io_types = Injection::default_io_types();
    if (section.iotype) {
        BlkdebugIo io{};
        TRY(parse_enum(blkdebug_io_words, *section.iotype, io));
        injection.io_types = Injection::bit(io);
    }
    return rule;
}

/// Takes the rules: errors before states, and within each, those of the file first.
Status take_rules(Options& options, BlkdebugSettings& settings) {
    std::vector<BlkdebugSection> sections;
    if (settings.config) {
        TRY(read_blkdebug_config(*settings.config, sections));
    }
    for (const BlkdebugGroup group : {BlkdebugGroup::inject_error, BlkdebugGroup::set_state}) {
        TRY(take_group(options, group, sections));
    }
    for (const BlkdebugGroup group : {BlkdebugGroup::inject_error, BlkdebugGroup::set_state}) {
        for (const BlkdebugSection& section : sections) {
            if (section.group == group) {
                settings.rules.push_back(TRY(make_rule(section)));
            }
        }
    }
    return {};
}

/// The index at the start of a list key; empty if there is none.
std::optional<size_t> list_index(std::string_view key) {
    const std::string_view digits = key.substr(0, key.find('.'));
    size_t index = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    const bool ok = error == std::errc() && end == digits.data() + digits.size() && index_key(index) == digits;
    return ok ? std::optional(index) : std::nullopt;
}

Status take_permissions(Options& options, std::string_view key, unsigned& permissions) {
    const Options list = options.take_subtree(key);
    std::vector<size_t> indices;
    for (const auto& [name, value] : list.all()) {
        if (const std::optional<size_t> index = list_index(name)) {
            indices.push_back(*index);
        }
    }
    if (list.empty()) {
        return {};
    }
    if (indices.empty()) {
        return Status::invalid("Invalid parameter type for '<anonymous>', expected: array");
    }
    if (indices.size() != list.size()) {
        return Status::invalid("Cannot mix list and non-list keys");
    }
    const size_t largest = *std::max_element(indices.begin(), indices.end());
    std::sort(indices.begin(), indices.end());
    indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    if (indices.size() != largest + 1) {
        return Status::invalid(fmt::format("List indices are not contiguous, saw {} elements but {} largest index",
                                        indices.size(), largest));
    }
    for (const size_t index : indices) {
        const OptionValue* const value = list.find(index_key(index));
        const std::string* const word = value != nullptr ? std::get_if<std::string>(value) : nullptr;
        if (word == nullptr) {
            return Status::invalid(fmt::format("Invalid parameter type for '[{}]', expected: string", index));
        }
        unsigned permission = 0;
        if (!parse_enum(permission_words, *word, permission).ok()) {
            return Status::invalid(fmt::format("Parameter 'null' does not accept value '{}'", *word));
        }
        permissions |= permission;
    }
    return {};
}

} // namespace

Result<BlkdebugSettings> take_blkdebug_options(Options& options) {
    BlkdebugSettings settings;
    TRY(options.take_all({{"config", settings.config},
                          {"x-image", settings.image},
                          OptionTarget::size("align", settings.align),
                          OptionTarget::size("max-transfer", settings.max_transfer),
                          OptionTarget::size("opt-write-zero", settings.opt_write_zero),
                          OptionTarget::size("max-write-zero", settings.max_write_zero),
                          OptionTarget::size("opt-discard", settings.opt_discard),
                          OptionTarget::size("max-discard", settings.max_discard)}));
    TRY(take_rules(options, settings));
    TRY(take_permissions(options, "take-child-perms", settings.take_permissions));
    TRY(take_permissions(options, "unshare-child-perms", settings.unshare_permissions));
    return settings;
}

Status check_blkdebug_limits(const BlkdebugSettings& settings, uint64_t child_alignment) {
    constexpr uint64_t largest = INT32_MAX;
    const uint64_t align = settings.align;
    const bool is_power = (align & (align - 1)) == 0;
    const uint64_t block = std::max({align, child_alignment, uint64_t{1}});
    const struct {
        const char* name;
        uint64_t value;
        bool fits;
    } limits[] = {
        {"align", align, is_power},
        {"max-transfer", settings.max_transfer, settings.max_transfer % block == 0},
        {"opt-write-zero", settings.opt_write_zero, settings.opt_write_zero % block == 0},
        {"max-write-zero", settings.max_write_zero, settings.max_write_zero % std::max(settings.opt_write_zero, block) == 0},
        {"opt-discard", settings.opt_discard, settings.opt_discard % block == 0},
        {"max-discard", settings.max_discard, settings.max_discard % std::max(settings.opt_discard, block) == 0},
    };
    for (const auto& limit : limits) {
        if (limit.value != 0 && (limit.value >= largest || !limit.fits)) {
            return Status::invalid(fmt::format("Cannot meet constraints with {} {}", limit.name, limit.value));
        }
    }
    return {};
}

} // namespace zoneio
