// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/terminal/readline.h"

#include "block/base/loaded_library.h"
#include "commands/text/print.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace zoneio {

namespace {

Readline library;
bool is_loaded = false;

} // namespace

const Readline* load_readline() {
    if (is_loaded) {
        return &library;
    }
    // The version of the headers.
    LoadedLibrary loaded(fmt::format("libreadline.so.{}", RL_VERSION_MAJOR).c_str());
#define ZONEIO_READLINE_NAME(name) loaded.need(#name, library.name);
#include "shell/terminal/readline_names.def"
#undef ZONEIO_READLINE_NAME
    is_loaded = loaded.is_complete();
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
