// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/zone.h"
#include "block/zoned/geometry.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace zoneio {

/// A zone's state and write pointer as they are stored: one word, so that there is no half-stored zone.
///
/// Bits 0-43: write pointer from the zone's start in sectors of 512; bits 44-47: the state's number with its lowest
/// bit turned over; bits 48-63: a check sum of the others that any single flipped bit breaks. An empty zone is the
/// word 0, so a table that was never written is one of empty zones. See docs/zoned-file-format.md.
struct ZoneWord {
    ZoneState state = ZoneState::empty;
    uint64_t pointer = 0; ///< bytes from the zone's start

    bool operator==(const ZoneWord&) const = default;

    uint64_t encode() const;
    /// The content; whether it makes sense is for problem_of() to say.
    static ZoneWord decode(uint64_t bits);

    bool is_open() const { return state == ZoneState::implicit_open || state == ZoneState::explicit_open; }
    bool is_active() const { return is_open() || state == ZoneState::closed; }
};

/// What the table holds for a zone: how it is, and how it was when the last flush succeeded.
struct ZoneEntry {
    uint64_t current = 0; ///< little endian
    uint64_t flushed = 0; ///< little endian
};

/// Where the words of a table are, when storing one can fail.
class WordStore {
public:
    WordStore() = default;
    WordStore(const WordStore&) = delete;
    WordStore& operator=(const WordStore&) = delete;
    virtual ~WordStore() = default;

    /// Stores one word of the table, or changes nothing: ENOSPC and the like, and EIO when the word is not there any more.
    virtual Status store(uint64_t& target, uint64_t bits) = 0;
    /// False while the current words cannot be believed, and each zone is as the last flush saw it.
    virtual bool believes_current() const = 0;
};

/// The zones' words, in memory that may be that of a mapped file, and which of them the last flush has not seen.
///
/// Words may be read while another thread changes them; changes need a lock around them.
class ZoneTable {
public:
    /// Without a `store` the words are in ordinary memory. One that does not believe the current words must not see a
    /// change before restore_flushed().
    explicit ZoneTable(std::span<ZoneEntry> entries, WordStore* store = nullptr);

    uint64_t size() const { return entries_.size(); }
    uint64_t current_bits(uint64_t zone) const;
    uint64_t flushed_bits(uint64_t zone) const;
    ZoneWord current(uint64_t zone) const { return ZoneWord::decode(current_bits(zone)); }
    ZoneWord flushed(uint64_t zone) const { return ZoneWord::decode(flushed_bits(zone)); }

    /// Changes a zone and notes that a flush has something to do. On failure the zone is as before.
    Status store(uint64_t zone, const ZoneWord& word);
    /// Makes what is current what the flush saw. Only right when the data is on the medium.
    Status store_flushed(uint64_t zone);
    /// Notes the zones whose words differ.
    void find_unflushed();
    /// Makes each zone noted what the last flush saw: none differs then. On failure some may still.
    Status restore_flushed();

    /// The zones changed since the last flush, each once.
    const std::vector<uint32_t>& unflushed() const { return unflushed_; }
    void clear_unflushed();

private:
    void note_unflushed(uint64_t zone);
    Status store_word(uint64_t& target, uint64_t bits);

    std::span<ZoneEntry> entries_;
    WordStore* store_;
    bool begins_as_flushed_; ///< the current words were not believed at first; `store_` says when they are
    std::vector<uint32_t> unflushed_;
    std::vector<bool> is_unflushed_;
};

/// Can a zone have this word? Fast, for all zones of a table.
bool is_valid_word(const ZoneGeometry& geometry, uint64_t zone, uint64_t bits);

/// What is wrong with a zone's word, in words; empty when nothing is.
std::string problem_of(const ZoneGeometry& geometry, uint64_t zone, uint64_t bits);

} // namespace zoneio
