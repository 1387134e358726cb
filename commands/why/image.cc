// SPDX-License-Identifier: GPL-3.0-or-later
//
// Causes about images, except zones; and explanations for everything without a more specific cause.
#include "block/base/size.h"
#include "commands/command.h"
#include "commands/why/why.h"

#include <algorithm>
#include <cerrno>
#include <sys/resource.h>

namespace zoneio {

namespace {

using Kind = FailedRequest::Kind;

std::string reopen_writable(const Evidence& evidence) {
    const bool works = evidence.session().is_open() && evidence.session().backend().check_reopen_writable().ok();
    return works ? "reopen -w" : "";
}

Explanation explain_permission(Evidence& evidence) {
    if (evidence.is(Cause::image_locked)) {
        return {"another program uses the image and does not allow this",
                {evidence.failure().status.message().substr(0, evidence.failure().status.message().find('\n'))}};
    }
    if (evidence.is(Cause::read_only_node)) {
        return {"the image is open read-only", {"Writing, discarding and truncating require write access."}, reopen_writable(evidence)};
    }
    return {"the image does not allow that", {evidence.failure().status.message()}};
}

Explanation explain_injected(Evidence& evidence) {
    return {fmt::format("an inject-error rule of blkdebug made the request fail: {}", Status::from_errno(evidence.code()).message())};
}

bool is_past_end(Evidence& evidence) {
    return evidence.code() == EIO && evidence.ends_outside();
}
Explanation explain_past_end(Evidence& evidence) {
    const FailedRequest& request = evidence.request();
    const uint64_t length = evidence.length();
    Explanation explanation{fmt::format("the range ends at {}, after the end of the image", request.offset + request.bytes),
                            {fmt::format("The image is {} bytes long ({}).", length, format_size(length))}};
    if (request.offset < length) {
        explanation.more.push_back(fmt::format("After {} there are {} bytes left.", request.offset, length - request.offset));
    }
    if (evidence.writes() && evidence.session().backend().can_grow_to(request.offset + request.bytes)) {
        explanation.repair = fmt::format("truncate {}", request.offset + request.bytes);
    }
    return explanation;
}

/// Name of the file that failed, in quotes, or `the file`.
std::string host_file(const Evidence& evidence) {
    std::string name = evidence.facts().name;
    if (name.empty() && evidence.is_request()) {
        name = evidence.session().backend().filename();
    }
    return name.empty() ? "the file" : fmt::format("'{}'", name);
}

template <int Errno>
bool is_errno(Evidence& evidence) {
    return evidence.code() == Errno;
}
Explanation explain_full_medium(Evidence& evidence) {
    return {fmt::format("the file system of {} has no space left", host_file(evidence)),
            {"A sparse image takes space when it is written, not before."}};
}
Explanation explain_quota(Evidence& evidence) {
    return {fmt::format("your quota on the file system of {} is used up", host_file(evidence)),
            {"A sparse image takes space when it is written, not before."}};
}
Explanation explain_too_large(Evidence& evidence) {
    Explanation explanation{fmt::format("{} would become larger than allowed", host_file(evidence))};
    rlimit most{};
    if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur != RLIM_INFINITY) {
        explanation.more.push_back(fmt::format("This process may write files of up to {} bytes ('ulimit -f').", most.rlim_cur));
    } else {
        explanation.more.emplace_back("The file system limits the size of files.");
    }
    return explanation;
}
bool is_file_error(Evidence& evidence) {
    return evidence.is(Cause::file_error) && evidence.code() == EIO;
}
Explanation explain_file_error(Evidence& evidence) {
    return {fmt::format("the system could not read or write {}: {}", host_file(evidence), Status::from_errno(EIO).message()),
            {"The medium may be failing: see the kernel's log (dmesg)."}};
}

Explanation explain_changes_format(Evidence& /*evidence*/) {
    return {"the write would make the file look like an image of another format",
            {"The format was guessed as raw; the next guess would differ. With -f raw (or -o driver=raw) zoneio accepts any "
             "write."}};
}

bool is_unsupported(Evidence& evidence) {
    return evidence.is_request() && evidence.code() == ENOTSUP;
}
Explanation explain_unsupported(Evidence& evidence) {
    return {fmt::format("the driver {} does not support this", evidence.session().backend().format().name)};
}

bool is_resize_refused(Evidence& evidence) {
    return evidence.wants(Kind::truncate);
}
Explanation explain_resize_refused(Evidence& evidence) {
    return {"the length of this image cannot be changed this way", {evidence.failure().status.message()}};
}

bool is_request(Evidence& evidence) {
    return evidence.is_request();
}
Explanation explain_request(Evidence& evidence) {
    const FailedRequest& request = evidence.request();
    Explanation explanation{fmt::format("the system refused the request: {}", Status::from_errno(evidence.code()).message())};
    if (request.bytes > 0) {
        explanation.more.push_back(fmt::format("The request had {} bytes at offset {}.", request.bytes, request.offset));
    }
    if (evidence.failure().status.has_text()) {
        explanation.more.push_back(evidence.failure().status.message());
    }
    if (evidence.code() == EIO) {
        explanation.more.emplace_back("The medium may be failing: see the kernel's log (dmesg).");
    }
    return explanation;
}

Explanation explain_gone(Evidence& evidence) {
    return {fmt::format("the system refused the request: {}", evidence.failure().status.message()),
            {"The image is closed, so nothing more is known."}};
}

Explanation explain_mismatch(Evidence& evidence) {
    const DataMismatch& mismatch = *evidence.failure().mismatch;
    Explanation explanation{
        fmt::format("{} of {} bytes differ; the first at {} is {:#04x}, not {:#04x}", mismatch.bytes, mismatch.compared_bytes,
                    mismatch.offset, mismatch.found, mismatch.expected),
        {fmt::format("The data at {} was compared with the byte {:#04x} (-P).", mismatch.compared_offset, mismatch.expected)}};
    const bool is_same_image = evidence.session().is_open() && evidence.session().image() == evidence.failure().image;
    const uint64_t length = is_same_image ? evidence.length() : 0;
    if (mismatch.offset < length && !evidence.failure().line.starts_with("read -b")) {
        explanation.repair = fmt::format("read -v {} {}", mismatch.offset, std::min<uint64_t>(64, length - mismatch.offset));
        explanation.note = "shows the data";
    }
    return explanation;
}

Explanation explain_compare_range(Evidence& /*evidence*/) {
    return {"the range to compare ends after the data that was read",
            {"-s is the first byte to compare, counted from the start of the data, and -l the number of bytes: together at most the "
             "length of the read."},
            "help read"};
}

Explanation explain_interrupted(Evidence& evidence) {
    return {"interrupted by Ctrl-C", {evidence.failure().status.message()}};
}

bool is_anything(Evidence& /*evidence*/) {
    return true;
}
Explanation explain_anything(Evidence& evidence) {
    const Command* const command = evidence.failure().command;
    if (evidence.failure().status.has_text()) {
        return {evidence.failure().status.message(), {}, command != nullptr ? fmt::format("help {}", command->name) : ""};
    }
    return {fmt::format("'{}' failed for the reason it reported", evidence.failure().line),
            {"Nothing more is known."},
            command != nullptr ? fmt::format("help {}", command->name) : ""};
}

/// Before all other causes of requests: the storage itself is as it should be.
constexpr CauseRow injected[] = {
    {"injected", arose_from<Cause::injected>, explain_injected},
};

constexpr CauseRow image_table[] = {
    {"not-permitted", is_kind<FailureKind::permission>, explain_permission},
    {"past-end", is_past_end, explain_past_end},
    {"interrupted", is_kind<FailureKind::interrupted>, explain_interrupted},
    {"no-space", is_errno<ENOSPC>, explain_full_medium},
    {"quota-used-up", is_errno<EDQUOT>, explain_quota},
    {"file-too-large", is_errno<EFBIG>, explain_too_large},
    {"file-failed", is_file_error, explain_file_error},
    {"changes-format", arose_from<Cause::changes_format>, explain_changes_format},
    {"resize-refused", is_resize_refused, explain_resize_refused},
    {"unsupported", is_unsupported, explain_unsupported},
    {"request-failed", is_request, explain_request},
    {"image-closed", is_kind<FailureKind::request>, explain_gone},
    {"data-differs", is_kind<FailureKind::mismatch>, explain_mismatch},
    {"compare-range", is_kind<FailureKind::compare_range>, explain_compare_range},
    {"other", is_anything, explain_anything},
};

} // namespace

std::span<const CauseRow> injected_causes() {
    return injected;
}

std::span<const CauseRow> image_causes() {
    return image_table;
}

} // namespace zoneio
