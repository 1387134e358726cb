// SPDX-License-Identifier: GPL-3.0-or-later
//
// zone_info and zone_list: the facts of a zoned device, and a table of its zones.
#include "block/base/size.h"
#include "commands/families.h"
#include "commands/text/terminal.h"
#include "commands/text/wrapping.h"
#include "commands/zones/filter_options.h"
#include "commands/zones/filter.h"
#include "commands/zones/record.h"
#include "commands/zones/tally.h"

#include <algorithm>
#include <unistd.h>

namespace zoneio {

namespace {

std::string limit_text(uint64_t bytes) {
    return bytes == 0 ? "no limit" : format_size(bytes);
}

std::string capacity_text(const ZoneTally& tally) {
    if (tally.largest_capacity == 0) {
        return "none is sequential";
    }
    return tally.smallest_capacity == tally.largest_capacity
               ? format_size(tally.largest_capacity)
               : fmt::format("{} to {}", format_size(tally.smallest_capacity), format_size(tally.largest_capacity));
}

/// Facts of a device, and sums over its zones.
struct DeviceFact {
    const Limits& limits;
    const ZoneTally& tally;
    uint64_t length;

    void text(Reporter& out) const {
        const auto show = [&](std::string_view name, std::string_view text) {
            constexpr size_t text_column = 19;
            const std::string line = fmt::format("{:<{}}{}", name, text_column, text);
            out.print("{}\n", wrapped(line, line_columns(STDOUT_FILENO), text_column));
        };
        show("model", model_text(limits.zoned));
        show("size", fmt::format("{} ({} bytes)", format_size(length), length));
        show("zones", fmt::format("{} of {}: {} conventional, {} sequential", tally.zones, format_size(limits.zone_size),
                                  tally.conventional, tally.zones - tally.conventional));
        if (const uint64_t last = length % limits.zone_size; last != 0) {
            show("last zone", format_size(last));
        }
        show("zone capacity", capacity_text(tally));
        show("write granularity", format_size(limits.write_granularity));
        show("largest append", limit_text(limits.max_append_bytes));
        show("open zones", used_text(tally.open(), limits.max_open_zones));
        show("active zones", used_text(tally.active(), limits.max_active_zones));
        show("written", written_text(tally));
        for (const ZoneStateWords& words : zone_state_words) {
            show(words.text, fmt::format("{}", tally.in(words.state)));
        }
    }
    void json(JsonRecord& record) const {
        const auto limit = [](uint64_t value) { return value == 0 ? std::nullopt : std::optional(value); };
        record.add("model", model_text(limits.zoned));
        record.add("length", length);
        record.add("zone_count", tally.zones);
        record.add("conventional", tally.conventional);
        record.add("zone_size", limits.zone_size);
        record.add("smallest_capacity", tally.smallest_capacity);
        record.add("largest_capacity", tally.largest_capacity);
        record.add("write_granularity", limits.write_granularity);
        record.add("max_append_bytes", limit(limits.max_append_bytes));
        record.add("open", tally.open());
        record.add("max_open", limit(limits.max_open_zones));
        record.add("active", tally.active());
        record.add("max_active", limit(limits.max_active_zones));
        record.add("capacity", tally.capacity);
        record.add("written", tally.written);
        record.begin_object("states");
        for (const ZoneStateWords& words : zone_state_words) {
            record.add(state_name(words.state), tally.in(words.state));
        }
        record.end();
    }
};

Outcome run_zone_info(Session& session, const Command& command, CommandLine /*line*/) {
    const Limits& limits = session.backend().limits();
    const Result<ZoneTally> tally = tally_zones(session.backend());
    const Result<uint64_t> length = session.backend().length();
    if (!tally.ok() || !length.ok()) {
        return long_command_failed(session, command, tally.ok() ? length.status() : tally.status());
    }
    session.out().tell(DeviceFact{limits, *tally, *length});
    return Outcome::ok;
}

/// Prints the lines of the table. Columns have fixed widths, so no line waits for others. On a narrow terminal, the
/// least important columns are left out.
class ZoneListing {
public:
    ZoneListing(Reporter& out, const Limits& limits, uint64_t length, bool in_bytes)
        : out_(out), in_bytes_(in_bytes), zone_width_(std::max<size_t>(4, fmt::format_int(limits.nr_zones - 1).size())),
          size_width_(in_bytes ? std::max<size_t>(8, fmt::format_int(length).size()) : human_width) {
        leave_out(line_columns(STDOUT_FILENO));
    }

