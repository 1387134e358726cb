// SPDX-License-Identifier: GPL-3.0-or-later
//
// log: lists the entries of a write log. mark: adds a mark to one.
#include "block/base/size.h"
#include "block/log/zone_states.h"
#include "commands/families.h"
#include "commands/log/entries.h"
#include "commands/long_work.h"
#include "commands/zones/filter_options.h"

#include <bitset>

namespace zoneio {

namespace {

constexpr LogKind all_kinds[] = {LogKind::write,  LogKind::append, LogKind::discard, LogKind::flush,     LogKind::mark,   LogKind::reset,
                                 LogKind::finish, LogKind::open,   LogKind::close,   LogKind::state, LogKind::device, LogKind::zones,
                                 LogKind::length};

/// Selects entries.
struct EntryFilter {
    std::optional<std::bitset<32>> kinds; // -k
    std::optional<Span> zones;            // -z
    std::optional<Span> bytes;            // -r, both ends included

    bool takes(const LogEntry& entry, uint64_t zone_size) const {
        if (kinds && !kinds->test(static_cast<size_t>(entry.kind))) {
            return false;
        }
        const bool has_range = entry.length > 0 && entry.kind != LogKind::length;
        const uint64_t last = entry.offset + entry.length - 1;
        if (bytes && (!has_range || last < bytes->first || entry.offset > bytes->last)) {
            return false;
        }
        return !zones || (has_range && last / zone_size >= zones->first && entry.offset / zone_size <= zones->last);
    }
};

OptionStep take_kinds(const GivenOption& given, EntryFilter& filter) {
    filter.kinds.emplace();
    std::string_view rest = given.word;
    while (!rest.empty()) {
        const std::string_view word = rest.substr(0, rest.find(','));
        const auto* const kind = std::find_if(std::begin(all_kinds), std::end(all_kinds), [&](LogKind row) {
            return log_kind_name(row) == (word == "condition" ? "state" : word); // "condition": the former name
        });
        if (kind == std::end(all_kinds)) {
            return step_after(given, Status::invalid(fmt::format("'{}' is no kind of entry; see 'help log'", word)));
        }
        filter.kinds->set(static_cast<size_t>(*kind));
        rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    }
    return OptionStep::next;
}

OptionStep take_zones(const GivenOption& given, EntryFilter& filter) {
    ZoneFilter zones;
    const OptionStep step = step_after(given, zones.set_range(given.word));
    filter.zones = zones.range();
    return step;
}

/// `A-B`: B is the first byte after the range.
OptionStep take_range(const GivenOption& given, EntryFilter& filter) {
    const std::string word = given.word;
    const size_t dash = word.find('-');
    const std::optional<int64_t> first = parse_size_argument(given.session, word.substr(0, dash).c_str());
    if (!first) {
        return OptionStep::failed;
    }
    filter.bytes = Span{static_cast<uint64_t>(*first), static_cast<uint64_t>(*first)};
    if (dash == std::string::npos) {
        return OptionStep::next;
    }
    filter.bytes->last = UINT64_MAX;
    if (dash + 1 < word.size()) {
        const std::optional<int64_t> end = parse_size_argument(given.session, word.substr(dash + 1).c_str());
        if (!end) {
            return OptionStep::failed;
        }
        if (*end <= *first) {
            return step_after(given, Status::invalid(fmt::format("the range {} is empty", word)));
        }
        filter.bytes->last = static_cast<uint64_t>(*end) - 1;
    }
    return OptionStep::next;
}

constexpr OptionRow<EntryFilter> log_options[] = {
    {{.letter = 'k', .name = "kind", .argument = "KINDS",
      .help = "select entries of these kinds, separated by commas: write, append, discard, flush, mark, reset,\n"
              "finish, open, close, state, device, zones, length"},
     take_kinds},
    {{.letter = 'z', .name = "zone", .argument = "ZONES", .help = "select entries about these zones: A, A-B, A- or -B"}, take_zones},
    {{.letter = 'r', .name = "range", .argument = "BYTES", .help = "select entries about these bytes: A, A-B (without B) or A-"},
     take_range},
};

/// The facts of an entry besides its range.
struct EntryFact {
    const LogEntry& entry;
    uint64_t zone_size; ///< 0: no zones
    std::string mark;

    bool is_length() const { return entry.kind == LogKind::length; }
    std::optional<uint64_t> zone() const {
        return is_length() ? std::nullopt : zone_size != 0 && entry.length > 0 ? std::optional(entry.offset / zone_size) : std::nullopt;
    }

