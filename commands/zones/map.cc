// SPDX-License-Identifier: GPL-3.0-or-later
//
// zone_map: a map of the whole device as text, once or repeatedly, or as a picture.
#include "block/base/file_descriptor.h"
#include "block/base/status.h"
#include "block/node/node.h"
#include "commands/families.h"
#include "commands/long_work.h"
#include "commands/output_file.h"
#include "commands/parse_options.h"
#include "commands/text/key_watch.h"
#include "commands/text/safe_text.h"
#include "commands/zones/map_text.h"
#include "commands/zones/picture.h"
#include "commands/zones/record.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

namespace {

struct MapOptions {
    std::optional<unsigned> width;
    std::optional<unsigned> height;
    const char* svg = nullptr;
    const char* html = nullptr;
    bool watch = false;
    std::chrono::milliseconds pause{1000};
    std::optional<uint64_t> count; ///< number of maps to show while watching
};

/// Parses a number within limits. EINVAL, with the limits, for others.
template <typename Number>
bool parse_number_option(Session& session, const Command& command, const char* name, const char* word, Number low,
                         Number high, Number& number) {
    char* end = nullptr;
    const double value = strtod(word, &end);
    const bool is_whole = !std::is_integral_v<Number> || value == std::floor(value);
    if (end == word || *end != '\0' || !is_whole || !(value >= static_cast<double>(low) && value <= static_cast<double>(high))) {
        session.out().error(fmt::format("{}: {} must be a number from {} to {}, not '{}'", command.name, name, low, high, word));
        return false;
    }
    number = static_cast<Number>(value);
    return true;
}

/// Stores a number within limits.
template <auto Member, auto Low, auto High>
OptionStep set_number(const GivenOption& given, MapOptions& parsed) {
    auto number = Low;
    const std::string name = fmt::format("--{}", given.option.name);
    if (!parse_number_option(given.session, given.command, name.c_str(), given.word, Low, High, number)) {
        return OptionStep::failed;
    }
    parsed.*Member = number;
    return OptionStep::next;
}

constexpr unsigned widest = 10000;
constexpr uint64_t longest_watch = 1'000'000'000;

constexpr OptionRow<MapOptions> map_options[] = {
    {{.name = "width", .argument = "N", .help = "width in columns", .fallback = "the terminal, else COLUMNS, else 80"},
     set_number<&MapOptions::width, 1U, widest>},
    {{.name = "height", .argument = "N", .help = "height in lines", .fallback = "the terminal, else LINES, else 24"},
     set_number<&MapOptions::height, 1U, widest>},
    {{.name = "svg", .argument = "FILE", .help = "write an SVG picture to FILE instead, with a tooltip for each cell", .word = Word::file},
     set_word<&MapOptions::svg>},
    {{.name = "html", .argument = "FILE", .help = "write an HTML page to FILE instead", .word = Word::file}, set_word<&MapOptions::html>},
    {{.name = "watch", .argument = "[SECONDS]", .help = "repeat every SECONDS until a key is pressed", .fallback = "1"},
     set_flag<&MapOptions::watch>},
    {{.name = "count", .argument = "N", .help = "with --watch: stop after N maps"},
     set_number<&MapOptions::count, uint64_t{1}, longest_watch>},
};

/// Name of the device: its file name without directories.
std::string device_name(Session& session) {
    const std::string name = session.backend().filename();
    return name.empty() ? "a zoned device in memory" : name.substr(name.rfind('/') + 1);
}

/// A map; in JSON, its cells.
struct MapFact {
    const TextScreen& screen;
    const Limits& limits;
    const ZoneCells& cells;

    void text(Reporter& out) const { out.write(map_text(screen, limits, cells)); }
    void json(JsonRecord& record) const {
        record.add("zone_count", cells.total.zones);
        record.add("zone_size", limits.zone_size);
        record.add("zones_per_cell", cells.group);
        record.begin_list("cells");
        for (const ZoneCell& cell : cells.cells) {
            record.begin_element();
            record.add("zone", cell.first);
            record.add("zones", cell.tally.zones);
            record.add("state", state_name(cell.state()));
            record.add("capacity", cell.tally.capacity);
            record.add("written", cell.tally.written);
            record.begin_object("states");
            for (const ZoneStateWords& words : zone_state_words) {
                if (cell.tally.in(words.state) > 0) {
                    record.add(state_name(words.state), cell.tally.in(words.state));
                }
            }
            record.end();
            record.end();
        }
    }
};

/// The picture files that were written; printed at a terminal and in JSON only.
struct PictureFact {
    const MapOptions& options;

