// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/mapped_file.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace zoneio {

/// Notes of the appends under way, in a file of /run, so that the server that takes a device over knows what became of
/// them: it lives as long as the device does, and a server that is killed leaves it behind. Without it, an append that was
/// done and not answered is made once more.
class UblkAppends {
public:
    /// An append that was about to be made.
    struct Note {
        uint64_t zone;  ///< start of it; all in bytes
        uint64_t bytes;
        uint64_t begin; ///< the zone's write pointer before
    };

    /// `folder` is root's. Files of other devices are beside.
    UblkAppends(uint32_t device, std::string folder = "/run");

    /// Makes a file without notes, in the place of any other.
    Status make(uint16_t queues, uint16_t depth);
    /// Takes over what another server has left. EINVAL: it is not for so many requests.
    Status take(uint16_t queues, uint16_t depth);
    /// Deletes the file: the device is gone.
    void remove();

    void set(uint16_t queue, uint16_t tag, const Note& note);
    /// The append was answered, or never made.
    void clear(uint16_t queue, uint16_t tag);
    std::optional<Note> get(uint16_t queue, uint16_t tag) const;

private:
    struct Entry;

    Status map(uint16_t queues, uint16_t depth);
    Entry* entry(uint16_t queue, uint16_t tag) const;

    std::string path_;
    FileDescriptor file_;
    std::unique_ptr<MappedFile> memory_; ///< null: no notes are taken
    uint16_t depth_ = 0;
};

} // namespace zoneio
