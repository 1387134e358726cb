// SPDX-License-Identifier: GPL-3.0-or-later
//
// The objects `secret` and `secret_keyring`.
#pragma once

#include "block/base/status.h"
#include "block/options/options.h"

#include <string>
#include <string_view>

namespace zoneio {

/// Reads a secret from `data` or `file`, and keeps it. With `keyid`, it is encrypted by AES-256 in CBC mode, and that secret is its
/// key. EINVAL with QEMU's text.
Status make_secret(const std::string& id, const Options& properties);

/// The same for a key of the kernel: `serial` is its number (keyctl(2)).
Status make_keyring_secret(const std::string& id, const Options& properties);

/// The content of a secret: any bytes. EINVAL, with QEMU's text, if there is none.
Result<std::string> find_secret(std::string_view id);

/// The same for a password. EINVAL if it is not UTF-8, or has a NUL.
Result<std::string> find_password(std::string_view id);

} // namespace zoneio
