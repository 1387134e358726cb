// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <cstdint>
#include <string>

namespace zoneio {

/// A file that a command writes. It has a temporary name until commit(), so that its name always denotes a complete
/// file; without commit() it is removed. FIFOs and character devices, such as /dev/null, are written directly.
class OutputFile {
public:
    OutputFile(OutputFile&&) = default;
    OutputFile& operator=(OutputFile&&) = delete;
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    /// Creates the file. EEXIST if it exists and `overwrite` is false. Errors name the file.
    static Result<OutputFile> create(const std::string& filename, bool overwrite);

    /// True if append_hole() is possible.
    bool takes_holes() const { return !temporary_.empty(); }
    /// Appends data. EINTR: the user interrupted the command.
    Status append(const uint8_t* data, uint64_t bytes);
    /// Appends a hole. REQUIRES: takes_holes().
    void append_hole(uint64_t bytes) { length_ += bytes; }
    /// Number of bytes appended.
    uint64_t length() const { return length_; }
    /// Renames the file to its name.
    Status commit();

private:
    OutputFile(std::string target, std::string temporary, FileDescriptor file, bool overwrite)
        : target_(std::move(target)), temporary_(std::move(temporary)), file_(std::move(file)), overwrite_(overwrite) {}
    Status failed(int code) const;

    std::string target_;
    std::string temporary_; ///< empty: the file is written directly
    FileDescriptor file_;
    bool overwrite_;
    uint64_t length_ = 0;
};

} // namespace zoneio
