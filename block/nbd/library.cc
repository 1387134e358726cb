// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace zoneio {

namespace {

/// Looks up one function. False if the library does not have it.
template <typename T>
bool find(void* handle, const char* name, T*& target) {
    target = reinterpret_cast<T*>(dlsym(handle, name));
    return target != nullptr;
}

} // namespace

Result<const NbdLibrary*> load_nbd_library() {
    static NbdLibrary library;
    static bool is_loaded = false;
    if (is_loaded) {
        return &library;
    }
    // Never unloaded, like a linked library.
    void* const handle = dlopen("libnbd.so.0", RTLD_NOW | RTLD_LOCAL);
    is_loaded = handle != nullptr;
#define ZONEIO_NBD_FIND(name) is_loaded = is_loaded && find(handle, "nbd_" #name, library.name);
    ZONEIO_NBD_NAMES(ZONEIO_NBD_FIND)
#undef ZONEIO_NBD_FIND
    if (!is_loaded) {
        return Status::error(ENOENT, fmt::format("NBD images need libnbd (install the package libnbd0): {}", dlerror()));
    }
    (void)find(handle, "nbd_set_tls_hostname", library.set_tls_hostname);
    return &library;
}

} // namespace zoneio
