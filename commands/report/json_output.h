// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "commands/report/json_record.h"

#include <cstdint>
#include <deque>
#include <string_view>

namespace zoneio {

/// Writes records to stdout, one a line, numbered from 1. While a record is open, others may start and finish (commands
/// of a script, asynchronous requests); they are written before it.
class JsonOutput {
public:
    /// Starts a record. Facts until end() belong to it.
    JsonRecord& begin(std::string_view type, std::string_view command) {
        if (open_ == records_.size()) {
            records_.emplace_back();
        }
        JsonRecord& record = records_[open_++];
        record.begin(type, command, lines_);
        return record;
    }
    void end(bool ok) { records_[--open_].finish(ok); }

    /// The innermost open record, or null.
    JsonRecord* current() { return open_ == 0 ? nullptr : &records_[open_ - 1]; }

private:
    std::deque<JsonRecord> records_; ///< reused for their memory; the first open_ are in use
    size_t open_ = 0;
    uint64_t lines_ = 0;
};

} // namespace zoneio
