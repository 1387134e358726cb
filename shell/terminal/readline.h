// SPDX-License-Identifier: GPL-3.0-or-later
//
// Readline, loaded only on a terminal. Linking it would cost a sixth of the time of every start.
#pragma once

#include <readline/history.h>
#include <readline/readline.h>

namespace zoneio {

/// Functions and variables of Readline under their own names; variables are pointers.
struct Readline {
#define ZONEIO_READLINE_NAME(name) decltype(&::name) name = nullptr; // NOLINT(bugprone-macro-parentheses)
#include "shell/terminal/readline_names.def"
#undef ZONEIO_READLINE_NAME
};

/// Loads the library at the first call. Null if that fails, after an error on stderr.
const Readline* load_readline();

/// REQUIRES: load_readline() has succeeded.
const Readline& readline();

} // namespace zoneio