    void text(Reporter& out) const {
        for (const char* const file : {options.svg, options.html}) {
            if (file != nullptr && isatty(STDOUT_FILENO) != 0) {
                out.print("wrote '{}'\n", for_terminal(STDOUT_FILENO, file));
            }
        }
    }
    void json(JsonRecord& record) const {
        record.begin_list("files");
        for (const char* const file : {options.svg, options.html}) {
            if (file != nullptr) {
                record.add_element(file);
            }
        }
    }
};

Status failed(const std::string& filename, int error) {
    return Status::error(error, fmt::format("cannot write '{}': {}", filename, strerror(error)));
}

/// Error if an existing file must not be replaced.
Status check_target(const std::string& filename) {
    struct stat st{};
    if (stat(filename.c_str(), &st) != 0) {
        return errno == ENOENT ? Status() : failed(filename, errno);
    }
    char head[16] = {};
    ssize_t size = 0;
    if (S_ISREG(st.st_mode)) {
        const FileDescriptor file(open(filename.c_str(), O_RDONLY | O_CLOEXEC));
        size = file.valid() ? pread(file.get(), head, sizeof head - 1, 0) : -1;
    }
    const std::string_view found(head);
    const bool is_picture = found.starts_with("<svg") || found.starts_with("<!DOCTYPE html");
    if (S_ISREG(st.st_mode) && (size == 0 || is_picture)) {
        return {};
    }
    return Status::error(EEXIST, fmt::format("'{}' already exists and is not a picture; name another file", filename));
}

/// Writes a picture to a file, completely or not at all. An existing file is replaced if it is itself a picture or
/// page; its mode is kept, and so are symbolic links to it. EEXIST: the file is something else, perhaps an image.
/// Errors name the file.
Status write_picture(const std::string& filename, std::string_view content) {
    Status status = check_target(filename);
    if (!status.ok()) {
        return status;
    }
    OutputFile file = TRY(OutputFile::create(filename, true));
    status = file.append(reinterpret_cast<const uint8_t*>(content.data()), content.size());
    return status.ok() ? file.commit() : std::move(status);
}

Outcome write_pictures(Session& session, const Command& command, const MapOptions& options) {
    const Result<ZoneCells> cells = read_zone_cells(session.backend(), most_picture_cells);
    if (!cells.ok()) {
        return long_command_failed(session, command, cells.status());
    }
    const std::string name = device_name(session);
    const Limits& limits = session.backend().limits();
    const auto save = [&](const char* filename, auto&& make) {
        return filename != nullptr ? write_picture(filename, make(name, limits, *cells)) : Status();
    };
    Status status = save(options.svg, zone_svg);
    if (status.ok()) {
        status = save(options.html, zone_html);
    }
    if (!status.ok()) {
        return long_command_failed(session, command, status);
    }
    session.out().tell(PictureFact{options});
    return Outcome::ok;
}

TextScreen screen_for(const MapOptions& options) {
    TextScreen screen = TextScreen::of_stdout();
    screen.width = options.width.value_or(screen.width);
    screen.height = options.height.value_or(screen.height);
    return screen;
}

Result<std::string> draw(Session& session, const TextScreen& screen) {
    const Limits& limits = session.backend().limits();
    const ZoneCells cells = TRY(read_zone_cells(session.backend(), map_text_room(screen, limits.nr_zones)));
    return map_text(screen, limits, cells);
}

Outcome show_once(Session& session, const Command& command, const MapOptions& options) {
    const TextScreen screen = screen_for(options);
    const Limits& limits = session.backend().limits();
    const Result<ZoneCells> cells = read_zone_cells(session.backend(), map_text_room(screen, limits.nr_zones));
    if (!cells.ok()) {
        return long_command_failed(session, command, cells.status());
    }
    session.out().tell(MapFact{screen, limits, *cells});
    return Outcome::ok;
}

/// `text` for a terminal, over the old content line by line, so that nothing flickers.
std::string over_screen(const std::string& text) {
    std::string drawn = "\033[H";
    for (const char c : text) {
        drawn += c == '\n' ? "\033[K\n" : std::string(1, c);
    }
    return drawn + "\033[J";
}

/// Releases the turn while it waits, so that exports can use the device.
bool wait_for_key(Session& session, KeyWatch& keys, std::chrono::milliseconds pause) {
    const Turn::Pause others_turn(session.turn());
    return keys.wait(pause);
}

Outcome watch(Session& session, const Command& command, const MapOptions& options) {
    if (session.out().is_json()) {
        return session.out().error(fmt::format("{}: --watch requires text output; repeat the command instead", command.name));
    }
    if (!options.count && !TextScreen::of_stdout().is_terminal) {
        return session.out().error(fmt::format("{}: --watch requires a terminal or --count", command.name));
    }
    KeyWatch keys;
    for (uint64_t shown = 0; !options.count || shown < *options.count; shown++) {
        if (shown > 0 && wait_for_key(session, keys, options.pause)) {
            break;
        }
        const TextScreen screen = screen_for(options);
        const Result<std::string> map = draw(session, screen);
        if (was_interrupted(map.status())) {
            break;
        }
        if (!map.ok()) {
            return long_command_failed(session, command, map.status());
        }
        session.out().write(screen.is_terminal ? over_screen(*map) : (shown > 0 ? "\n" : "") + *map);
        session.out().flush();
    }
    return Outcome::ok;
}

Outcome run_zone_map(Session& session, const Command& command, MapOptions& options, std::span<char*> operands) {
    if (operands.size() > (options.watch ? 1U : 0U) || (options.count && !options.watch)) {
        return usage_error(session, command);
    }
    double seconds = 1;
    if (!operands.empty() && !parse_number_option(session, command, "--watch", operands[0], 0.0, 86400.0, seconds)) {
        return Outcome::failed;
    }
    options.pause = std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
    if (options.svg != nullptr || options.html != nullptr) {
        return write_pictures(session, command, options);
    }
    return options.watch ? watch(session, command, options) : show_once(session, command, options);
}

} // namespace

constexpr Command zone_map_commands[] = {
    {.name = "zone_map", .altname = "zmap", .run = with_options<map_options, run_zone_map>,
     .argmax = -1, .needs_image = true, .needs_zones = true, .waits_for_aio = true, .is_ours = true,
     .oneline = "show the whole zoned device as a map",
     .help =
         "Shows one cell for each zone: how much is written, and the state by a letter and, on a terminal, a colour. If the\n"
         "zones do not fit the screen, each cell stands for several of them and shows their most notable state. A legend\n"
         "counts the zones in each state.\n"
         "\n"
         "Example: zone_map --svg report.svg\n",
     .options = option_table<map_options>()},
};

} // namespace zoneio
