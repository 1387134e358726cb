// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"

#include <string>

namespace zoneio {

/// `/proc/self/fd/N`: the name of what a descriptor of this process stands for.
std::string descriptor_name(int fd);

/// Opens what a descriptor stands for a second time, with flags of its own. Where /proc is not mounted (a chroot, a
/// container) by `filename`, if that is still the same file. Invalid, with errno, when neither works.
FileDescriptor open_again(int fd, const std::string& filename, int flags);

/// Where /proc is not mounted: a duplicate of the descriptor that descriptor_name() made a name of, if that is memory of
/// this process alone (memfd_create(2)), which no name leads to. Invalid for everything else.
FileDescriptor duplicate_of_memory(const std::string& filename);

} // namespace zoneio