    void head() { line("zone", "start", "capacity", "pointer", "written", "fill", "state", "type"); }

    void row(uint64_t number, const ZoneDescriptor& zone) {
        const std::optional<unsigned> fill = fill_percent(zone);
        line(fmt::format_int(number).c_str(), text(zone.start), text(zone.capacity),
             has_write_pointer(zone) ? text(zone.write_pointer) : none, written(zone),
             fill ? std::string(fmt::format_int(*fill).c_str()) + '%' : none, state_text(zone.state), type_text(zone.type));
    }

    /// Writes the collected lines; several at a time, because each write to a pipe is expensive.
    void write_lines() {
        out_.write(lines_);
        lines_.clear();
    }

private:
    static constexpr size_t lines_at_once = 32U << 10; // bytes
    static constexpr size_t human_width = 12; // 1023.999 MiB
    static constexpr size_t gap = 2;
    static constexpr size_t fill_width = 4;
    static constexpr size_t condition_width = 15;
    static constexpr size_t type_width = 12;
    static constexpr const char* none = "N/A";

    /// A range of characters that is left out of every line.
    struct Cut {
        size_t begin;
        size_t length;
    };

    void leave_out(size_t columns) {
        const size_t start = zone_width_ + gap;
        const size_t capacity = start + size_width_ + gap;
        const size_t pointer = capacity + size_width_ + gap;
        const size_t written = pointer + size_width_ + gap;
        const size_t fill = written + size_width_ + gap;
        const size_t condition = fill + fill_width + gap;
        const size_t type = condition + condition_width + gap;
        size_t width = type + type_width;
        for (const Cut& cut : {Cut{written, fill - written}, Cut{capacity, pointer - capacity},
                               Cut{type - gap, gap + type_width}, Cut{fill, condition - fill}}) {
            if (width > columns) {
                cuts_.push_back(cut);
                width -= cut.length;
            }
        }
        std::sort(cuts_.begin(), cuts_.end(), [](const Cut& a, const Cut& b) { return a.begin > b.begin; });
    }

    void line(std::string_view zone, std::string_view start, std::string_view capacity, std::string_view pointer,
              std::string_view written, std::string_view fill, std::string_view condition, std::string_view type) {
        const size_t begin = lines_.size();
        add_right(zone, zone_width_);
        for (const std::string_view size : {start, capacity, pointer, written}) {
            add_right(size, gap + size_width_);
        }
        add_right(fill, gap + fill_width);
        lines_.append(gap, ' ');
        lines_ += condition;
        lines_.append(condition_width - condition.size() + gap, ' ');
        lines_ += type;
        for (const Cut& cut : cuts_) {
            lines_.erase(begin + cut.begin, cut.length);
        }
        lines_.erase(lines_.find_last_not_of(' ') + 1);
        lines_ += '\n';
        if (lines_.size() >= lines_at_once) {
            write_lines();
        }
    }

    void add_right(std::string_view text, size_t width) {
        lines_.append(width - std::min(width, text.size()), ' ');
        lines_ += text;
    }

    std::string text(uint64_t bytes) const { return in_bytes_ ? fmt::format_int(bytes).str() : format_size(bytes); }
    std::string written(const ZoneDescriptor& zone) const {
        const std::optional<uint64_t> bytes = written_bytes(zone);
        return bytes ? text(*bytes) : none;
    }

