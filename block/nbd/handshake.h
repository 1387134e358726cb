// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parser for the server's side of a negotiation. libnbd reports only an errno and drops invalid block sizes; this
// parser supplies what is missing. Protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
#pragma once

#include "block/base/status.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zoneio {

/// Sizes that requests must or should have, in bytes.
struct NbdBlockSizes {
    uint32_t minimum = 1;
    uint32_t preferred = 4096;
    uint32_t maximum = UINT32_MAX;
};

/// Content of a server's messages, up to the first failure.
struct NbdHandshake {
    /// The first failure, with QEMU's text and its cause; ok if there is none.
    Status failure;
    std::optional<NbdBlockSizes> block_sizes;
    bool is_old_style = false;
    /// Position of the 16 bits of export flags, in the forms of older servers; 0: not there.
    size_t export_flags_at = 0;
    /// True if TLS starts at the end of the readable text.
    bool is_encrypted = false;
};

/// Parses what a server has sent since the connection was made. `ended`: the server has closed it. `context`: name of
/// the requested metadata context. `wants_tls_only`: the client has asked for starttls and nothing else.
NbdHandshake read_nbd_handshake(std::string_view bytes, bool ended, std::string_view context, bool wants_tls_only = false);

} // namespace zoneio
