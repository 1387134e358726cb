// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/picture.h"

#include "block/base/utf8.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

namespace {

// Sizes are in pixels.
constexpr uint64_t cell = 18;
constexpr uint64_t pitch = 20;
constexpr uint64_t margin = 16;
constexpr uint64_t label_width = 56;
constexpr uint64_t head_line = 18;
constexpr uint64_t character_width = 8; // of monospace text with 12 pixels, rounded up
constexpr uint64_t legend_line = 22;
constexpr uint64_t legend_item = 190;
constexpr uint64_t fewest_columns = 20;

/// Colours of states on light and on dark backgrounds, in the order of zone_state_words, and of the letter on a filled
/// cell. Their brightness differs too.
struct StateColours {
    const char* light;
    const char* dark;
    const char* light_letter;
    const char* dark_letter = "#0d1117";
};
constexpr std::array<StateColours, zone_state_words.size()> state_colours{{
    {"#d0d7de", "#3d444d", "#0d1117", "#ffffff"},
    {"#2da44e", "#3fb950", "#0d1117"},
    {"#0a9396", "#39c5cf", "#0d1117"},
    {"#bf8700", "#d29922", "#0d1117"},
    {"#0969da", "#4493f8", "#ffffff"},
    {"#8250df", "#ab7df8", "#ffffff"},
    {"#cf222e", "#f85149", "#ffffff"},
    {"#6e7781", "#9198a1", "#ffffff"},
}};

/// Text shown when the pointer is over a cell.
std::string title_of(const ZoneCell& cell) {
    const uint64_t last = cell.first + cell.tally.zones - 1;
    std::string text = cell.tally.zones == 1 ? fmt::format("zone {}: ", cell.first)
                                             : fmt::format("zones {} to {}: ", cell.first, last);
    if (cell.tally.zones == 1) {
        text += state_text(cell.state());
    } else {
        std::string_view separator;
        for (const ZoneStateWords& words : zone_state_words) {
            if (const uint64_t count = cell.tally.in(words.state); count > 0) {
                text += fmt::format("{}{} {}", separator, count, words.text);
                separator = ", ";
            }
        }
    }
    return cell.has_fill() ? text + ", written " + written_text(cell.tally) : text;
}

class Svg {
public:
    Svg(std::string_view name, const Limits& limits, const ZoneCells& map) : name_(name), limits_(limits), map_(map) {
        const uint64_t count = map.cells.size();
        columns_ = count <= 400 ? fewest_columns : count <= 1600 ? 2 * fewest_columns : 3 * fewest_columns;
    }

    std::string draw() {
        const std::vector<std::string> head = head_lines();
        map_top_ = margin + 12 + (head.size() + 1) * head_line;
        const uint64_t rows = (map_.cells.size() + columns_ - 1) / columns_;
        const uint64_t width = 2 * margin + label_width + columns_ * pitch;
        const uint64_t legend_top = map_top_ + rows * pitch + margin;
        const uint64_t legend_columns = std::max<uint64_t>((width - 2 * margin) / legend_item, 1);
        const uint64_t legend_lines = (legend_count() + legend_columns - 1) / legend_columns;
        const uint64_t height = legend_top + legend_lines * legend_line + margin / 2;
        add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\">\n", width,
            height);
        add("<title>Zones of {}</title>\n", xml_escape(name_));
        add_style();
        add("<rect class=\"ground\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n", width, height);
        add_head(head);
        for (size_t i = 0; i < map_.cells.size(); i++) {
            add_cell(i);
        }
        add_legend(legend_top, legend_columns);
        add("</svg>\n");
        return std::move(text_);
    }

private:
    template <typename... Args>
    void add(fmt::format_string<Args...> format, Args&&... args) {
        text_ += fmt::format(format, std::forward<Args>(args)...);
    }

    uint64_t legend_count() const {
        return static_cast<uint64_t>(std::count_if(map_.total.states.begin(), map_.total.states.end(),
                                                   [](uint64_t count) { return count > 0; }));
    }

    void add_colours(const char* indent, bool dark) {
        add("{}.ground {{ fill: {}; }} text {{ fill: {}; }} .quiet {{ fill: {}; }}\n", indent, dark ? "#0d1117" : "#ffffff",
            dark ? "#e6edf3" : "#1f2328", dark ? "#9198a1" : "#59636e");
        for (size_t i = 0; i < state_colours.size(); i++) {
            const StateColours& colours = state_colours[i];
            add("{0}.s{1} {{ fill: {2}; stroke: {2}; }} .on{1} {{ fill: {3}; }}\n", indent, i, dark ? colours.dark : colours.light,
                dark ? colours.dark_letter : colours.light_letter);
        }
    }

    void add_style() {
        add("<style>\n"
            "text {{ font: 12px ui-monospace, Menlo, Consolas, monospace; }} .name {{ font-weight: bold; font-size: 14px; }}\n"
            ".frame {{ fill-opacity: 0.18; }} .fill {{ stroke: none; }} .mark {{ font-size: 9px; text-anchor: middle; }}\n"
            ".first {{ text-anchor: end; }}\n");
        add_colours("", false);
        add("@media (prefers-color-scheme: dark) {{\n");
        add_colours("  ", true);
        add("}}\n</style>\n");
    }