    void text(Reporter& out) const {
        std::string line = fmt::format("{:>8}  {:<9}", entry.number, log_kind_name(entry.kind));
        if (is_length()) {
            line += fmt::format(" {:>14} {:>12}", "", entry.length);
        } else if (entry.length > 0) {
            line += fmt::format(" {:>14} {:>12}", entry.offset, entry.length);
        }
        if (zone()) {
            line += fmt::format("  zone {}", *zone());
        }
        line += entry.fua ? "  fua" : "";
        line += entry.metadata ? "  metadata" : "";
        if (entry.kind == LogKind::mark) {
            line += ' ' + mark;
        } else if (entry.kind == LogKind::state) {
            line += fmt::format("  {}", state_text(entry.state));
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out.print("{}\n", line);
    }
    void json(JsonRecord& record) const {
        record.add("entry", entry.number);
        record.add("kind", log_kind_name(entry.kind));
        if (entry.length > 0 && !is_length()) {
            record.add("offset", entry.offset);
        }
        if (entry.length > 0 || is_length()) {
            record.add("bytes", entry.length);
        }
        if (zone()) {
            record.add("zone", *zone());
        }
        if (entry.has_data()) {
            record.add("fua", entry.fua);
            record.add("metadata", entry.metadata);
        }
        if (entry.kind == LogKind::mark) {
            record.add("mark", mark);
        } else if (entry.kind == LogKind::state) {
            record.add("state", state_text(entry.state));
        }
    }
};

struct LogSumFact {
    uint64_t shown;
    uint64_t entries;
    uint32_t sector_size;

    void text(Reporter& out) const {
        out.print("{} of {} entries, sectors of {} bytes\n", shown, entries, sector_size);
    }
    void json(JsonRecord& record) const {
        record.add("shown", shown);
        record.add("total", entries);
        record.add("sector_size", uint64_t{sector_size});
    }
};

/// Takes the zone size from the log's device entry, otherwise from the open device.
Status learn_zone_size(LogReader& reader, const LogEntry& entry, uint64_t& zone_size) {
    if (entry.kind != LogKind::device) {
        return {};
    }
    const std::string own = TRY(reader.own_bytes(entry));
    const Result<LoggedDevice> device = LoggedDevice::decode(own);
    zone_size = device.ok() ? device->zone_size : zone_size;
    return device.status();
}

Status list_entries(Session& session, LogReader& reader, const EntryFilter& filter, uint64_t& shown) {
    uint64_t zone_size = 0;
    while (true) {
        const Result<std::optional<LogEntry>> next = reader.next();
        if (!next.ok() || !*next) {
            return next.status();
        }
        const LogEntry& entry = **next;
        if (InterruptEndsCommand::is_requested()) {
            return Status::from_errno(EINTR);
        }
        Status status = learn_zone_size(reader, entry, zone_size);
        if (!status.ok()) {
            return status;
        }
        if (filter.zones && zone_size == 0 && entry.length > 0) {
            return Status::invalid("the log is not of a zoned device");
        }
        if (!filter.takes(entry, std::max<uint64_t>(zone_size, 1))) {
            continue;
        }
        const Result<std::string> mark = entry.kind == LogKind::mark ? reader.own_bytes(entry) : Result<std::string>(std::string());
        if (!mark.ok()) {
            return mark.status();
        }
        session.out().tell_element(EntryFact{entry, zone_size, *mark});
        shown++;
    }
}

Outcome run_log(Session& session, const Command& command, const EntryFilter& filter, std::span<char*> operands) {
    if (operands.size() != 1) {
        return usage_error(session, command);
    }
    std::optional<OpenLog> log = open_log_argument(session, command, operands[0]);
    if (!log) {
        return Outcome::failed;
    }
    log->reader->read_headers_only();
    uint64_t shown = 0;
    session.out().begin_list("entries");
    const Status status = list_entries(session, *log->reader, filter, shown);
    if (!status.ok()) {
        return long_command_failed(session, command, status);
    }
    session.out().tell(LogSumFact{shown, log->reader->entry_count(), log->reader->sector_size()});
    return Outcome::ok;
}

Outcome run_mark(Session& session, const Command& command, CommandLine line) {
    const Status status = session.backend().mark_logs(line.argv[1]);
    return status.ok() ? Outcome::ok : long_command_failed(session, command, status);
}

} // namespace

constexpr Command log_commands[] = {
    {.name = "log", .run = with_options<log_options, run_log>,
     .argmin = 1, .argmax = -1, .is_ours = true,
     .operands = "file",
     .oneline = "list the entries of a write log",
     .help =
         "Lists the entries in FILE, a log of the driver blklogwrites (zoneio's or QEMU's) or of dm-log-writes: number, kind,\n"
         "offset and length of each entry, and names of marks. Several options narrow the selection.\n"
         "\n"
         "Example: log -k flush,mark writes.log\n",
     .options = option_table<log_options>(), .words = {Word::file}},
    {.name = "mark", .run = run_mark,
     .argmin = 1, .argmax = 1, .needs_image = true, .waits_for_aio = true, .is_ours = true,
     .operands = "name",
     .oneline = "add a mark to the write log",
     .help =
         "Adds a mark with this name after all entries so far, for replay and crash. Requires an image that was opened with\n"
         "the driver blklogwrites.\n"
         "\n"
         "Example: mark after-mkfs\n"},
};

} // namespace zoneio
