// SPDX-License-Identifier: GPL-3.0-or-later
//
// Why an image refuses what is asked of it, zones aside; and what is left when nothing else is known.
#include "block/base/size.h"
#include "block/node/node.h"
#include "commands/command.h"
#include "commands/why/why.h"

namespace zoneio {

namespace {

using Kind = FailedRequest::Kind;

std::string size_text(uint64_t bytes) {
    return format_size(static_cast<double>(bytes));
}

bool is_named(const Evidence& evidence, std::string_view name) {
    return evidence.failure().command != nullptr && evidence.failure().command->name == name;
}

bool is_permission(Evidence& evidence) {
    return evidence.is(FailureKind::permission);
}
Explanation explain_permission(Evidence& evidence) {
    if (evidence.says("Is another process using")) {
        return {"another program uses the image, and does not let others do this to it",
                {evidence.failure().status.message().substr(0, evidence.failure().status.message().find('\n'))},
                ""};
    }
    if (evidence.says("read-only")) {
        return {"the image is open for reading only", {"Writing, discarding and truncating need write access."}, "reopen -w"};
    }
    return {"the image does not allow that", {evidence.failure().status.message()}, ""};
}

bool is_past_end(Evidence& evidence) {
    return evidence.is_request() && evidence.code() == EIO &&
           (evidence.request().offset > evidence.length() ||
            evidence.request().bytes > evidence.length() - evidence.request().offset);
}
Explanation explain_past_end(Evidence& evidence) {
    const FailedRequest& request = evidence.request();
    const uint64_t length = evidence.length();
    const bool is_raw = evidence.session().backend().format().name == "raw";
    Explanation explanation{fmt::format("the range ends at {}, behind the end of the image", request.offset + request.bytes),
                            {fmt::format("The image is {} bytes long ({}).", length, size_text(length))},
                            ""};
    if (request.offset < length) {
        explanation.more.push_back(fmt::format("From {} on there are {} bytes left.", request.offset, length - request.offset));
    }
    if (is_raw && evidence.writes()) {
        explanation.repair = fmt::format("truncate {}", request.offset + request.bytes);
    }
    return explanation;
}

bool is_full_medium(Evidence& evidence) {
    return evidence.code() == ENOSPC || evidence.code() == EDQUOT;
}
Explanation explain_full_medium(Evidence& /*evidence*/) {
    return {"the file system has no room left for what was to be written", {"A sparse image takes room when it is written, not before."}, ""};
}

bool is_unsupported(Evidence& evidence) {
    return evidence.is_request() && evidence.code() == ENOTSUP;
}
Explanation explain_unsupported(Evidence& evidence) {
    return {fmt::format("the driver {} cannot do that", evidence.session().backend().format().name), {}, "info"};
}

bool is_resize_refused(Evidence& evidence) {
    return evidence.wants(Kind::truncate);
}
Explanation explain_resize_refused(Evidence& evidence) {
    return {"the length of this image cannot be changed so", {evidence.failure().status.message()}, "length"};
}

bool is_request(Evidence& evidence) {
    return evidence.is_request();
}
Explanation explain_request(Evidence& evidence) {
    const FailedRequest& request = evidence.request();
    Explanation explanation{fmt::format("the system refused it: {}", Status::from_errno(evidence.code()).message()), {}, ""};
    if (request.bytes > 0) {
        explanation.more.push_back(fmt::format("It was about {} bytes at offset {}.", request.bytes, request.offset));
    }
    if (evidence.failure().status.has_text()) {
        explanation.more.push_back(evidence.failure().status.message());
    }
    if (evidence.code() == EIO) {
        explanation.more.emplace_back("The medium may be failing there: the kernel's log (dmesg) tells more.");
    }
    return explanation;
}

bool is_gone(Evidence& evidence) {
    return evidence.is(FailureKind::request);
}
Explanation explain_gone(Evidence& evidence) {
    return {fmt::format("the system refused it: {}", evidence.failure().status.message()),
            {"The image that it was about is closed, so nothing more can be found out."},
            ""};
}

bool is_mismatch(Evidence& evidence) {
    return evidence.is(FailureKind::other) && (is_named(evidence, "read") || is_named(evidence, "readv"));
}
Explanation explain_mismatch(Evidence& /*evidence*/) {
    return {"what was read is not what was expected, or the options did not fit each other",
            {"-P compares each byte with the pattern; -v shows what is there."},
            "help read"};
}

bool is_anything(Evidence& /*evidence*/) {
    return true;
}
Explanation explain_anything(Evidence& evidence) {
    const Command* const command = evidence.failure().command;
    if (evidence.failure().status.has_text()) {
        return {evidence.failure().status.message(), {}, command != nullptr ? fmt::format("help {}", command->name) : ""};
    }
    return {fmt::format("'{}' failed for the reason that it gave", evidence.failure().line),
            {"Nothing more is known of it."},
            command != nullptr ? fmt::format("help {}", command->name) : ""};
}

constexpr Cause causes[] = {
    {"not-permitted", is_permission, explain_permission},
    {"past-end", is_past_end, explain_past_end},
    {"no-space", is_full_medium, explain_full_medium},
    {"resize-refused", is_resize_refused, explain_resize_refused},
    {"unsupported", is_unsupported, explain_unsupported},
    {"request-failed", is_request, explain_request},
    {"image-closed", is_gone, explain_gone},
    {"data-differs", is_mismatch, explain_mismatch},
    {"other", is_anything, explain_anything},
};

} // namespace

std::span<const Cause> image_causes() {
    return causes;
}

} // namespace zoneio
