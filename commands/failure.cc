// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/failure.h"

namespace zoneio {

void FailureLog::note(FailureKind kind, std::string_view word, const Status& status, std::string_view option) {
    if (!noted_) {
        noted_.emplace();
        noted_->kind = kind;
        noted_->word = word;
        noted_->option = option;
        noted_->status = status;
    }
}

void FailureLog::finish(const Command* command, std::optional<FailedRequest> request) {
    if (!noted_) {
        noted_.emplace();
        noted_->kind = request ? FailureKind::request : FailureKind::other;
        noted_->status = request ? request->status : Status();
        noted_->request = std::move(request);
    }
    noted_->line = line_;
    noted_->command = command;
    noted_->image = image_;
    last_ = std::move(noted_);
    noted_.reset();
    count_++;
}

void FailureLog::note_asynchronous(FailedRequest request) {
    last_.emplace();
    last_->kind = FailureKind::request;
    last_->status = request.status;
    last_->request = std::move(request);
    last_->image = image_;
    count_++;
}

} // namespace zoneio
