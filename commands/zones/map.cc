// SPDX-License-Identifier: GPL-3.0-or-later
//
// zone_map: the whole device at a glance, once, as a picture, or as it goes on.
#include "block/node/node.h"
#include "commands/families.h"
#include "commands/long_work.h"
#include "commands/zones/command.h"
#include "commands/zones/map_text.h"
#include "commands/zones/picture.h"
#include "commands/zones/picture_file.h"
#include "commands/zones/record.h"

#include <cmath>
#include <cstdlib>

namespace zoneio {

namespace {

struct MapOptions {
    std::optional<unsigned> width;
    std::optional<unsigned> height;
    const char* svg = nullptr;
    const char* html = nullptr;
    bool watch = false;
    std::chrono::milliseconds pause{1000};
    std::optional<uint64_t> count; ///< of maps to show while watching
};

/// A number of an option within limits; says what is wrong with another.
template <typename Number>
bool parse_number_option(Session& session, const Command& command, const char* name, const char* word, Number low,
                         Number high, Number& number) {
    char* end = nullptr;
    const double value = strtod(word, &end);
    const bool is_whole = !std::is_integral_v<Number> || value == std::floor(value);
    if (end == word || *end != '\0' || !is_whole || !(value >= static_cast<double>(low) && value <= static_cast<double>(high))) {
        session.out().error(fmt::format("{}: {} takes a number from {} to {}, not '{}'", command.name, name, low, high, word));
        return false;
    }
    number = static_cast<Number>(value);
    return true;
}

template <typename Number>
bool parse_number_option(Session& session, const Command& command, const char* name, const char* word, Number low,
                         Number high, std::optional<Number>& number) {
    Number parsed{};
    const bool valid = parse_number_option(session, command, name, word, low, high, parsed);
    number = parsed;
    return valid;
}

/// Nothing after an error, which was told.
std::optional<MapOptions> parse_options(Session& session, const Command& command, CommandLine line) {
    constexpr unsigned widest = 10000;
    constexpr uint64_t longest_watch = 1'000'000'000;
    MapOptions options;
    bool valid = true;
    int c = 0;
    while (valid && (c = getopt_long(line.argc, line.argv, command.options.text(), command.long_options, nullptr)) != -1) {
        switch (c) {
        case 'w': valid = parse_number_option(session, command, "--width", optarg, 1U, widest, options.width); break;
        case 'h': valid = parse_number_option(session, command, "--height", optarg, 1U, widest, options.height); break;
        case 's': options.svg = optarg; break;
        case 'H': options.html = optarg; break;
        case 'W': options.watch = true; break;
        case 'n':
            valid = parse_number_option(session, command, "--count", optarg, uint64_t{1}, longest_watch, options.count);
            break;
        default: usage_error(session, command); return std::nullopt;
        }
    }
    const std::span<char*> operands = valid ? line.operands() : std::span<char*>();
    if (operands.size() > (options.watch ? 1U : 0U) || (options.count && !options.watch)) {
        usage_error(session, command);
        return std::nullopt;
    }
    double seconds = 1;
    if (!operands.empty()) {
        valid = parse_number_option(session, command, "--watch", operands[0], 0.0, 86400.0, seconds);
    }
    options.pause = std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
    return valid ? std::optional(options) : std::nullopt;
}

/// What the device is called: its file's name without directories.
std::string device_name(Session& session) {
    const std::string name = session.backend().filename();
    return name.empty() ? "a zoned device in memory" : name.substr(name.rfind('/') + 1);
}

/// A map, or as a record its cells.
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

/// Which files have the map as a picture now; text says nothing.
struct PictureFact {
    const MapOptions& options;

