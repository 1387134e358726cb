// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/text/nearest.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zoneio {

size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<size_t> before_last;
    std::vector<size_t> last(b.size() + 1);
    std::vector<size_t> row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); j++) {
        last[j] = j;
    }
    for (size_t i = 1; i <= a.size(); i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.size(); j++) {
            const size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({changed, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        before_last = last;
        last = row;
    }
    return last[b.size()];
}

std::vector<std::string_view> nearest_words(std::string_view word, std::span<const std::string_view> known) {
    constexpr size_t most = 3;
    constexpr size_t shortest_beginning = 3;
    // Allows one error in a short word, two in a longer one.
    size_t best = word.size() < 4 ? 1 : 2;
    std::vector<std::string_view> nearest;
    for (const std::string_view candidate : known) {
        // Every single letter is near every other.
        if (candidate.size() < 2) {
            continue;
        }
        const bool begins_so = word.size() >= shortest_beginning && candidate.starts_with(word);
        const size_t slips = begins_so ? 0 : edit_distance(word, candidate);
        if (slips < best) {
            nearest.clear();
        }
        if (slips <= best && slips < candidate.size() && nearest.size() < most) {
            best = slips;
            nearest.push_back(candidate);
        }
    }
    return nearest;
}

std::string nearest_text(std::string_view word, std::span<const std::string_view> known) {
    const std::vector<std::string_view> words = nearest_words(word, known);
    std::string text;
    for (size_t i = 0; i < words.size(); i++) {
        text += fmt::format("{}'{}'", i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i]);
    }
    return text;
}

std::string choices_text(std::string_view begin, std::string_view word, std::span<const std::string_view> known) {
    const std::string nearest = nearest_text(word, known);
    return fmt::format("{} {}{}", begin, fmt::join(known, ", "),
                       nearest.empty() ? "." : fmt::format("; did you mean {}?", nearest));
}

} // namespace zoneio