    Reporter& out_;
    bool in_bytes_;
    size_t zone_width_;
    size_t size_width_;
    std::vector<Cut> cuts_; ///< from right to left
    std::string lines_;
};

struct RowFact {
    ZoneListing& table;
    uint64_t number;
    const ZoneDescriptor& zone;

    void text(Reporter& /*out*/) const { table.row(number, zone); }
    void json(JsonRecord& record) const {
        add_numbered_zone(record, number, zone);
    }
};

/// Number of zones listed, and number of all zones.
struct ShownFact {
    uint64_t shown;
    uint64_t zones;

    void text(Reporter& out) const { out.print("{} of {} zones\n", shown, zones); }
    void json(JsonRecord& record) const {
        record.add("shown", shown);
        record.add("zone_count", zones);
    }
};

struct ListOptions {
    ZoneFilter filter;
    bool in_bytes = false; // -b
};

constexpr OptionRow<ListOptions> list_options[] = {
    {{.letter = 's', .name = "state", .argument = "STATES",
      .help = "select zones in these states: empty, implicit, explicit, closed, full, readonly, offline,\n"
              "conventional; open (implicit and explicit); active (open and closed)",
      .word = Word::zone_states},
     set_filter<&ZoneFilter::set_states>},
    zone_range_row<ListOptions>,
    zone_fill_row<ListOptions>,
    {{.letter = 'b', .name = "bytes", .help = "show bytes instead of units such as MiB"}, set_flag<&ListOptions::in_bytes>},
};

Outcome run_zone_list(Session& session, const Command& command, const ListOptions& options, std::span<char*> operands) {
    ZoneFilter filter = options.filter;
    if (operands.size() > 1) {
        return usage_error(session, command);
    }
    if (const Status status = operands.empty() ? Status() : filter.set_zones(operands[0]); !status.ok()) {
        return long_command_failed(session, command, status);
    }
    const Result<uint64_t> length = session.backend().length();
    if (!length.ok()) {
        return long_command_failed(session, command, length.status());
    }
    ZoneListing table(session.out(), session.backend().limits(), *length, options.in_bytes);
    if (!session.out().is_json()) {
        table.head();
    }
    session.out().begin_list("zones");
    const Result<uint64_t> shown = visit_zones(session.backend(), filter, {}, [&](uint64_t number, const ZoneDescriptor& zone) {
        session.out().tell_element(RowFact{table, number, zone});
    });
    table.write_lines();
    if (!shown.ok()) {
        return long_command_failed(session, command, shown.status());
    }
    session.out().tell(ShownFact{*shown, session.backend().limits().nr_zones});
    return Outcome::ok;
}

} // namespace

constexpr Command zone_list_commands[] = {
    {.name = "zone_info", .altname = "zi", .run = run_zone_info,
     .needs_image = true, .needs_zones = true, .waits_for_aio = true, .is_ours = true,
     .oneline = "show geometry, limits and usage of a zoned device",
     .help =
         "Shows the model, geometry and limits of the device, the number of open and active zones, the amount written, and\n"
         "the number of zones in each state.\n"
         "\n"
         "Example: zone_info\n"},
    {.name = "zone_list", .altname = "zl", .run = with_options<list_options, run_zone_list>,
     .argmax = -1, .needs_image = true, .needs_zones = true, .waits_for_aio = true, .is_ours = true,
     .operands = "[zones]",
     .oneline = "list all or selected zones",
     .help =
         "Shows one line for each zone, or for those of a range: 5z, 5-7. The write pointer is N/A in conventional, full, read-only and offline zones, which\n"
         "have none. The amount written is N/A if it is unknown.\n"
         "\n"
         "Example: zone_list --state open,closed --range 100-199 --fill 50-\n",
     .options = option_table<list_options>()},
};

} // namespace zoneio
