// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/report/json_record.h"

#include <cstdint>
#include <deque>
#include <string_view>

namespace zoneio {

/// The records on stdout, one a line, numbered from 1. While a record is being put together others may be begun and
/// finished (by the commands of a script, or when an asynchronous request ends); they come before it.
class JsonOutput {
public:
    /// Begins a record; what is told up to end() belongs to it.
    JsonRecord& begin(std::string_view type, std::string_view command) {
        if (open_ == records_.size()) {
            records_.emplace_back();
        }
        JsonRecord& record = records_[open_++];
        record.begin(type, command, lines_);
        return record;
    }
    void end(bool ok) { records_[--open_].finish(ok); }

    /// The innermost record that is open; null: none.
    JsonRecord* current() { return open_ == 0 ? nullptr : &records_[open_ - 1]; }

private:
    std::deque<JsonRecord> records_; ///< kept for their memory; the first open_ are in use
    size_t open_ = 0;
    uint64_t lines_ = 0;
};

} // namespace zoneio
