// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

namespace zoneio {

/// Lines of standard input, where it is no terminal.
///
/// As qemu-io's users know it, a line longer than 1023 bytes comes in pieces, each a line of its own, and a
/// zero byte hides the rest of its piece.
class StdinLines {
public:
    StdinLines() = default;
    StdinLines(const StdinLines&) = delete;
    StdinLines& operator=(const StdinLines&) = delete;
    /// What was read from a file but not taken is for whoever reads it next.
    ~StdinLines();
    /// The next line without its newline, zero-terminated and free to be modified; null at the end of the input.
    char* next();
    /// Is the next line here already, or will next() have to read?
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
