// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a server said while the connection was negotiated. libnbd tells an errno only, and drops block sizes that make no
// sense; what it leaves out is read here. https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
#pragma once

#include "block/base/status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zoneio {

/// The sizes that requests must or should have, bytes.
struct NbdBlockSizes {
    uint32_t minimum = 1;
    uint32_t preferred = 4096;
    uint32_t maximum = UINT32_MAX;
};

/// What is in the bytes that a server sent, up to the first failure.
struct NbdHandshake {
    /// The failure in QEMU's words, with the cause; ok where there is none.
    Status failure;
    std::optional<NbdBlockSizes> block_sizes;
    bool is_old_style = false;
    /// TLS begins where the text ends: the rest cannot be read.
    bool is_encrypted = false;
};

/// Reads what a server sent since the connection was made. `ended`: it has closed the connection. `context`: the name of the
/// metadata context that was asked for.
NbdHandshake read_nbd_handshake(std::string_view bytes, bool ended, std::string_view context);

} // namespace zoneio