    /// Joins the summary lines into lines that use the width of the picture.
    std::vector<std::string> head_lines() const {
        const uint64_t room = (label_width + columns_ * pitch) / character_width;
        std::vector<std::string> lines;
        for (const std::string& part : summary_of(limits_, map_)) {
            if (lines.empty() || lines.back().size() + part.size() > room) {
                lines.push_back(part);
            } else {
                lines.back() += " · " + part;
            }
        }
        return lines;
    }

    void add_head(const std::vector<std::string>& lines) {
        add("<text class=\"name\" x=\"{}\" y=\"{}\">{}</text>\n", margin, margin + 12, xml_escape(name_));
        for (size_t i = 0; i < lines.size(); i++) {
            add("<text class=\"quiet\" x=\"{}\" y=\"{}\">{}</text>\n", margin, margin + 14 + (i + 1) * head_line,
                xml_escape(lines[i]));
        }
    }

    /// Adds a frame in the colour of the state, filled from below in proportion to what is written.
    void add_square(uint64_t x, uint64_t y, ZoneState state, uint64_t filled) {
        const size_t index = state_index(state);
        add("<rect class=\"frame s{}\" x=\"{}.5\" y=\"{}.5\" width=\"{}\" height=\"{}\" rx=\"2\"/>", index, x, y, cell - 1, cell - 1);
        if (filled > 0) {
            add("<rect class=\"fill s{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>", index, x + 1, y + cell - 1 - filled,
                cell - 2, filled);
        }
        if (const char letter = zone_state_words[index].letter; letter != ' ') {
            constexpr uint64_t behind_letter = 12;
            const std::string on = filled >= behind_letter ? fmt::format(" on{}", index) : "";
            add("<text class=\"mark{}\" x=\"{}\" y=\"{}\">{}</text>", on, x + cell / 2, y + 9, letter);
        }
    }

    void add_cell(size_t index) {
        const ZoneCell& shown = map_.cells[index];
        const uint64_t x = margin + label_width + index % columns_ * pitch;
        const uint64_t y = map_top_ + index / columns_ * pitch;
        if (index % columns_ == 0) {
            add("<text class=\"quiet first\" x=\"{}\" y=\"{}\">{}</text>\n", x - 8, y + 13, shown.first);
        }
        add("<g><title>{}</title>", xml_escape(title_of(shown)));
        add_square(x, y, shown.state(), shown.has_fill() ? shown.level(cell - 2) : 0);
        add("</g>\n");
    }

    void add_legend(uint64_t top, uint64_t columns) {
        uint64_t index = 0;
        for (const ZoneStateWords& words : zone_state_words) {
            const uint64_t count = map_.total.in(words.state);
            if (count == 0) {
                continue;
            }
            const uint64_t x = margin + index % columns * legend_item;
            const uint64_t y = top + index / columns * legend_line;
            const bool partly = is_active(words.state);
            add_square(x, y, words.state, words.state == ZoneState::full ? cell - 2 : partly ? cell / 3 : 0);
            add("<text x=\"{}\" y=\"{}\">{} {}</text>\n", x + pitch + 4, y + 13, count, words.text);
            index++;
        }
    }

    std::string_view name_;
    const Limits& limits_;
    const ZoneCells& map_;
    uint64_t columns_;
    uint64_t map_top_ = 0;
    std::string text_;
};

} // namespace

std::string xml_escape(std::string_view text) {
    std::string escaped;
    while (!text.empty()) {
        const std::optional<Utf8Character> character = first_character(text);
        const size_t length = character ? character->length : 1;
        switch (character ? character->code : 0) {
        case '&': escaped += "&amp;"; break;
        case '<': escaped += "&lt;"; break;
        case '>': escaped += "&gt;"; break;
        case '"': escaped += "&quot;"; break;
        default:
            // Control characters are not allowed in XML, not even escaped (XML 1.0, section 2.2).
            if (!character || character->code < ' ' || is_noncharacter(character->code)) {
                escaped += '?';
            } else {
                escaped += text.substr(0, length);
            }
        }
        text.remove_prefix(length);
    }
    return escaped;
}

std::string zone_svg(std::string_view name, const Limits& limits, const ZoneCells& cells) {
    return Svg(name, limits, cells).draw();
}

std::string zone_html(std::string_view name, const Limits& limits, const ZoneCells& cells) {
    const std::string title = xml_escape(name);
    std::string page = fmt::format("<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
                                   "<meta charset=\"utf-8\"/>\n<meta name=\"color-scheme\" content=\"light dark\"/>\n"
                                   "<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>Zones of {0}</title>\n"
                                   "<style>\nbody {{ font-family: system-ui, sans-serif; margin: 2em; }}\n"
                                   "svg {{ max-width: 100%; height: auto; }}\n"
                                   "table {{ border-collapse: collapse; }} td, th {{ padding: 0.2em 1em 0.2em 0; text-align: left; }}\n"
                                   ".number {{ text-align: right; }}\n</style>\n</head>\n<body>\n<h1>Zones of {0}</h1>\n<ul>\n",
                                   title);
    for (const std::string& part : summary_of(limits, cells)) {
        page += fmt::format("<li>{}</li>\n", xml_escape(part));
    }
    page += "</ul>\n" + zone_svg(name, limits, cells);
    page += "<table>\n<tr><th>state</th><th class=\"number\">zones</th></tr>\n";
    for (const ZoneStateWords& words : zone_state_words) {
        page += fmt::format("<tr><td>{}</td><td class=\"number\">{}</td></tr>\n", words.text, cells.total.in(words.state));
    }
    return page + "</table>\n</body>\n</html>\n";
}

} // namespace zoneio
