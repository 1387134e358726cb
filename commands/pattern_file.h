// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/buffer.h"
#include "commands/session.h"

#include <cstdint>

namespace zoneio {

/// What `write -s FILE` writes: the bytes of a file, repeated.
class PatternFile {
public:
    PatternFile() = default;
    PatternFile(const PatternFile&) = delete;
    PatternFile& operator=(const PatternFile&) = delete;
    ~PatternFile();

    /// Prepares for a write of `bytes`. False, after saying why on stderr, when there is nothing to write.
    bool load(Session& session, const char* name, uint64_t bytes);

    /// The first `bytes` of the repeated content.
    IoVec iov(uint64_t bytes) const;

private:
    bool read_all(Session& session, const char* name, int fd, uint64_t bytes);
    bool map(Session& session, const char* name, int fd, uint64_t size);

    AlignedBuffer buffer_;
    void* mapping_ = nullptr;
    uint64_t mapped_ = 0;
    uint8_t* content_ = nullptr;
    uint64_t period_ = 0; ///< bytes at content_, a whole number of repetitions
};

} // namespace zoneio
