// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/status.h"

#include <cstring>

namespace zoneio {

std::string Status::message() const {
    return has_text() ? *details_->text : std::string(strerror(code_));
}

Status Status::because(Cause cause, CauseFacts facts) && {
    cause_ = cause;
    details().facts = std::move(facts);
    return std::move(*this);
}

Status Status::because(Cause cause) && {
    cause_ = cause;
    return std::move(*this);
}

Status Status::with_text(std::string text) && {
    details().text = std::move(text);
    return std::move(*this);
}

Status Status::prefixed(std::string_view prefix) && {
    if (!ok()) {
        details().text = std::string(prefix) + message();
    }
    return std::move(*this);
}

const CauseFacts& Status::facts() const {
    static const CauseFacts none;
    return details_ ? details_->facts : none;
}

} // namespace zoneio
