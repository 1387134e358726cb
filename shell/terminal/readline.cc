// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/terminal/readline.h"

#include "commands/text/print.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace zoneio {

namespace {

Readline library;
bool is_loaded = false;

/// Looks up one function or variable. False if the library does not have it.
template <typename T>
bool find(void* handle, const char* name, T*& target) {
    target = reinterpret_cast<T*>(dlsym(handle, name));
    return target != nullptr;
}

} // namespace

const Readline* load_readline() {
    if (is_loaded) {
        return &library;
    }
    // The version of the headers. Never unloaded, like a linked library.
    const std::string name = fmt::format("libreadline.so.{}", RL_VERSION_MAJOR);
    void* const handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    is_loaded = handle != nullptr;
#define ZONEIO_READLINE_NAME(name) is_loaded = is_loaded && find(handle, #name, library.name);
#include "shell/terminal/readline_names.def"
#undef ZONEIO_READLINE_NAME
    if (!is_loaded) {
        print_to(stderr, "zoneio: no line editing: {}\n", dlerror());
        return nullptr;
    }
    return &library;
}

const Readline& readline() {
    return library;
}

} // namespace zoneio
