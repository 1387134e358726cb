// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/buffer.h"
#include "block/base/file_descriptor.h"
#include "commands/session.h"

#include <cstdint>
#include <vector>

namespace zoneio {

/// Data of `write -s FILE`: the bytes of a file, repeated.
class PatternFile {
public:
    /// Prepares a write of `bytes` bytes. False if that fails or the file is empty, after an error on stderr.
    bool load(Session& session, const char* name, uint64_t bytes);

    /// Writes the first `bytes` bytes of the repeated content. EINTR: the user interrupted the command after `done`
    /// bytes.
    Status write(Session& session, uint64_t offset, uint64_t bytes, WriteFlags flags, uint64_t& done);

private:
    bool read_all(Session& session, const char* name, uint64_t bytes);
    Status write_by_parts(Session& session, uint64_t offset, uint64_t bytes, WriteFlags flags, uint64_t& done);
    Status read_part(uint8_t* data, uint64_t position, uint64_t bytes) const;

    FileDescriptor file_;
    uint64_t streamed_size_ = 0; ///< size of a file that is read during the write; 0: the content is in memory
    std::vector<uint8_t> content_;
};

} // namespace zoneio
