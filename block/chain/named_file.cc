// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/chain/named_file.h"

#include "block/chain/open.h"
#include "block/node/driver.h"

#include <fmt/format.h>

namespace zoneio {

namespace {

/// Options of the bottom node. ENOTSUP unless every node above passes all requests through unchanged.
Result<Options> bottom_options(Options options) {
    const std::string* const driver = options.find_text("driver");
    if (driver == nullptr || *driver != "raw") {
        return options;
    }
    options.erase("driver");
    Options below = options.take_subtree("file");
    if (const std::optional<std::string> own = options.first_unknown()) {
        return Status::error(ENOTSUP, fmt::format("an image with the option '{}' of 'raw' is not a whole file", *own));
    }
    return bottom_options(std::move(below));
}

} // namespace

Result<NamedFile> named_file(Options options) {
    Options bottom = TRY(bottom_options(std::move(options)));
    const std::optional<std::string> filename = bottom.take("filename");
    const std::string driver = bottom.take("driver").value_or("file");
    const DriverInfo* const info = find_driver(driver);
    if (info == nullptr) {
        return Status::invalid(fmt::format("unknown driver '{}'", driver));
    }
    const bool is_zoned = driver == "zoned";
    if (!is_zoned && driver != "file" && driver != "host_device") {
        return Status::error(ENOTSUP, fmt::format("an image of the driver '{}' is not in a file", driver));
    }
    if (!filename || filename->empty()) {
        return Status::invalid(fmt::format("the driver '{}' requires a file name", driver));
    }
    NamedFile file(*filename);
    file.is_zoned = is_zoned;
    (is_zoned ? file.device_options : file.options) = std::move(bottom);
    return file;
}

Result<NamedFile> named_file(const std::string& name) {
    return named_file(TRY(options_of_name(name)));
}

} // namespace zoneio
