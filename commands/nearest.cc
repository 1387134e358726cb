// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/nearest.h"

#include <algorithm>
#include <fmt/format.h>

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
    struct Candidate {
        size_t distance;
        std::string_view word;
    };
    std::vector<Candidate> candidates;
    // A longer word may have more wrong with it; what only begins like another is near to it, too.
    const size_t allowed = word.size() < 3 ? 1 : word.size() < 6 ? 2 : 3;
    for (const std::string_view candidate : known) {
        const bool begins_alike = word.size() >= 3 && candidate.starts_with(word);
        const size_t distance = begins_alike ? 1 : edit_distance(word, candidate);
        if (distance <= allowed && distance < std::max(word.size(), candidate.size())) {
            candidates.push_back({distance, candidate});
        }
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.distance < b.distance; });
    std::vector<std::string_view> words;
    for (const Candidate& candidate : candidates) {
        if (words.size() < most && candidate.distance <= candidates.front().distance + 1) {
            words.push_back(candidate.word);
        }
    }
    return words;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
    const std::vector<std::string_view> words = nearest_words(word, known);
    std::string text;
    for (size_t i = 0; i < words.size(); i++) {
        text += fmt::format("{}'{}'", i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i]);
    }
    return words.empty() ? text : "did you mean " + text + "?";
}

} // namespace zoneio
