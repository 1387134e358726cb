// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/engine/submission_order.h"

#include <algorithm>

namespace zoneio {

/// The hold of a request that has an entry.
class SubmissionOrder::Place : public RequestHold {
public:
    explicit Place(SubmissionOrder& order) : order_(order), entry_(order.entries_.end()) {}
    ~Place() override {
        if (entry_ != order_.entries_.end()) {
            order_.release(entry_);
        }
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    void set(Entries::iterator entry) { entry_ = entry; }

private:
    SubmissionOrder& order_;
    Entries::iterator entry_;
};

bool SubmissionOrder::is_ordered(const Request& request) {
    if (entries_.empty()) {
        block_ = 1;
        for (const BlockNode* node = &root_; node != nullptr; node = node->child()) {
            block_ = std::max<uint64_t>(block_, node->limits().request_alignment);
        }
    }
    const bool moves_data =
        request.op == RequestOp::read || request.op == RequestOp::write || request.op == RequestOp::write_zeroes;
    return block_ > 1 && moves_data && request.bytes > 0 && root_.limits().zoned == ZonedModel::none;
}

std::pair<uint64_t, SubmissionOrder::Entry> SubmissionOrder::entry_of(Request& request) const {
    const uint64_t begin = request.offset & ~(block_ - 1);
    const uint64_t end = request.offset + request.bytes;
    const bool is_whole = begin == request.offset && end % block_ == 0;
    return {begin, {(end + block_ - 1) & ~(block_ - 1), numbers_, !is_whole && request.op != RequestOp::read, &request}};
}

bool SubmissionOrder::has_conflict(uint64_t begin, const Entry& entry) const {
    if (partial_ == 0 && !entry.is_partial) {
        return false;
    }
    const auto first = entries_.lower_bound(begin - std::min(begin, longest_));
    return std::any_of(first, entries_.lower_bound(entry.end), [&](const auto& other) {
        return other.second.number < entry.number && other.second.end > begin &&
               (other.second.is_partial || entry.is_partial);
    });
}

bool SubmissionOrder::must_wait(const Request& request) {
    if (partial_ == 0 || !is_ordered(request)) {
        return false;
    }
    const auto [begin, entry] = entry_of(const_cast<Request&>(request));
    return has_conflict(begin, entry);
}

bool SubmissionOrder::take(Request& request) {
    if (!is_ordered(request)) {
        return true;
    }
    const auto [begin, entry] = entry_of(request);
    const bool waits = has_conflict(begin, entry);
    // What may find no memory comes first.
    auto place = std::make_unique<Place>(*this);
    request.holds.reserve(request.holds.size() + 1);
    std::list<Entries::iterator> waiting;
    if (waits) {
        waiting.emplace_back();
    }
    const auto at = entries_.emplace(begin, entry);
    place->set(at);
    request.holds.push_back(std::move(place));
    numbers_++;
    partial_ += entry.is_partial ? 1 : 0;
    longest_ = std::max(longest_, entry.end - begin);
    if (waits) {
        waiting.front() = at;
        waiting_.splice(waiting_.end(), waiting);
    }
    return !waits;
}

Request* SubmissionOrder::next() {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [this](const auto& place) { return !has_conflict(place->first, place->second); });
    if (found == waiting_.end()) {
        return nullptr;
    }
    Request* const request = (*found)->second.request;
    waiting_.erase(found);
    return request;
}

void SubmissionOrder::release(Entries::iterator place) {
    waiting_.remove(place); // of a request that could not begin at all
    partial_ -= place->second.is_partial ? 1 : 0;
    entries_.erase(place);
    if (entries_.empty()) {
        longest_ = 0;
    }
}

} // namespace zoneio
