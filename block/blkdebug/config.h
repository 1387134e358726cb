// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/options/options.h"

#include <optional>
#include <string>
#include <vector>

namespace zoneio {

/// Kinds of blkdebug rules: sections of its file, and lists among its options.
enum class BlkdebugGroup : uint8_t { inject_error, set_state };

/// `inject-error`, `set-state`.
std::string_view blkdebug_group_name(BlkdebugGroup group);

/// A rule as written, before it is interpreted.
struct BlkdebugSection {
    BlkdebugGroup group = BlkdebugGroup::inject_error;
    std::optional<std::string> id;
    std::optional<std::string> event;
    std::optional<std::string> iotype;
    std::optional<uint64_t> state;
    std::optional<uint64_t> error;
    std::optional<uint64_t> sector;
    std::optional<uint64_t> delay_ns;
    std::optional<uint64_t> torn;
    std::optional<uint64_t> new_state;
    std::optional<bool> once;
    std::optional<bool> immediately;
};

/// Takes the keys of a section out of options. EINVAL for a value of the wrong type.
Status take_blkdebug_section(Options& options, BlkdebugSection& section);

/// Adds a section. EINVAL if its id exists already.
Status add_blkdebug_section(BlkdebugSection section, std::vector<BlkdebugSection>& sections);

/// Reads a file with sections `[inject-error]` and `[set-state]` and lines `key = "value"`.
Status read_blkdebug_config(const std::string& name, std::vector<BlkdebugSection>& sections);

} // namespace zoneio
