// SPDX-License-Identifier: GPL-3.0-or-later
//
// libnbd, loaded when the first NBD image is opened. Linking it, with GnuTLS and libxml2, would multiply the time of
// every start.
#pragma once

#include "block/base/status.h"

#include <libnbd.h>

namespace zoneio {

/// Names of the functions used: X(name).
#define ZONEIO_NBD_NAMES(X) \
    X(add_meta_context) X(aio_block_status) X(aio_connect_socket) X(aio_connect_tcp) X(aio_disconnect) X(aio_flush)    \
    X(aio_get_direction) X(aio_get_fd) X(aio_is_closed) X(aio_is_dead) X(aio_is_negotiating) X(aio_is_ready)           \
    X(aio_notify_read) X(aio_notify_write) X(aio_opt_abort) X(aio_opt_go) X(aio_opt_list) X(aio_pread) X(aio_pwrite)   \
    X(aio_trim) X(aio_zero) X(can_fast_zero) X(can_flush) X(can_fua) X(can_meta_context) X(can_multi_conn) X(can_trim) \
    X(can_zero) X(close) X(create) X(get_block_size) X(get_errno) X(get_error) X(get_size) X(get_tls_negotiated)       \
    X(is_read_only) X(set_export_name) X(set_opt_mode) X(set_pread_initialize) X(set_strict_mode) X(set_tls)           \
    X(set_tls_certificates) X(set_tls_psk_file) X(set_tls_username) X(set_tls_verify_peer)

/// Functions of libnbd, without the prefix `nbd_`.
struct NbdLibrary {
#define ZONEIO_NBD_DECLARE(name) decltype(&::nbd_##name) name = nullptr; // NOLINT(bugprone-macro-parentheses)
    ZONEIO_NBD_NAMES(ZONEIO_NBD_DECLARE)
#undef ZONEIO_NBD_DECLARE
    /// Sets the host name for which a certificate is checked. Null before libnbd 1.22.
    int (*set_tls_hostname)(nbd_handle*, const char*) = nullptr;
};

/// Loads the library at the first call. ENOENT if it is not installed.
Result<const NbdLibrary*> load_nbd_library();

} // namespace zoneio
