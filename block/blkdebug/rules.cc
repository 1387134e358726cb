// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/blkdebug/rules.h"

#include "block/base/size.h"

#include <algorithm>

namespace zoneio {

bool Injection::applies_to(BlkdebugIo io, uint64_t offset, uint64_t bytes) const {
    if ((io_types & bit(io)) == 0) {
        return false;
    }
    const uint64_t position = static_cast<uint64_t>(sector) * sector_size;
    return sector == -1 || (position >= offset && position < offset + bytes);
}

void BlkdebugRules::add(BlkdebugRule rule) {
    rules_[static_cast<size_t>(rule.event)].push_front(std::move(rule));
}

BlkdebugRules::Effects BlkdebugRules::raise(DebugEvent event) {
    Effects effects{{}, state_};
    RuleList& list = rules_[static_cast<size_t>(event)];
    bool replaces = true;
    for (auto rule = list.begin(); rule != list.end();) {
        const auto current = rule++;
        if (current->state != 0 && current->state != state_) {
            continue;
        }
        switch (current->action) {
        case BlkdebugRule::Action::inject_error:
            if (replaces) {
                active_.clear();
                replaces = false;
            }
            active_.push_front(current);
            break;
        case BlkdebugRule::Action::set_state: effects.new_state = current->new_state; break;
        case BlkdebugRule::Action::suspend:
            effects.suspended_by.push_back(current->tag);
            list.erase(current);
            break;
        }
    }
    return effects;
}

std::optional<Injection> BlkdebugRules::check(BlkdebugIo io, uint64_t offset, uint64_t bytes) {
    const auto found = std::find_if(active_.begin(), active_.end(), [&](const RuleList::iterator& rule) {
        return rule->injection.applies_to(io, offset, bytes);
    });
    if (found == active_.end()) {
        return std::nullopt;
    }
    const RuleList::iterator rule = *found;
    const Injection injection = rule->injection;
    if (injection.once) {
        active_.erase(found);
        rules_[static_cast<size_t>(rule->event)].erase(rule);
    }
    return injection;
}

std::vector<std::string> BlkdebugRules::breakpoint_tags() const {
    std::vector<std::string> tags;
    for (const RuleList& list : rules_) {
        for (const BlkdebugRule& rule : list) {
            if (rule.action == BlkdebugRule::Action::suspend) {
                tags.push_back(rule.tag);
            }
        }
    }
    return tags;
}

bool BlkdebugRules::remove_breakpoints(std::string_view tag) {
    size_t removed = 0;
    for (RuleList& list : rules_) {
        removed += list.remove_if(
            [&](const BlkdebugRule& rule) { return rule.action == BlkdebugRule::Action::suspend && rule.tag == tag; });
    }
    return removed > 0;
}

} // namespace zoneio
