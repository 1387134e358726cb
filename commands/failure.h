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
    other,           ///< the command has said what
};

/// What is known of a failed command, or of an asynchronous request that failed.
struct Failure {
    FailureKind kind = FailureKind::other;
    std::string line;                 ///< the command as it was typed; empty for an asynchronous request
    const Command* command = nullptr; ///< null: there is none of that name
    std::string word;
    std::string_view option;
    std::optional<FailedRequest> request;
    Status status;
    uint64_t image = 0; ///< which of the session's images was open
};

/// The last failure of a session.
class FailureLog {
public:
    /// A command begins: what is noted from here on is about it.
    void begin(std::string_view line) {
        line_ = line;
        noted_.reset();
    }
    /// Something went wrong. Of several things the first counts, the others follow from it.
    void note(FailureKind kind, std::string_view word = {}, const Status& status = {}, std::string_view option = {});
    /// The command failed; what was not noted is a request that `request` tells of, or something else.
    void finish(const Command* command, std::optional<FailedRequest> request);
    /// An asynchronous request failed.
    void note_asynchronous(FailedRequest request);

    /// Failures from now on are about this image of the session.
    void set_image(uint64_t image) { image_ = image; }

    /// How many failures there were.
    uint64_t count() const { return count_; }
    /// Nothing failed yet: null.
    const Failure* last() const { return last_ ? &*last_ : nullptr; }

private:
    std::string line_;
    uint64_t image_ = 0;
    uint64_t count_ = 0;
    std::optional<Failure> noted_;
    std::optional<Failure> last_;
};

} // namespace zoneio
