// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/status.h"
#include "block/node/zone.h"
#include "block/zoned/geometry.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace zoneio {

/// State and write pointer of a zone, stored in one word so that a store cannot be torn.
///
/// Bits 0-43: write pointer, in sectors of 512 bytes from the start of the zone; bits 44-47: number of the state with
/// its lowest bit inverted; bits 48-63: checksum of the other bits, which detects any single flipped bit. The word of
/// an empty zone is 0, so a table of zeros means empty zones. See docs/zoned-file-format.md.
struct ZoneWord {
    ZoneState state = ZoneState::empty;
    uint64_t pointer = 0; ///< bytes from the start of the zone

    bool operator==(const ZoneWord&) const = default;

    uint64_t encode() const;
    /// Decodes a word without checking it; problem_of() checks it.
    static ZoneWord decode(uint64_t bits);

    bool is_open() const { return state == ZoneState::implicit_open || state == ZoneState::explicit_open; }
    bool is_active() const { return is_open() || state == ZoneState::closed; }
};

/// Entry of a zone in the table: its current word, and its word at the last successful flush.
struct ZoneEntry {
    uint64_t current = 0; ///< little endian
    uint64_t flushed = 0; ///< little endian
};

/// Memory for the entries of empty zones, whose pages are never touched. Null if there is not enough.
struct FreeEntries {
    void operator()(ZoneEntry* entries) const { free(entries); }
};
using ZoneEntries = std::unique_ptr<ZoneEntry, FreeEntries>;
inline ZoneEntries empty_entries(uint64_t count) {
    return ZoneEntries(static_cast<ZoneEntry*>(calloc(count, sizeof(ZoneEntry))));
}

/// Storage of a table, for tables whose stores can fail.
class WordStore {
public:
    WordStore() = default;
    WordStore(const WordStore&) = delete;
    WordStore& operator=(const WordStore&) = delete;
    virtual ~WordStore() = default;

    /// Stores a word, or changes nothing. EIO if the table is gone; ENOSPC and the like if there is no room.
    virtual Status store(uint64_t& target, uint64_t bits) = 0;
    /// False while the current words are not trusted and the flushed words are valid instead.
    virtual bool believes_current() const = 0;
};

/// The words of all zones, and the list of zones changed since the last flush. The memory may be a mapped file.
///
/// Words may be read while another thread changes one; changes require a lock.
class ZoneTable {
public:
    /// Without `store`, the words are in ordinary memory. If `store` does not trust the current words,
    /// restore_flushed() must come before any change.
    explicit ZoneTable(std::span<ZoneEntry> entries, WordStore* store = nullptr);

    uint64_t size() const { return entries_.size(); }
    uint64_t current_bits(uint64_t zone) const;
    uint64_t flushed_bits(uint64_t zone) const;
    ZoneWord current(uint64_t zone) const { return ZoneWord::decode(current_bits(zone)); }
    ZoneWord flushed(uint64_t zone) const { return ZoneWord::decode(flushed_bits(zone)); }

    /// Stores a zone's word and lists the zone as changed. After an error, the zone is as before.
    Status store(uint64_t zone, const ZoneWord& word);
    /// Copies the current word of a zone to the flushed one. REQUIRES: its data is on the medium.
    Status store_flushed(uint64_t zone);
    /// Lists all zones whose two words differ.
    void find_unflushed();
    /// Copies the flushed words of all listed zones to the current ones. After an error, some may still differ.
    Status restore_flushed();

    /// Zones changed since the last flush, each once.
    const std::vector<uint32_t>& unflushed() const { return unflushed_; }
    void clear_unflushed();

private:
    void note_unflushed(uint64_t zone);
    Status store_word(uint64_t& target, uint64_t bits);

    std::span<ZoneEntry> entries_;
    WordStore* store_;
    bool begins_as_flushed_; ///< the current words were not trusted at the start; `store_` says whether they are now
    std::vector<uint32_t> unflushed_;
    std::vector<bool> is_unflushed_;
};

/// True if the word is valid for this zone. Fast, for whole tables.
bool is_valid_word(const ZoneGeometry& geometry, uint64_t zone, uint64_t bits);

/// Description of what is wrong with a zone's word; empty if it is valid.
std::string problem_of(const ZoneGeometry& geometry, uint64_t zone, uint64_t bits);

} // namespace zoneio
