// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/zones/map_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <span>

namespace zoneio {

namespace {

constexpr unsigned cell_width = 2;
/// Lines needed besides rows of cells at 80 columns: summary, legend and the next prompt.
constexpr unsigned other_lines = 8;
constexpr unsigned fewest_rows = 4;

struct Glyphs {
    std::span<const std::string_view> levels; ///< from nothing written to everything written
    std::string_view conventional;
    std::string_view given_up; ///< read-only or offline: unknown how much is written
};

constexpr std::array<std::string_view, 9> block_levels{"·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 11> ascii_levels{".", "1", "2", "3", "4", "5", "6", "7", "8", "9", "#"};
constexpr Glyphs block_glyphs{block_levels, "▒", "░"};
constexpr Glyphs ascii_glyphs{ascii_levels, "=", "-"};

/// SGR codes in the order of zone_state_words, chosen to be readable on black and on white.
constexpr std::array<std::string_view, zone_state_words.size()> colours{"2", "32", "36", "33", "34", "35", "31", "2"};

/// Words that stay on one line: an optional sample from the map, and text.
struct Piece {
    std::string sample; ///< with its colour codes
    size_t sample_width = 0;
    std::string text;

    size_t width() const { return sample_width + (sample_width > 0 ? 1 : 0) + text.size(); }
};

/// Arranges pieces in lines. A piece that does not fit into a line is broken between words.
class Lines {
public:
    explicit Lines(size_t width) : width_(width) {}

    void add(const Piece& piece) {
        constexpr size_t gap = 2;
        if (column_ > 0 && column_ + gap + piece.width() > width_) {
            break_line();
        }
        space(column_ > 0 ? gap : 0);
        if (piece.sample_width > 0) {
            put(piece.sample, piece.sample_width);
            space(1);
        }
        for (size_t begin = 0; begin < piece.text.size();) {
            const size_t end = std::min(piece.text.find(' ', begin), piece.text.size());
            if (column_ > 0 && column_ + (end - begin) > width_) {
                break_line();
            }
            put(piece.text.substr(begin, end - begin), end - begin);
            begin = end + 1;
            if (begin < piece.text.size()) {
                space(1);
            }
        }
    }

    std::string take() {
        break_line();
        return std::move(text_);
    }

private:
    void put(const std::string& text, size_t width) {
        text_ += text;
        column_ += width;
    }
    void space(size_t count) { put(std::string(count, ' '), count); }
    void break_line() {
        text_.erase(text_.find_last_not_of(' ') + 1);
        text_ += '\n';
        column_ = 0;
    }

    size_t width_;
    size_t column_ = 0;
    std::string text_;
};

class MapText {
public:
    MapText(const TextScreen& screen, const ZoneCells& cells)
        : screen_(screen), glyphs_(screen.utf8 ? block_glyphs : ascii_glyphs), cells_(cells) {}

    std::string draw(const Limits& limits) {
        Lines summary(screen_.width);
        for (const std::string& text : summary_of(limits, cells_)) {
            summary.add({{}, 0, text});
        }
        text_ = summary.take() + '\n';
        add_rows();
        return std::move(text_) + '\n' + legend();
    }

private:
    std::string coloured(ZoneState state, const std::string& text) const {
        return screen_.colour ? fmt::format("\033[{}m{}\033[0m", colours[state_index(state)], text) : text;
    }

    std::string_view glyph_of(const ZoneCell& cell) const {
        if (!cell.has_fill()) {
            return cell.tally.conventional == cell.tally.zones ? glyphs_.conventional : glyphs_.given_up;
        }
        return glyphs_.levels[cell.level(static_cast<unsigned>(glyphs_.levels.size() - 1))];
    }

    void add_rows() {
        const uint64_t columns = map_columns();
        const size_t label = label_width();
        for (size_t i = 0; i < cells_.cells.size(); i++) {
            const ZoneCell& cell = cells_.cells[i];
            if (i % columns == 0) {
                text_ += fmt::format("{:>{}} ", cell.first, label);
            }
            const ZoneState state = cell.state();
            const char letter = zone_state_words[state_index(state)].letter;
            const bool ends_row = (i + 1) % columns == 0 || i + 1 == cells_.cells.size();
            text_ += coloured(state, std::string(glyph_of(cell)) + (letter == ' ' ? "" : std::string(1, letter)));
            text_ += ends_row ? "\n" : letter == ' ' ? " " : "";
        }
    }

    size_t label_width() const { return fmt::format_int(cells_.total.zones - 1).size(); }
    uint64_t map_columns() const;

    std::string legend() const {
        Lines lines(screen_.width);
        const std::string half(glyphs_.levels[glyphs_.levels.size() / 2]);
        for (const ZoneStateWords& words : zone_state_words) {
            const uint64_t count = cells_.total.in(words.state);
            if (count == 0) {
                continue;
            }
            std::string sample = half + words.letter;
            switch (words.state) {
            case ZoneState::empty: sample = glyphs_.levels.front(); break;
            case ZoneState::full: sample = glyphs_.levels.back(); break;
            case ZoneState::not_write_pointer: sample = glyphs_.conventional; break;
            case ZoneState::read_only:
            case ZoneState::offline: sample = std::string(glyphs_.given_up) + words.letter; break;
            default: break;
            }
            lines.add({coloured(words.state, sample), words.letter == ' ' ? 1 : cell_width,
                       fmt::format("{} {}", words.text, count)});
        }
        return lines.take();
    }

    const TextScreen& screen_;
    const Glyphs& glyphs_;
    const ZoneCells& cells_;
    std::string text_;
};

/// Cells per row; a multiple of ten if there is room for ten.
uint64_t columns_for(unsigned width, uint64_t zones) {
    const uint64_t label = fmt::format_int(zones - 1).size() + 1;
    const uint64_t room = width > label + cell_width ? (width - label) / cell_width : 1;
    return room >= 10 ? room / 10 * 10 : room >= 5 ? 5 : room;
}

uint64_t MapText::map_columns() const {
    return columns_for(screen_.width, cells_.total.zones);
}

} // namespace

uint64_t map_text_room(const TextScreen& screen, uint64_t zones) {
    const uint64_t rows = std::max(screen.height, other_lines + fewest_rows) - other_lines;
    return rows * columns_for(screen.width, std::max<uint64_t>(zones, 1));
}

std::string map_text(const TextScreen& screen, const Limits& limits, const ZoneCells& cells) {
    return MapText(screen, cells).draw(limits);
}

} // namespace zoneio
