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

} // namespace

Result<TemporaryFile> open_temporary_file() {
    TemporaryFile file;
    file.name = temporary_folder() + "/vl.XXXXXX";
    const FileDescriptor made(mkostemp(file.name.data(), O_CLOEXEC));
    if (!made.valid()) {
        return Status::error(errno, fmt::format("Could not open temporary file '{}': {}", file.name, strerror(errno)));
    }
    ImageSpec spec;
    spec.options.set("driver", "file");
    spec.options.set("filename", file.name);
    spec.options.set("locking", "off");
    spec.flags.no_flush = true;
    spec.flags.unmap = true;
    std::vector<Notice> notices;
    Result<std::unique_ptr<BlockNode>> node = open_image(std::move(spec), notices);
    unlink(file.name.c_str());
    if (!node.ok()) {
        return std::move(node).status();
    }
    file.node = std::move(*node);
    return file;
}

} // namespace zoneio
