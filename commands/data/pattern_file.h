// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/buffer.h"
#include "block/base/file_descriptor.h"
#include "commands/session.h"

#include <cstdint>
#include <vector>

namespace zoneio {

/// What `write -s FILE` writes: the bytes of a file, repeated.
class PatternFile {
public:
    /// Prepares for a write of `bytes`. False, after saying why on stderr, when there is nothing to write.
    bool load(Session& session, const char* name, uint64_t bytes);

    /// Writes the first `bytes` of the repeated content. EINTR: the user ended it; `done` says how much was written then.
    Status write(Session& session, uint64_t offset, uint64_t bytes, WriteFlags flags, uint64_t& done);

private:
    bool read_all(Session& session, const char* name, uint64_t bytes);
    Status write_by_parts(Session& session, uint64_t offset, uint64_t bytes, WriteFlags flags, uint64_t& done);
    Status read_part(uint8_t* data, uint64_t position, uint64_t bytes) const;

    FileDescriptor file_;
    uint64_t streamed_size_ = 0; ///< of a file that is read as it is written; 0: its content is in memory
    std::vector<uint8_t> content_;
};

} // namespace zoneio
