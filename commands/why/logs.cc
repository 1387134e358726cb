// SPDX-License-Identifier: GPL-3.0-or-later
//
// Why a write log could not be read, continued or replayed.
#include "commands/why/why.h"

namespace zoneio {

namespace {

Explanation explain_no_log(Evidence& /*evidence*/) {
    return {"no log is written: the image was not opened with the driver 'blklogwrites'",
            {"For example: open -o driver=blklogwrites,file.driver=raw,file.file.filename=IMAGE,log.driver=file,log.filename=LOG"},
            ""};
}

Explanation explain_incomplete(Evidence& evidence) {
    const Status& status = evidence.failure().status;
    return {status.has_text() ? status.message() : "an entry could not be written to the write log: " + status.message(),
            {"Writes are refused from then on, so that the log has no gap.",
             "Close the image and free space for the log. All earlier entries can be replayed."},
            ""};
}

Explanation explain_other_file(Evidence& evidence) {
    return {"the file is not a write log: " + evidence.failure().status.message(),
            {"A write log comes from the driver 'blklogwrites' (zoneio or QEMU), or from Linux's dm-log-writes.",
             "If nothing was written to the image, its log is empty."},
            ""};
}

constexpr CauseRow logs_table[] = {
    {"no-write-log", arose_from<Cause::no_write_log>, explain_no_log},
    {"write-log-incomplete", arose_from<Cause::write_log_incomplete>, explain_incomplete},
    {"not-a-write-log", arose_from<Cause::not_a_write_log>, explain_other_file},
    {"broken-write-log", arose_from<Cause::broken_write_log>, nullptr,
     "The log was truncated or overwritten, or it was copied while it was written. Earlier entries can be used:\n"
     "give 'replay --to' or 'crash --at' a smaller number."},
    {"write-log-of-other-image", arose_from<Cause::write_log_of_other>, nullptr,
     "A log applies to a copy of the image that was made before the log started."},
    {"not-in-write-log", arose_from<Cause::not_in_write_log>, nullptr,
     "'log FILE' lists the entries, and 'log -k mark FILE' the marks."},
};

} // namespace

std::span<const CauseRow> log_causes() {
    return logs_table;
}

} // namespace zoneio
