// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"

#include <string>

namespace zoneio {

/// `/proc/self/fd/N`: a name that opens the file of a descriptor of this process.
std::string descriptor_name(int fd);

/// Opens the file of a descriptor again, with other flags. Without /proc (in a chroot or container) it opens
/// `filename`, if that is still the same file. Invalid, with errno, if both fail.
FileDescriptor open_again(int fd, const std::string& filename, int flags);

/// Duplicate of the descriptor N of descriptor_name(), for a name of a memory file (memfd_create(2)) when /proc is not
/// mounted: no name leads to such a file. Invalid for everything else.
FileDescriptor duplicate_of_memory(const std::string& filename);

} // namespace zoneio
