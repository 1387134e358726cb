// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/report/failure.h"

#include "block/base/buffer.h"

#include <algorithm>

namespace zoneio {

void compare_with_pattern(DataMismatch& sum, const uint8_t* data, uint64_t bytes, uint64_t offset) {
    if (all_bytes_equal(data, bytes, sum.expected)) {
        return;
    }
    if (sum.bytes == 0) {
        const uint8_t* const first = std::find_if(data, data + bytes, [&](uint8_t byte) { return byte != sum.expected; });
        sum.offset = offset + static_cast<uint64_t>(first - data);
        sum.found = *first;
    }
    sum.bytes += bytes - static_cast<uint64_t>(std::count(data, data + bytes, sum.expected));
}

void FailureLog::note(const FailureReason& reason, const Status& status) {
    if (!noted_) {
        noted_.emplace();
        noted_->kind = reason.kind;
        noted_->word = reason.word;
        noted_->option = reason.option;
        noted_->status = status;
    }
}

void FailureLog::note(const DataMismatch& mismatch) {
    if (!noted_) {
        noted_.emplace();
        noted_->kind = FailureKind::mismatch;
        noted_->mismatch = mismatch;
    }
}

void FailureLog::finish(const Command* command, std::optional<FailedRequest> request) {
    keep(line_, command, std::move(request));
}

void FailureLog::keep(std::string_view line, const Command* command, std::optional<FailedRequest> request) {
    if (!noted_) {
        noted_.emplace();
    }
    if (noted_->kind == FailureKind::other && request) {
        noted_->kind = FailureKind::request;
        noted_->status = request->status;
        noted_->request = std::move(request);
    }
    noted_->line = line;
    noted_->command = command;
    noted_->image = image_;
    last_ = std::move(noted_);
    noted_.reset();
    count_++;
}

} // namespace zoneio
