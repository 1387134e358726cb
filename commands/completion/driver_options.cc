// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node/driver.h"
#include "block/objects/throttle_group.h"
#include "block/objects/tls_credentials.h"
#include "block/option_words.h"
#include "commands/completion/completion.h"

#include <fmt/format.h>

namespace zoneio {

namespace {

/// Start of the last pair in an option string; a doubled comma is part of a value.
size_t last_pair_begin(std::string_view text) {
    size_t begin = 0;
    for (size_t i = 0; i < text.size(); i++) {
        if (text[i] == ',' && i + 1 < text.size() && text[i + 1] == ',') {
            i++;
        } else if (text[i] == ',') {
            begin = i + 1;
        }
    }
    return begin;
}

/// The driver that earlier pairs name for the node with this prefix.
std::string_view driver_of(const OptionString& before, std::string_view prefix, std::string_view default_driver) {
    for (const KeyValue& pair : before.pairs) {
        if (pair.key == fmt::format("{}driver", prefix)) {
            const DriverInfo* const info = find_driver(pair.value);
            return info != nullptr ? info->name : std::string_view();
        }
    }
    return default_driver;
}

bool is_given(const OptionString& before, const std::string& key) {
    return std::any_of(before.pairs.begin(), before.pairs.end(), [&](const KeyValue& pair) { return pair.key == key; });
}

void add_keys(Completions& found, const OptionString& before, std::string_view prefix, std::string_view typed,
              std::span<const std::string_view> keys) {
    for (const std::string_view key : keys) {
        const std::string full = fmt::format("{}{}", prefix, key);
        if (full.starts_with(typed) && !is_given(before, full)) {
            // A key that ends with a dot is only a prefix.
            found.matches.push_back(key.ends_with('.') ? full : full + '=');
        }
    }
}

/// Prefix of the keys of a lower node: `file.file.` in `file.file.filename`; with blkdebug `image.file.`.
struct NodePath {
    std::string_view prefix;
    std::string_view driver; ///< driver of that node; empty: unknown
};

std::string_view child_key(std::string_view driver) {
    const DriverInfo* const info = find_driver(driver);
    return info != nullptr && !info->own_child.empty() ? info->own_child : "file";
}

NodePath find_node(const OptionString& before, std::string_view key, std::string_view driver) {
    NodePath path{{}, driver_of(before, {}, driver)};
    while (true) {
        const std::string_view child = child_key(path.driver);
        const std::string_view rest = key.substr(path.prefix.size());
        if (!rest.starts_with(child) || !rest.substr(child.size()).starts_with('.')) {
            return path;
        }
        path.prefix = key.substr(0, path.prefix.size() + child.size() + 1);
        path.driver = driver_of(before, path.prefix, "file");
    }
}

void complete_key(Completions& found, const OptionString& before, std::string_view typed, std::string_view driver) {
    const auto [prefix, name] = find_node(before, typed, driver);
    add_keys(found, before, prefix, typed, node_option_keys());
    const DriverInfo* const info = find_driver(name);
    if (info == nullptr) {
        return;
    }
    add_keys(found, before, prefix, typed, info->option_keys);
    for (const std::string_view group : info->option_keys) {
        const std::string_view key = typed.substr(prefix.size());
        const std::string_view given = key.substr(0, option_group_length(key));
        if (given.starts_with(group) && group.ends_with('.')) {
            add_keys(found, before, typed.substr(0, prefix.size() + given.size()), typed, option_group_keys(group));
        }
    }
    const std::string below = fmt::format("{}{}.", prefix, child_key(name));
    if (!info->is_protocol && below.starts_with(typed)) {
        found.matches.push_back(below);
    }
}

void complete_value(Completions& found, std::string_view key, std::string_view prefix, std::string_view typed) {
    const std::string_view plain = key.substr(prefix.size());
    const auto add = [&](std::string_view word) {
        if (word.starts_with(typed)) {
            found.matches.emplace_back(word);
        }
    };
    if (plain == "driver") {
        for (const DriverInfo& info : driver_table()) {
            add(info.name);
        }
    } else if (plain == "filename" || plain == "config") {
        found.files = true;
    } else if (plain == "throttle-group") {
        for (const std::string& id : throttle_group_ids()) {
            add(id);
        }
    } else if (plain == "tls-creds") {
        for (const std::string& id : tls_credentials_ids()) {
            add(id);
        }
    } else {
        for (const std::string_view word : option_words(plain)) {
            add(word);
        }
    }
}

} // namespace

Completions complete_options(std::string_view text, std::string_view driver) {
    Completions found;
    found.ends_word = false;
    found.begin = last_pair_begin(text);
    const std::string_view pair = text.substr(found.begin);
    const size_t equals = pair.find('=');
    const OptionString before = parse_option_string(text.substr(0, found.begin));
    if (equals != std::string_view::npos) {
        const std::string_view key = pair.substr(0, equals);
        found.begin += equals + 1;
        complete_value(found, key, find_node(before, key, driver).prefix, pair.substr(equals + 1));
    } else {
        complete_key(found, before, pair, driver);
    }
    return found;
}

} // namespace zoneio
