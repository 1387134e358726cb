// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"

#include <cstdint>
#include <sys/eventfd.h>

namespace zoneio {

/// An eventfd(2): poll(2) says that it is readable from set() to clear(). Neither blocks.
class Event {
public:
    bool valid() const { return fd_.valid(); }
    int fd() const { return fd_.get(); }

    void set() const {
        const uint64_t one = 1;
        (void)!write(fd_.get(), &one, sizeof(one));
    }
    void clear() const {
        uint64_t ignored = 0;
        (void)!read(fd_.get(), &ignored, sizeof(ignored));
    }

private:
    FileDescriptor fd_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

} // namespace zoneio
