// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <dlfcn.h>

namespace zoneio {

/// A shared library that is loaded when it is first needed, so that a start does not pay for it. Never unloaded, like a
/// linked library.
class LoadedLibrary {
public:
    /// `file`: as for dlopen(3), for example `libnbd.so.0`.
    explicit LoadedLibrary(const char* file)
        : handle_(dlopen(file, RTLD_NOW | RTLD_LOCAL)), is_complete_(handle_ != nullptr) {}

    /// Looks up a function or variable without which the library is of no use. After a failure, does nothing.
    template <typename T>
    void need(const char* name, T*& target) {
        is_complete_ = is_complete_ && find(name, target);
    }
    /// Looks up a function or variable. Null and false if the library does not have it. REQUIRES: is_complete().
    template <typename T>
    bool find(const char* name, T*& target) const {
        target = reinterpret_cast<T*>(dlsym(handle_, name));
        return target != nullptr;
    }

    /// False if the library is not installed, or lacks something that is needed. dlerror(3) then has the reason.
    bool is_complete() const { return is_complete_; }

private:
    void* handle_;
    bool is_complete_;
};

} // namespace zoneio
