// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/overlay/cluster_map.h"

#include <algorithm>

namespace zoneio {

namespace {

constexpr unsigned kind_bits = 3;
constexpr uint64_t kind_mask = (uint64_t{1} << kind_bits) - 1;

/// Number of words that are read at a time: one page, and more for long runs.
constexpr uint64_t words_per_page = 512;
constexpr uint64_t most_words = 32 * words_per_page;

uint64_t word_of(ClusterKind kind, uint64_t slot) {
    return slot << kind_bits | static_cast<uint64_t>(kind);
}

ClusterKind kind_of(uint64_t word) {
    return static_cast<ClusterKind>(word & kind_mask);
}

uint64_t slot_of(uint64_t word) {
    return word >> kind_bits;
}

uint64_t position_of(uint64_t slot) {
    return (slot - 1) * cluster_bytes;
}

/// Number of words at the start that continue the first one.
uint64_t run_length(const std::vector<uint64_t>& words) {
    const ClusterKind kind = kind_of(words.front());
    const bool in_place = kind == ClusterKind::data || kind == ClusterKind::compressed;
    uint64_t count = 1;
    while (count < words.size() && kind_of(words[count]) == kind &&
           (!in_place || slot_of(words[count]) == slot_of(words.front()) + count)) {
        count++;
    }
    return count;
}

} // namespace

Result<std::unique_ptr<ClusterMap>> ClusterMap::create() {
    auto map = std::make_unique<ClusterMap>();
    for (TemporaryFile* const file : {&map->data_, &map->table_}) {
        *file = TRY(open_temporary_file());
    }
    return map;
}

/// Reads words. Words after the end of the table count as unallocated.
Result<ClusterMap::Words> ClusterMap::load(uint64_t first, uint64_t count) {
    Words words(count);
    TRY(table_.node->preadv(first * sizeof(uint64_t), IoVec(words.data(), count * sizeof(uint64_t))));
    return words;
}

Status ClusterMap::save(uint64_t first, Words& words) {
    return table_.node->pwritev(first * sizeof(uint64_t), IoVec(words.data(), words.size() * sizeof(uint64_t)), {});
}

/// Number of words in the table; clusters after it are unallocated.
Result<uint64_t> ClusterMap::allocated_words() {
    return TRY(table_.node->length()) / sizeof(uint64_t);
}

Result<ClusterRun> ClusterMap::find(uint64_t first, uint64_t limit) {
    const std::shared_lock lock(mutex_);
    ClusterRun run;
    while (run.count < limit) {
        const uint64_t step = std::min({limit - run.count, run.count == 0 ? words_per_page : most_words});
        const uint64_t next = first + run.count;
        const BlockExtent extent = TRY(table_.node->block_status(next * sizeof(uint64_t), UINT32_MAX, true));
        // A hole in the table, or the part after its end.
        const bool untouched = extent.bytes == 0 || (extent.zero && extent.bytes >= sizeof(uint64_t));
        if (untouched) {
            if (run.count > 0 && run.kind != ClusterKind::unallocated) {
                return run;
            }
            const uint64_t left = limit - run.count;
            run.count += extent.bytes == 0 ? left : std::min<uint64_t>(left, extent.bytes / sizeof(uint64_t));
            continue;
        }
        const Words words = TRY(load(next, step));
        const uint64_t word = words.front();
        const uint64_t count = run_length(words);
        if (run.count == 0) {
            run.kind = kind_of(word);
            run.position = run.has_content() ? position_of(slot_of(word)) : 0;
        } else if (kind_of(word) != run.kind ||
                   (run.has_content() && position_of(slot_of(word)) != run.position + run.count * cluster_bytes)) {
            return run;
        }
        run.count += count;
        if (count < step) {
            return run;
        }
    }
    return run;
}

Result<ClusterRun> ClusterMap::reserve(uint64_t first, uint64_t limit) {
    const std::unique_lock lock(mutex_);
    const Words words = TRY(load(first, std::min(limit, most_words)));
    // Clusters without a slot, or clusters whose old slots are consecutive.
    uint64_t slot = slot_of(words.front());
    const bool is_new = slot == 0;
    if (is_new) {
        slot = next_slot_;
    }
    uint64_t count = 1;
    while (count < words.size() && slot_of(words[count]) == (is_new ? 0 : slot + count)) {
        count++;
    }
    next_slot_ += is_new ? count : 0;
    return ClusterRun{ClusterKind::data, count, position_of(slot)};
}

Status ClusterMap::store(uint64_t first, uint64_t count, ClusterKind kind, uint64_t position) {
    const std::unique_lock lock(mutex_);
    const uint64_t slot = position / cluster_bytes + 1;
    for (uint64_t done = 0; done < count; done += most_words) {
        Words words(std::min(most_words, count - done));
        for (uint64_t i = 0; i < words.size(); i++) {
            words[i] = word_of(kind, slot + done + i);
        }
        TRY(save(first + done, words));
    }
    return {};
}

Status ClusterMap::drop(uint64_t first, uint64_t count, ClusterKind kind) {
    const std::unique_lock lock(mutex_);
    return drop_locked(first, count, kind);
}

Status ClusterMap::drop_from(uint64_t first) {
    const std::unique_lock lock(mutex_);
    const uint64_t end = TRY(allocated_words());
    return end <= first ? Status() : drop_locked(first, end - first, ClusterKind::unallocated);
}

/// The words are changed before the space is freed, so that no word refers to freed content.
Status ClusterMap::drop_locked(uint64_t first, uint64_t count, ClusterKind kind) {
    for (uint64_t done = 0; done < count;) {
        const uint64_t position = (first + done) * sizeof(uint64_t);
        const BlockExtent extent = TRY(table_.node->block_status(position, UINT32_MAX, true));
        if (kind == ClusterKind::unallocated && (extent.bytes == 0 || (extent.zero && extent.bytes >= sizeof(uint64_t)))) {
            done += extent.bytes == 0 ? count - done : extent.bytes / sizeof(uint64_t);
            continue;
        }
        // Words in a hole of the table are unallocated already.
        const uint64_t there = kind == ClusterKind::unallocated ? extent.bytes / sizeof(uint64_t) : most_words;
        const uint64_t step = std::min({most_words, std::max<uint64_t>(there, 1), count - done});
        Words words = TRY(load(first + done, step));
        std::vector<uint64_t> emptied;
        for (uint64_t& word : words) {
            if (kind_of(word) == ClusterKind::data || kind_of(word) == ClusterKind::compressed) {
                emptied.push_back(slot_of(word));
            }
            const bool keeps = kind_of(word) == ClusterKind::data || kind_of(word) == ClusterKind::zero_kept;
            const bool is_plain = kind == ClusterKind::zero_kept && !keeps;
            word = word_of(is_plain ? ClusterKind::zero : kind, slot_of(word));
        }
        TRY(save(first + done, words));
        for (size_t i = 0; i < emptied.size();) {
            size_t end = i + 1;
            while (end < emptied.size() && emptied[end] == emptied[i] + (end - i)) {
                end++;
            }
            TRY(data_.node->pdiscard(position_of(emptied[i]), (end - i) * cluster_bytes));
            i = end;
        }
        done += step;
    }
    return {};
}

} // namespace zoneio
