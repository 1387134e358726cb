// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/ublk/disk.h"
#include "block/export/ublk/uapi.h"

namespace zoneio {

/// Copies the data of requests between the kernel and the buffers of their tags. With user copy, this program copies, by
/// reading and writing the character device; only root may do that. Otherwise the kernel copies: written data before
/// it sends a request, read data when it gets the answer.
class UblkTransfer {
public:
    /// `character_device`: an open descriptor, which the caller keeps. `flags`: see ublk::Info.
    UblkTransfer(int character_device, uint64_t flags)
        : file_(character_device), is_user_copy_((flags & ublk::f_user_copy) != 0) {}

    /// The command that fetches the next request of a tag.
    ublk::QueueCommand fetch(const UblkRequest& request) const { return command(request, {}); }
    /// The command that also returns the result of the tag's request.
    ublk::QueueCommand command(const UblkRequest& request, UblkDisk::Result result) const;
    /// Gets the data of a write or append. False if the kernel refuses.
    bool take_data(UblkRequest& request) const;
    /// Hands over the data of a read, or a report. False if the kernel refuses.
    bool give_data(const UblkRequest& request) const;

private:
    int file_;
    bool is_user_copy_;
};

} // namespace zoneio
