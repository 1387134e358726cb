// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/library.h"

#include "block/base/loaded_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace zoneio {

Result<const NbdLibrary*> load_nbd_library() {
    static NbdLibrary library;
    static bool is_loaded = false;
    if (is_loaded) {
        return &library;
    }
    LoadedLibrary loaded("libnbd.so.0");
#define ZONEIO_NBD_NEED(name) loaded.need("nbd_" #name, library.name);
    ZONEIO_NBD_NAMES(ZONEIO_NBD_NEED)
#undef ZONEIO_NBD_NEED
    is_loaded = loaded.is_complete();
    if (!is_loaded) {
        return Status::error(ENOENT, fmt::format("NBD images need libnbd (install the package libnbd0): {}", dlerror()));
    }
    (void)loaded.find("nbd_set_tls_hostname", library.set_tls_hostname);
    return &library;
}

} // namespace zoneio