    void text(Reporter& /*out*/) const {}
    void json(JsonRecord& record) const {
        record.begin_list("files");
        for (const char* const file : {options.svg, options.html}) {
            if (file != nullptr) {
                record.add_element(file);
            }
        }
    }
};

Outcome write_pictures(Session& session, const Command& command, const MapOptions& options) {
    const Result<ZoneCells> cells = read_zone_cells(session.backend(), most_picture_cells);
    if (!cells.ok()) {
        return zone_command_failed(session, command, cells.status());
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
        return zone_command_failed(session, command, status);
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
    Result<ZoneCells> cells = read_zone_cells(session.backend(), map_text_room(screen, limits.nr_zones));
    if (!cells.ok()) {
        return std::move(cells).status();
    }
    return map_text(screen, limits, *cells);
}

Outcome show_once(Session& session, const Command& command, const MapOptions& options) {
    const TextScreen screen = screen_for(options);
    const Limits& limits = session.backend().limits();
    const Result<ZoneCells> cells = read_zone_cells(session.backend(), map_text_room(screen, limits.nr_zones));
    if (!cells.ok()) {
        return zone_command_failed(session, command, cells.status());
    }
    session.out().tell(MapFact{screen, limits, *cells});
    return Outcome::ok;
}

/// `text` on a terminal, over what was there before: line by line, so that nothing flickers.
std::string over_screen(const std::string& text) {
    std::string drawn = "\033[H";
    for (const char c : text) {
        drawn += c == '\n' ? "\033[K\n" : std::string(1, c);
    }
    return drawn + "\033[J";
}

Outcome watch(Session& session, const Command& command, const MapOptions& options) {
    if (session.out().is_json()) {
        session.out().error(fmt::format("{}: --watch is for people; a program asks again when it wants to", command.name));
        return Outcome::failed;
    }
    if (!options.count && !TextScreen::of_stdout().is_terminal) {
        session.out().error(fmt::format("{}: --watch needs a terminal, or an end: --count", command.name));
        return Outcome::failed;
    }
    KeyWatch keys;
    for (uint64_t shown = 0; !options.count || shown < *options.count; shown++) {
        if (shown > 0 && keys.wait(options.pause)) {
            break;
        }
        const TextScreen screen = screen_for(options);
        const Result<std::string> map = draw(session, screen);
        if (was_interrupted(map.status())) {
            break;
        }
        if (!map.ok()) {
            return zone_command_failed(session, command, map.status());
        }
        session.out().write(screen.is_terminal ? over_screen(*map) : (shown > 0 ? "\n" : "") + *map);
        session.out().flush();
    }
    return Outcome::ok;
}

Outcome run_zone_map(Session& session, const Command& command, CommandLine line) {
    if (!check_zoned(session, command)) {
        return Outcome::failed;
    }
    const std::optional<MapOptions> options = parse_options(session, command, line);
    if (!options) {
        return Outcome::failed;
    }
    if (options->svg != nullptr || options->html != nullptr) {
        return write_pictures(session, command, *options);
    }
    return options->watch ? watch(session, command, *options) : show_once(session, command, *options);
}

constexpr option map_options[] = {
    {"width", required_argument, nullptr, 'w'},  {"height", required_argument, nullptr, 'h'},
    {"svg", required_argument, nullptr, 's'},    {"html", required_argument, nullptr, 'H'},
    {"watch", no_argument, nullptr, 'W'},        {"count", required_argument, nullptr, 'n'},
    {nullptr, 0, nullptr, 0},
};

constexpr OptionWord map_words[] = {{'s', Word::file}, {'H', Word::file}};

constexpr Command commands[] = {
    {.name = "zone_map", .altname = "zmap", .run = run_zone_map,
     .argmax = -1, .needs_image = true, .waits_for_aio = true, .is_ours = true,
     .args = "[--width n] [--height n] [--svg file] [--html file] [--watch [seconds] [--count n]]",
     .oneline = "shows the whole zoned device as a map",
     .help =
         "A cell for each zone, or for each so many that the device fits the screen: how much is written, and the\n"
         "condition by a letter and, on a terminal, a colour. Below is what the cells mean and how many zones there are\n"
         "of each kind. In a cell for several zones the letter is that of the one most worth knowing of.\n"
         "\n"
         "Example: zone_map --svg report.svg\n"
         "\n"
         "  --width N          columns; those of the terminal, or COLUMNS, or 80\n"
         "  --height N         lines; those of the terminal, or LINES, or 24\n"
         "  --svg FILE         draw it as a picture instead, with a tooltip for each cell\n"
         "  --html FILE        the same as a page\n"
         "  --watch [SECONDS]  show it again and again, every second or so, until a key is pressed\n"
         "  --count N          end after so many (with --watch)\n",
     .options = "", .long_options = map_options, .words = {.options = map_words}},
};

} // namespace

std::span<const Command> zone_map_commands() {
    return commands;
}

} // namespace zoneio
