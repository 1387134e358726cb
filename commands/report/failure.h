// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zoneio {

struct Command;

/// Kinds of failures.
enum class FailureKind : uint8_t {
    unknown_command, ///< `word`
    no_image,        ///< no image is open
    not_zoned,       ///< the open image has no zones
    already_open,
    word_count,      ///< too few or too many words
    usage,           ///< wrong options or operands
    number,          ///< `word` is not a size, offset or count; the status may have the reason
    pattern,         ///< `word` is not a byte
    mode,            ///< `word` is not a mode of `option`: cache, discard, aio
    open,            ///< opening an image; `word`: its name, if it has one; the status has the reason
    permission,      ///< missing permission; the status has the reason
    request,         ///< a request to the image
    mismatch,        ///< the data differs from the pattern
    compare_range,   ///< the range to compare ends after the data read
    interrupted,     ///< the user ended the command
    other,           ///< any other; the command has reported it
};

/// Difference between data that was read and expected. Offsets are those of the image.
struct DataMismatch {
    uint64_t compared_offset = 0; ///< start of the compared range
    uint64_t compared_bytes = 0;
    uint64_t offset = 0; ///< first byte that differs
    uint64_t bytes = 0;  ///< number of bytes that differ
    uint8_t found = 0;   ///< value of the first byte that differs
    uint8_t expected = 0;
};

/// Compares data read at `offset` of the image with `sum.expected` and adds differences to `sum`. Calls must be in the
/// order of offsets. `sum.bytes` stays 0 while nothing differs.
void compare_with_pattern(DataMismatch& sum, const uint8_t* data, uint64_t bytes, uint64_t offset);

/// Details of a failure, besides the reported text.
struct FailureReason {
    FailureKind kind = FailureKind::other;
    std::string_view word = {};
    std::string_view option = {};
};

/// Facts about a failed command or asynchronous request.
struct Failure {
    FailureKind kind = FailureKind::other;
    std::string line;                 ///< command as typed; empty for an asynchronous request
    const Command* command = nullptr; ///< null: no command has that name
    std::string word;
    std::string_view option;
    std::optional<FailedRequest> request;
    std::optional<DataMismatch> mismatch;
    Status status;       ///< errno, text and cause; the command's JSON record has the same
    uint64_t image = 0; ///< number of the image that was open, see Session::image
};

/// The last failure of a session. The Reporter notes what it reports.
class FailureLog {
public:
    /// Starts a command: later notes are about it.
    void begin(std::string_view line) {
        line_ = line;
        noted_.reset();
    }
    /// The running command as it was typed.
    const std::string& line() const { return line_; }
    /// Notes a failure. Of several failures of a command the first is kept, because the others follow from it.
    void note(const FailureReason& reason, const Status& status);
    void note(const DataMismatch& mismatch);
    /// Ends a failed command. `request`: its failed request, if any.
    void finish(const Command* command, std::optional<FailedRequest> request);

    /// While one exists, notes are about an asynchronous request, not about the running command.
    class Completion {
    public:
        explicit Completion(FailureLog& log) : log_(log), held_(std::move(log.noted_)) { log_.noted_.reset(); }
        Completion(const Completion&) = delete;
        Completion& operator=(const Completion&) = delete;
        ~Completion() { log_.noted_ = std::move(held_); }

        /// Ends a failed request; without `request`, its data differed from the pattern.
        void finish(std::optional<FailedRequest> request) { log_.keep({}, nullptr, std::move(request)); }

    private:
        FailureLog& log_;
        std::optional<Failure> held_;
    };

    /// Sets the image that later failures are about, see Session::image.
    void set_image(uint64_t image) { image_ = image; }

    /// Number of failures.
    uint64_t count() const { return count_; }
    /// The last failure; null if nothing has failed.
    const Failure* last() const { return last_ ? &*last_ : nullptr; }

private:
    void keep(std::string_view line, const Command* command, std::optional<FailedRequest> request);

    std::string line_;
    uint64_t image_ = 0;
    uint64_t count_ = 0;
    std::optional<Failure> noted_;
    std::optional<Failure> last_;
};

} // namespace zoneio
