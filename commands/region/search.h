// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace zoneio {

/// Looks for a sequence of bytes in memory.
class ByteSearch {
public:
    /// `bytes` is not empty.
    explicit ByteSearch(std::string bytes);

    size_t size() const { return bytes_.size(); }
    /// Are all of its bytes zero?
    bool is_zero() const { return is_zero_; }
    /// The first place in [begin, end); null: there is none.
    const uint8_t* find(const uint8_t* begin, const uint8_t* end) const;

private:
    std::string bytes_;
    size_t rare_ = 0; ///< the index of the byte that occurs least often in what disks hold
    bool is_zero_;
};

} // namespace zoneio
