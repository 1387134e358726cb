// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace zoneio {

/// Searches memory for a sequence of bytes.
class ByteSearch {
public:
    /// REQUIRES: `bytes` is not empty.
    explicit ByteSearch(std::string bytes);

    size_t size() const { return bytes_.size(); }
    /// True if all bytes of the sequence are zero.
    bool is_zero() const { return is_zero_; }
    /// The first match in [begin, end), or null.
    const uint8_t* find(const uint8_t* begin, const uint8_t* end) const;

private:
    std::string bytes_;
    size_t rare_ = 0; ///< index of the byte that is rarest on disks
    bool is_zero_;
};

} // namespace zoneio
