// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/overlay/temporary_file.h"

#include "block/base/file_descriptor.h"
#include "block/chain/open.h"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>

namespace zoneio {

namespace {

std::string temporary_folder() {
    const char* const folder = getenv("TMPDIR");
    const bool usable = folder != nullptr && *folder != '\0' && strcmp(folder, "/tmp") != 0;
    return usable ? folder : "/var/tmp";
}

/// Replaces `name` by the shown name in the error's text.
Status with_shown_name(const Status& status, const std::string& name, const std::string& shown) {
    std::string text = status.message();
    const size_t found = name == shown ? std::string::npos : text.find(name);
    return found == std::string::npos ? status : Status::error(status.code(), text.replace(found, name.size(), shown));
}

} // namespace

Result<TemporaryFile> open_temporary_file() {
    TemporaryFile file;
    const std::string pattern = temporary_folder() + "/vl.XXXXXX";
    std::string name = pattern;
    const FileDescriptor made(mkostemp(name.data(), O_CLOEXEC));
    const int error = errno;
    file.name = has_fixed_names() ? pattern : name;
    if (!made.valid()) {
        return Status::error(error, fmt::format("Could not open temporary file '{}': {}", file.name, strerror(error)))
            .because(Cause::no_temporary_file, {.name = file.name});
    }
    Options options;
    options.set("locking", "off");
    Result<std::unique_ptr<BlockNode>> node = open_file(name, std::move(options), {.no_flush = true, .unmap = true});
    unlink(name.c_str());
    if (!node.ok()) {
        return with_shown_name(node.status(), name, file.name);
    }
    file.node = std::move(*node);
    return file;
}

} // namespace zoneio
