// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/options/options.h"

#include <string>

namespace zoneio {

/// The file that holds an image, for work on the file itself: making an image, checking one.
struct NamedFile {
    explicit NamedFile(std::string name) : filename(std::move(name)) {}

    std::string filename;        ///< a path, nothing else
    Options options;             ///< further options of the driver `file`
    bool is_zoned = false;       ///< the name asks for an emulated zoned device
    Options device_options;      ///< the ones for that device
};

/// The file that an image name of `open` means: `PATH`, `file:PATH`, `zoned:PATH`, `json:{...}`.
///
/// Errors: EINVAL for names that `open` refuses, too; ENOTSUP where the data is in no file (null-co://) or is not the file
/// as a whole (a window of `raw`).
Result<NamedFile> named_file(const std::string& name);
/// The same for an image given by options, as with --image-opts.
Result<NamedFile> named_file(Options options);

} // namespace zoneio
