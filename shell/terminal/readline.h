// SPDX-License-Identifier: GPL-3.0-or-later
//
// Readline, loaded when there is a terminal: linked in the usual way it would be a sixth of what every start costs.
#pragma once

#include <cstdio>
#include <readline/history.h>
#include <readline/readline.h>

namespace zoneio {

/// What is used of it, under its own names; variables are pointers here.
struct Readline {
#define ZONEIO_READLINE_NAME(name) decltype(&::name) name = nullptr; // NOLINT(bugprone-macro-parentheses)
#include "shell/terminal/readline_names.def"
#undef ZONEIO_READLINE_NAME
};

/// Loads the library at the first call; null, after saying why on stderr, where it cannot be had.
const Readline* load_readline();

/// After load_readline() succeeded.
const Readline& readline();

} // namespace zoneio
