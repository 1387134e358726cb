// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/image/image_open.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Result of parsing the command line.
struct ProcessOptions {
    /// A command (-c), or the name of a file with commands (--file).
    struct Batch {
        std::string text;
        bool is_file = false;
    };
    std::vector<Batch> commands; ///< in order
    OpenRequest open;
    std::optional<std::string> file; ///< the image, if one is named
    bool image_opts = false;
    bool misalign = false;
    bool errexit = false;
    bool json = false; ///< --output json
    bool deterministic = false;
    std::optional<Guard> guard; ///< --guard, or ZONEIO_GUARD
    bool explain = false;       ///< --explain
    bool no_rc = false;         ///< --no-rc
};

/// Parses the command line and prints messages at once. If it returns an exit status, the program ends with it.
std::optional<int> parse_process_options(int argc, char** argv, const std::string& program, ProcessOptions& options);

/// An option of the process, for the manual and completion files.
struct ProcessOption {
    std::string letter;                  ///< empty: none
    std::string name;                    ///< long name without dashes
    std::string value_name;              ///< name of its argument; empty: it takes none
    std::string text;                    ///< description in one line
    std::string group;                   ///< heading under which it is listed
    std::vector<std::string_view> words; ///< words that the argument may be; empty: anything
};

/// All options: first qemu-io's, then zoneio's own.
std::vector<ProcessOption> process_options();

} // namespace zoneio
