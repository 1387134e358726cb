// SPDX-License-Identifier: GPL-3.0-or-later
//
// The object `pr-manager-helper`: a connection to a program that does persistent reservations for guests. No command of this shell needs
// one, but images may name it.
#pragma once

#include "block/base/status.h"
#include "block/options/options.h"

#include <string>
#include <string_view>

namespace zoneio {

/// Connects to the Unix socket `path` and agrees on features (none). EINVAL with QEMU's text.
Status make_pr_manager(const std::string& id, const Options& properties);

/// EINVAL, with QEMU's text, if no such object has this id.
Status check_pr_manager(std::string_view id);

} // namespace zoneio
