// SPDX-License-Identifier: GPL-3.0-or-later
//
// replay: applies a write log to the open image.
#include "block/base/size.h"
#include "block/log/replay.h"
#include "commands/families.h"
#include "commands/log/entries.h"
#include "commands/long_work.h"

namespace zoneio {

namespace {

struct ReplayOptions {
    std::optional<std::string> from; // -f
    std::optional<std::string> to;   // -t
    bool dry_run = false;            // -n
};

constexpr OptionRow<ReplayOptions> replay_options[] = {
    {{.letter = 'f', .name = "from", .argument = "ENTRY", .help = "start with this entry, or after this mark", .fallback = "the first entry"},
     set_word<&ReplayOptions::from>},
    {{.letter = 't', .name = "to", .argument = "ENTRY", .help = "end with this entry, or at this mark", .fallback = "the last entry"},
     set_word<&ReplayOptions::to>},
    {{.letter = 'n', .name = "dry-run", .help = "only check whether the entries apply"}, set_flag<&ReplayOptions::dry_run>},
};

/// The result of a replay.
struct ReplayFact {
    bool dry_run;
    uint64_t entries = 0;
    uint64_t writes = 0;
    uint64_t bytes = 0;
    uint64_t zone_operations = 0;

    void count(const LogEntry& entry) {
        entries++;
        writes += entry.has_data() ? 1 : 0;
        bytes += entry.has_data() ? entry.length : 0;
        zone_operations += zone_op_of(entry.kind) || entry.kind == LogKind::state ? 1 : 0;
    }

    void text(Reporter& out) const {
        out.print("{} {} entries: {} writes of {}, {} zone operations\n", dry_run ? "would replay" : "replayed", entries, writes,
                  format_size(bytes), zone_operations);
    }
    void json(JsonRecord& record) const {
        record.add("entries", entries);
        record.add("writes", writes);
        record.add("bytes", bytes);
        record.add("zone_operations", zone_operations);
        record.add("dry_run", dry_run);
    }
};

/// Entries from one to another, both included.
struct EntryRange {
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;
    std::optional<LogEntry> begin;
};

Result<EntryRange> find_range(LogReader& reader, const ReplayOptions& options) {
    EntryRange range;
    if (options.from) {
        const LogEntry from = TRY(find_entry(reader, *options.from));
        range.first = from.number + (from.kind == LogKind::mark ? 1 : 0);
        range.begin = from;
    }
    if (options.to) {
        const LogEntry to = TRY(find_entry(reader, *options.to));
        range.last = to.number;
        if (range.last + 1 < range.first) {
            return Status::invalid(fmt::format("--to is entry {}, before --from, which is {}", range.last, range.first));
        }
    }
    return range;
}

Status replay_range(LogReader& reader, LogReplay& replay, const EntryRange& range, ReplayFact& fact) {
    LongWork work("replay", reader.length(), LongWork::Unit::bytes);
    while (true) {
        const Result<std::optional<LogEntry>> next = reader.next();
        if (!next.ok() || !*next || (*next)->number > range.last) {
            return next.status();
        }
        const LogEntry& entry = **next;
        if (entry.number < range.first) {
            continue;
        }
        if (Status status = replay.apply(entry); !status.ok()) {
            return does_not_apply(entry, std::move(status));
        }
        fact.count(entry);
        if (!work.step(reader.position())) {
            return Status::from_errno(EINTR);
        }
    }
}

Outcome run_replay(Session& session, const Command& command, const ReplayOptions& options, std::span<char*> operands) {
    if (operands.size() != 1) {
        return usage_error(session, command);
    }
    if (!options.dry_run) {
        if (Status status = session.backend().require(Permissions::write); !status.ok()) {
            return session.out().error({FailureKind::permission}, status);
        }
    }
    std::optional<OpenLog> log = open_log_argument(session, command, operands[0]);
    if (!log) {
        return Outcome::failed;
    }
    const Result<EntryRange> range = find_range(*log->reader, options);
    if (!range.ok()) {
        return long_command_failed(session, command, range.status());
    }
    LogReplay replay(*log->reader, session.backend());
    Status status = options.dry_run ? replay.only_try() : Status();
    log->reader->rewind();
    if (range->begin) {
        log->reader->go_to(*range->begin);
    }
    ReplayFact fact{options.dry_run};
    if (status.ok()) {
        status = replay_range(*log->reader, replay, *range, fact);
    }
    if (!options.dry_run) {
        Status flushed = session.backend().execute(Request::flush());
        status = status.ok() ? std::move(flushed) : std::move(status);
    }
    if (status.ok() || fact.entries > 0) {
        session.out().tell(fact);
    }
    return status.ok() ? Outcome::ok : long_command_failed(session, command, status);
}

} // namespace

constexpr Command replay_commands[] = {
    {.name = "replay", .run = with_options<replay_options, run_replay>,
     .argmin = 1, .argmax = -1, .needs_image = true, .waits_for_aio = true, .is_ours = true,
     .operands = "file",
     .oneline = "apply a write log to the open image",
     .help =
         "Applies the write log in FILE to the open image, which must be as it was at the start of the log. For a zoned\n"
         "device, the log has the zones, and replay compares them. Stops at an entry that does not apply, and reports the\n"
         "reason. ENTRY is a number that log shows, or the name of a mark (mark:NAME if the name is a number).\n"
         "\n"
         "Example: replay --to after-mkfs writes.log\n",
     .options = option_table<replay_options>(), .words = {Word::file}},
};

} // namespace zoneio
