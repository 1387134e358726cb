// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/node/node.h"
#include "block/node/request.h"

#include <cstdint>
#include <list>
#include <map>

namespace zoneio {

/// Keeps overlapping requests in the order of their submission if one of them covers a part of a block: its
/// read-modify-write must see what earlier requests wrote, and must not undo what later ones write. Threads would begin them
/// in any order. Requests of whole blocks have no order among each other, as in QEMU.
///
/// Used by one thread.
class SubmissionOrder {
public:
    /// `root`: the top of the chain that the requests go to; it outlives this.
    explicit SubmissionOrder(const BlockNode& root) : root_(root) {}
    SubmissionOrder(const SubmissionOrder&) = delete;
    SubmissionOrder& operator=(const SubmissionOrder&) = delete;

    /// Takes a request, until its holds are cleared. True if it may begin now; otherwise next() returns it in time.
    bool take(Request& request);
    /// True if take() would return false.
    bool must_wait(const Request& request);
    /// A request that may begin now, because others have ended; null if there is none.
    Request* next();
    /// Number of requests that may not begin yet.
    size_t waiting() const { return waiting_.size(); }

private:
    struct Entry {
        uint64_t end; ///< bytes, like the key; both widened to whole blocks
        uint64_t number;
        bool is_partial;
        Request* request;
    };
    /// By the begin of the range.
    using Entries = std::multimap<uint64_t, Entry>;
    class Place;

    /// The entry that a request would have; the number is that of the next one.
    std::pair<uint64_t, Entry> entry_of(Request& request) const;
    bool is_ordered(const Request& request);
    bool has_conflict(uint64_t begin, const Entry& entry) const;
    void release(Entries::iterator place);

    const BlockNode& root_;
    uint64_t block_ = 1; ///< the largest request alignment of the chain, bytes
    Entries entries_;
    std::list<Entries::iterator> waiting_; ///< oldest first
    uint64_t numbers_ = 0;
    uint64_t longest_ = 0; ///< bytes; no entry is longer
    size_t partial_ = 0;   ///< number of entries that are partial
};

} // namespace zoneio
