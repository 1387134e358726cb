// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/image/image_open.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// What the command line asks for.
struct ProcessOptions {
    /// A command (-c), or the name of a file with commands (--file).
    struct Batch {
        std::string text;
        bool is_file = false;
    };
    std::vector<Batch> commands; ///< in order
    OpenRequest open;
    std::optional<std::string> file; ///< the operand
    bool image_opts = false;
    bool misalign = false;
    bool errexit = false;
    bool json = false; ///< --output json
    bool deterministic = false;
    std::optional<Guard> guard; ///< --guard, or ZONEIO_GUARD
    bool explain = false;       ///< --explain
    bool no_rc = false;         ///< --no-rc
};

/// Parses the command line; messages are printed as they come up. An exit status means that the program
/// ends here.
std::optional<int> parse_process_options(int argc, char** argv, const std::string& program, ProcessOptions& options);

/// An option of the process, as the manual and completion files tell it.
struct ProcessOption {
    std::string letter;                  ///< empty: none
    std::string name;                    ///< the long one, without dashes
    std::string value_name;              ///< what its argument is called; empty: it takes none
    std::string text;                    ///< a line
    std::string group;                   ///< what it is about
    std::vector<std::string_view> words; ///< what the argument is one of; empty: anything
};

/// All of them: those of qemu-io, then ours.
std::vector<ProcessOption> process_options();

} // namespace zoneio
