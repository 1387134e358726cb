// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zoneio {

struct Command;

/// What kind of thing went wrong.
enum class FailureKind : uint8_t {
    unknown_command, ///< `word`
    no_image,        ///< nothing is open
    not_zoned,       ///< what is open has no zones
    already_open,
    word_count,      ///< too few or too many words
    usage,           ///< options or operands that make no sense
    number,          ///< `word` is no size, offset or count; the reason is in the status where there is a special one
    pattern,         ///< `word` is no byte
    mode,            ///< `word` is no mode of `option`: cache, discard, aio
    open,            ///< an image, named `word` where it has a name; why is in the status
    permission,      ///< to do what the command does; why is in the status
    request,         ///< what was asked of the image
    mismatch,        ///< what was read is not what was expected
    compare_range,   ///< what is to be compared goes beyond what is read
    interrupted,     ///< the user ended the command
    other,           ///< the command has said what
};

/// Where data that was read differs from what was expected. Offsets are those of the image.
struct DataMismatch {
    uint64_t compared_offset = 0; ///< the range that was compared
    uint64_t compared_bytes = 0;
    uint64_t offset = 0; ///< of the first byte that differs
    uint64_t bytes = 0;  ///< how many differ
    uint8_t found = 0;   ///< the first one
    uint8_t expected = 0;
};

/// What a failure is about, besides the words that report it.
struct FailureReason {
    FailureKind kind = FailureKind::other;
    std::string_view word = {};
    std::string_view option = {};
};

/// What is known of a failed command, or of an asynchronous request that failed.
struct Failure {
    FailureKind kind = FailureKind::other;
    std::string line;                 ///< the command as it was typed; empty for an asynchronous request
    const Command* command = nullptr; ///< null: there is none of that name
    std::string word;
    std::string_view option;
    std::optional<FailedRequest> request;
    std::optional<DataMismatch> mismatch;
    Status status;       ///< errno, text and cause; the record of the command in JSON has the same
    uint64_t image = 0; ///< which of the session's images was open
};

/// The last failure of a session. The Reporter notes what it reports.
class FailureLog {
public:
    /// A command begins: what is noted from here on is about it.
    void begin(std::string_view line) {
        line_ = line;
        noted_.reset();
    }
    /// Something went wrong. Of several things the first counts, the others follow from it.
    void note(const FailureReason& reason, const Status& status);
    void note(const DataMismatch& mismatch);
    /// The command failed; what was noted may be about a request that failed.
    void finish(const Command* command, std::optional<FailedRequest> request);

    /// While one exists, what is noted is about an asynchronous request that failed, whatever command is under way.
    class Completion {
    public:
        explicit Completion(FailureLog& log) : log_(log), held_(std::move(log.noted_)) { log_.noted_.reset(); }
        Completion(const Completion&) = delete;
        Completion& operator=(const Completion&) = delete;
        ~Completion() { log_.noted_ = std::move(held_); }

        /// The request failed, or read something else than was expected (no request).
        void finish(std::optional<FailedRequest> request) { log_.keep({}, nullptr, std::move(request)); }

    private:
        FailureLog& log_;
        std::optional<Failure> held_;
    };

    /// Failures from now on are about this image of the session.
    void set_image(uint64_t image) { image_ = image; }

    /// How many failures there were.
    uint64_t count() const { return count_; }
    /// Nothing failed yet: null.
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
