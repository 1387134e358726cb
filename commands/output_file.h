// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/file_descriptor.h"
#include "block/base/status.h"

#include <cstdint>
#include <string>

namespace zoneio {

/// A file that a command makes. Its name stands for a complete file only: until commit() it has another name, and is
/// removed with this object. A FIFO or character device, such as /dev/null, is written as it is.
class OutputFile {
public:
    OutputFile(OutputFile&&) = default;
    OutputFile& operator=(OutputFile&&) = delete;
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();

    /// EEXIST when there is such a file and `overwrite` is false. The error names the file.
    static Result<OutputFile> create(const std::string& filename, bool overwrite);

    /// Can a part be left out, to be a hole?
    bool takes_holes() const { return !temporary_.empty(); }
    /// Appends bytes. EINTR: the user ended the command.
    Status append(const uint8_t* data, uint64_t bytes);
    /// Appends zeros, as a hole; only if takes_holes().
    void append_hole(uint64_t bytes) { length_ += bytes; }
    /// Bytes so far.
    uint64_t length() const { return length_; }
    /// Gives the file its name.
    Status commit();

private:
    OutputFile(std::string target, std::string temporary, FileDescriptor file, bool overwrite)
        : target_(std::move(target)), temporary_(std::move(temporary)), file_(std::move(file)), overwrite_(overwrite) {}
    Status failed(int code) const;

    std::string target_;
    std::string temporary_; ///< empty: it is written as it is
    FileDescriptor file_;
    bool overwrite_;
    uint64_t length_ = 0;
};

} // namespace zoneio
