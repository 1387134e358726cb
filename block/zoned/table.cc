// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/zoned/table.h"

#include <atomic>
#include <endian.h>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr unsigned sector_shift = 9;
constexpr unsigned pointer_bits = 44;
constexpr unsigned content_bits = 48;
constexpr uint64_t pointer_mask = (uint64_t{1} << pointer_bits) - 1;
constexpr uint64_t content_mask = (uint64_t{1} << content_bits) - 1;

/// Every 16 consecutive bits of the factor contain zeros and ones, so each bit of the other factor changes the top 16
/// bits of the product.
constexpr uint64_t check_factor = 0x9e3779b97f4a7c15;

uint64_t check_sum(uint64_t content) {
    return content * check_factor >> content_bits;
}

uint64_t load(const uint64_t& bits) {
    return le64toh(std::atomic_ref(const_cast<uint64_t&>(bits)).load(std::memory_order_acquire));
}

bool is_valid_pointer(const ZoneWord& word, uint64_t capacity, uint64_t length) {
    switch (word.state) {
    case ZoneState::empty: return word.pointer == 0;
    case ZoneState::implicit_open:
    case ZoneState::closed: return word.pointer > 0 && word.pointer < capacity;
    case ZoneState::explicit_open: return word.pointer < capacity;
    case ZoneState::full: return word.pointer == capacity || word.pointer == length;
    case ZoneState::read_only:
    case ZoneState::offline: return word.pointer <= length;
    case ZoneState::not_write_pointer: return false;
    }
    return false;
}

} // namespace

uint64_t ZoneWord::encode() const {
    const uint64_t content = pointer >> sector_shift | (static_cast<uint64_t>(state) ^ 1U) << pointer_bits;
    return content | check_sum(content) << content_bits;
}

ZoneWord ZoneWord::decode(uint64_t bits) {
    const uint64_t state = (bits & content_mask) >> pointer_bits ^ 1U;
    return {static_cast<ZoneState>(state), (bits & pointer_mask) << sector_shift};
}

ZoneTable::ZoneTable(std::span<ZoneEntry> entries, WordStore* store)
    : entries_(entries), store_(store), begins_as_flushed_(store != nullptr && !store->believes_current()),
      is_unflushed_(entries.size()) {}

uint64_t ZoneTable::current_bits(uint64_t zone) const {
    return !begins_as_flushed_ || store_->believes_current() ? load(entries_[zone].current) : flushed_bits(zone);
}

uint64_t ZoneTable::flushed_bits(uint64_t zone) const {
    return load(entries_[zone].flushed);
}

void ZoneTable::note_unflushed(uint64_t zone) {
    if (!is_unflushed_[zone]) {
        is_unflushed_[zone] = true;
        unflushed_.push_back(static_cast<uint32_t>(zone));
    }
}

Status ZoneTable::store_word(uint64_t& target, uint64_t bits) {
    if (store_ != nullptr) {
        return store_->store(target, htole64(bits));
    }
    std::atomic_ref(target).store(htole64(bits), std::memory_order_release);
    return {};
}

Status ZoneTable::store(uint64_t zone, const ZoneWord& word) {
    TRY(store_word(entries_[zone].current, word.encode()));
    note_unflushed(zone);
    return {};
}

Status ZoneTable::store_flushed(uint64_t zone) {
    return store_word(entries_[zone].flushed, current_bits(zone));
}

void ZoneTable::find_unflushed() {
    for (uint64_t zone = 0; zone < size(); zone++) {
        if (entries_[zone].current != entries_[zone].flushed) {
            note_unflushed(zone);
        }
    }
}

Status ZoneTable::restore_flushed() {
    for (const uint32_t zone : unflushed_) {
        TRY(store_word(entries_[zone].current, flushed_bits(zone)));
    }
    clear_unflushed();
    return {};
}

void ZoneTable::clear_unflushed() {
    for (const uint32_t zone : unflushed_) {
        is_unflushed_[zone] = false;
    }
    unflushed_.clear();
}

bool is_valid_word(const ZoneGeometry& geometry, uint64_t zone, uint64_t bits) {
    if (bits == 0) {
        return true;
    }
    if (geometry.is_conventional(zone) || bits >> content_bits != check_sum(bits & content_mask)) {
        return false;
    }
    const ZoneWord word = ZoneWord::decode(bits);
    return (word.pointer & (geometry.block_size - 1)) == 0 &&
           is_valid_pointer(word, geometry.capacity_of(zone), geometry.zone_length(zone));
}

std::string problem_of(const ZoneGeometry& geometry, uint64_t zone, uint64_t bits) {
    if (is_valid_word(geometry, zone, bits)) {
        return {};
    }
    if (geometry.is_conventional(zone)) {
        return fmt::format("zone {} is conventional but has a state ({:#018x})", zone, bits);
    }
    if (bits >> content_bits != check_sum(bits & content_mask)) {
        return fmt::format("zone {}: wrong check sum ({:#018x})", zone, bits);
    }
    const ZoneWord word = ZoneWord::decode(bits);
    return fmt::format("zone {}: state {} with the write pointer {} bytes after its start is impossible", zone,
                       static_cast<unsigned>(word.state), word.pointer);
}

} // namespace zoneio
