// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/options/options.h"

#include <string>

namespace zoneio {

/// The file that holds an image, for work on the file itself: creating or checking an image.
struct NamedFile {
    explicit NamedFile(std::string name) : filename(std::move(name)) {}

    std::string filename;        ///< path of the file
    Options options;             ///< further options of the driver `file`
    bool is_zoned = false;       ///< the name asks for an emulated zoned device
    Options device_options;      ///< options of that device
};

/// The file of an image name as `open` accepts it: `PATH`, `file:PATH`, `zoned:PATH`, `json:{...}`.
///
/// Errors: those of `open` for an invalid name; ENOTSUP if the data is in no file (null-co://) or in a part of one (a
/// window of `raw`).
Result<NamedFile> named_file(const std::string& name);
/// The same for an image given by options, as with --image-opts.
Result<NamedFile> named_file(Options options);

} // namespace zoneio
