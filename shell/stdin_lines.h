// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

namespace zoneio {

/// Lines of standard input, if it is not a terminal.
///
/// As in qemu-io, a line of more than 1023 bytes is split into pieces, each of which counts as a line, and a zero byte
/// hides the rest of its piece.
class StdinLines {
public:
    StdinLines() = default;
    StdinLines(const StdinLines&) = delete;
    StdinLines& operator=(const StdinLines&) = delete;
    /// Moves the position of a file back to the first line that was not used, for the next reader.
    ~StdinLines();
    /// The next line without its newline; it may be modified. Null at the end of the input.
    char* next();
    /// True if next() would return a line without reading.
    bool has_next() const;

private:
    static constexpr size_t longest_piece = 1023;

    bool fill();

    std::array<char, 65536> buffer_;
    size_t begin_ = 0;
    size_t end_ = 0;
    bool at_end_ = false;
    std::array<char, longest_piece + 1> line_;
};

} // namespace zoneio
