// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/log/entries.h"


#include <charconv>

namespace zoneio {

std::optional<OpenLog> open_log_argument(Session& session, const Command& command, const std::string& name) {
    Result<OpenLog> log = open_log(name);
    if (!log.ok()) {
        session.out().error({FailureKind::open, name}, log.status(), fmt::format("{}: {}: {}", command.name, name, log.status().message()));
        return std::nullopt;
    }
    return std::move(*log);
}

Result<LogEntry> find_entry(LogReader& reader, const std::string& word) {
    constexpr std::string_view mark_prefix = "mark:";
    uint64_t number = 0;
    const char* const end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data(), end, number);
    const bool is_number = error == std::errc() && rest == end;
    const std::string name = word.starts_with(mark_prefix) ? word.substr(mark_prefix.size()) : word;
    reader.rewind();
    while (true) {
        std::optional<LogEntry> entry = TRY(reader.next());
        if (!entry) {
            break;
        }
        if (is_number && entry->number == number) {
            return *entry;
        }
        if (!is_number && entry->kind == LogKind::mark) {
            const std::string found = TRY(reader.own_bytes(*entry));
            if (found == name) {
                return *entry;
            }
        }
    }
    return Status::invalid(is_number ? fmt::format("there is no entry {}: the log has {}", number, reader.entry_count())
                                           : fmt::format("there is no mark '{}' in the log", name))
        .because(Cause::not_in_write_log);
}

Status does_not_apply(const LogEntry& entry, Status status) {
    const std::string_view kind = log_kind_name(entry.kind);
    const bool has_range = entry.has_data() || entry.kind == LogKind::discard || entry.kind == LogKind::state || zone_op_of(entry.kind);
    const std::string what = has_range ? fmt::format("{} of {} bytes at {}", kind, entry.length, entry.offset) : std::string(kind);
    std::string text = fmt::format("entry {} ({}) does not apply: {}", entry.number, what, status.message());
    return std::move(status).with_text(std::move(text));
}

} // namespace zoneio
