// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/mapped_file.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace zoneio {

/// Records appends in flight in a file in /run, which lives as long as the device. If the server is killed, the next
/// one finds out from it what became of the appends. Without it, an append that was done and not answered is done
/// again.
class UblkAppends {
public:
    /// An append that was about to start.
    struct Note {
        uint64_t zone;  ///< start of the zone; all fields are in bytes
        uint64_t bytes;
        uint64_t begin; ///< write pointer of the zone before the append
    };

    /// `folder` belongs to root. It may contain files of other devices.
    UblkAppends(uint32_t device, std::string folder = "/run");

    /// Creates an empty file and replaces an existing one.
    Status make(uint16_t queues, uint16_t depth);
    /// Maps the file of an earlier server. EINVAL if it is for another number of requests.
    Status take(uint16_t queues, uint16_t depth);
    /// Deletes the file after the device is gone.
    void remove();

    void set(uint16_t queue, uint16_t tag, const Note& note);
    /// Records that the append was answered, or not made.
    void clear(uint16_t queue, uint16_t tag);
    std::optional<Note> get(uint16_t queue, uint16_t tag) const;

private:
    struct Entry;

    Status map(uint16_t queues, uint16_t depth);
    Entry* entry(uint16_t queue, uint16_t tag) const;

    std::string path_;
    FileDescriptor file_;
    std::unique_ptr<MappedFile> memory_; ///< null: appends are not recorded
    uint16_t depth_ = 0;
};

} // namespace zoneio
