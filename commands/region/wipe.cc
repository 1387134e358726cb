// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/region/wipe.h"

#include "commands/text/zone_words.h"

#include <algorithm>
#include <cstring>
#include <sys/random.h>

namespace zoneio {

namespace {

/// Length of a request that transfers no data, in bytes: few requests, but frequent checks for Ctrl-C.
constexpr uint64_t request_bytes = 64U << 20;

/// A random number with this index from a seed (splitmix64), so that the data can be generated again from any offset.
uint64_t random_word(uint64_t seed, uint64_t index) {
    uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/// Generates the random bytes for a range. Each multiple of 8 has its own word.
void fill_random(uint64_t seed, uint64_t offset, uint8_t* data, uint64_t bytes) {
    while (bytes > 0) {
        const uint64_t skipped = offset % sizeof(uint64_t);
        const uint64_t word = random_word(seed, offset / sizeof(uint64_t)) >> (8 * skipped);
        const uint64_t part = std::min(bytes, sizeof(uint64_t) - skipped);
        memcpy(data, &word, part);
        data += part;
        offset += part;
        bytes -= part;
    }
}

uint64_t new_seed() {
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) {
        seed = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    }
    return seed;
}

std::string zone_refusal(uint64_t number, const ZoneDescriptor& zone) {
    return fmt::format("zone {} is {}; nothing was wiped", number, state_text(zone.state));
}

} // namespace

Result<std::vector<WipePart>> wipe_parts(Session& session, WipeMode mode, const Region& region) {
    const Limits& limits = session.backend().limits();
    if (limits.zoned == ZonedModel::none || region.length == 0) {
        return std::vector<WipePart>{{region}};
    }
    const Result<uint64_t> length = session.backend().length();
    if (region.offset % limits.zone_size != 0 || (region.end() % limits.zone_size != 0 && length.ok() && region.end() != *length)) {
        return Status::invalid(fmt::format("on a zoned device whole zones are wiped, of {} bytes each", limits.zone_size));
    }
    std::vector<WipePart> parts;
    Status status;
    uint64_t seen = 0;
    const uint64_t count = (region.length + limits.zone_size - 1) / limits.zone_size;
    Status reported = report_in_pieces(session.backend(), region.offset, count, [&](const ZoneDescriptor& zone) {
        const bool reset = zone.type != ZoneType::conventional;
        if (zone.state == ZoneState::read_only || zone.state == ZoneState::offline) {
            status = Status::error(EIO, zone_refusal(zone.start / limits.zone_size, zone));
        } else if (reset && (mode == WipeMode::random || mode == WipeMode::secure)) {
            status = Status::invalid(fmt::format("zone {} is sequential: a reset empties it, and --random and --secure are for conventional zones", zone.start / limits.zone_size));
        }
        if (parts.empty() || parts.back().reset != reset) {
            parts.push_back({{zone.start, 0}, reset});
        }
        parts.back().region.length += zone.length;
    }, seen);
    if (!reported.ok()) {
        return reported;
    }
    if (!status.ok()) {
        return status;
    }
    return parts;
}

Wipe::Wipe(Session& session, WipeMode mode, std::vector<WipePart> parts)
    : session_(session), mode_(mode), parts_(std::move(parts)), seed_(new_seed()) {
    for (const WipePart& part : parts_) {
        total_ += part.region.length;
    }
}

Status Wipe::step(LongWork& work, uint64_t bytes) {
    done_ += bytes;
    return work.step(done_) ? Status() : Status::from_errno(EINTR);
}

Status Wipe::run() {
    const uint64_t passes = mode_ == WipeMode::secure ? 2 : 1;
    LongWork work("wipe", passes * total_, LongWork::Unit::bytes);
    work_ = &work;
    done_ = 0;
    Status status;
    for (const WipePart& part : parts_) {
        if (part.reset) {
            status = reset(part.region);
        } else if (mode_ == WipeMode::secure) {
            status = fill(part.region, Fill::random);
            status = status.ok() ? session_.backend().execute(Request::flush()) : std::move(status);
            status = status.ok() ? fill(part.region, Fill::zeros_as_data) : std::move(status);
        } else {
            status = fill(part.region, mode_ == WipeMode::zero ? Fill::zeros : mode_ == WipeMode::random ? Fill::random : Fill::discard);
        }
        if (!status.ok()) {
            return status;
        }
    }
    return session_.backend().execute(Request::flush());
}

/// Resets zone by zone, so that the user can interrupt it.
Status Wipe::reset(const Region& region) {
    const uint64_t zone_size = session_.backend().limits().zone_size;
    for (uint64_t offset = region.offset; offset < region.end(); offset += zone_size) {
        const uint64_t bytes = std::min(zone_size, region.end() - offset);
        Status status = session_.backend().execute(Request::zone_manage(ZoneOp::reset, offset, bytes));
        if (!status.ok()) {
            const std::string text = fmt::format("resetting zone {}: {}", offset / zone_size, status.message());
            return std::move(status).with_text(text);
        }
        status = step(*work_, bytes);
        if (!status.ok()) {
            return status;
        }
    }
    return {};
}

Status Wipe::write(Fill fill, uint64_t offset, uint64_t bytes, bool more) {
    BlockBackend& backend = session_.backend();
    switch (fill) {
    case Fill::zeros: return backend.execute(Request::write_zeroes(offset, bytes, {.more = more}));
    case Fill::discard: return backend.execute(Request::discard(offset, bytes));
    case Fill::random: fill_random(seed_, offset, session_.scratch().data(), bytes); break;
    case Fill::zeros_as_data: memset(session_.scratch().data(), 0, bytes); break;
    }
    return backend.execute(Request::write(offset, IoVec(session_.scratch().data(), bytes), {.more = more}));
}

Status Wipe::fill(const Region& region, Fill fill) {
    const bool moves_data = fill == Fill::random || fill == Fill::zeros_as_data;
    const uint64_t most = moves_data ? RegionReader::piece_bytes : request_bytes;
    if (moves_data && !session_.scratch().reserve(most)) {
        return Status::error(ENOMEM, fmt::format("cannot allocate {} bytes of memory for the data", most));
    }
    for (uint64_t offset = region.offset; offset < region.end();) {
        const uint64_t bytes = std::min(region.end() - offset, most - offset % most);
        Status status = write(fill, offset, bytes, offset + bytes < region.end());
        if (!status.ok()) {
            const std::string text = fmt::format("{} bytes at offset {}: {}", bytes, offset, status.message());
            return std::move(status).with_text(text);
        }
        offset += bytes;
        status = step(*work_, bytes);
        if (!status.ok()) {
            return status;
        }
    }
    return {};
}

Status Wipe::verify() {
    LongWork work("verify", total_, LongWork::Unit::bytes);
    work_ = &work;
    done_ = 0;
    for (const WipePart& part : parts_) {
        TRY(verify(part));
    }
    return {};
}

/// Checks the state of zones, because devices differ in what an empty zone reads as.
Status Wipe::verify_empty(const Region& region) {
    const uint64_t zone_size = session_.backend().limits().zone_size;
    uint64_t seen = 0;
    std::optional<uint64_t> left;
    const uint64_t count = (region.length + zone_size - 1) / zone_size;
    const Status status = report_in_pieces(session_.backend(), region.offset, count, [&](const ZoneDescriptor& zone) {
        if (zone.state != ZoneState::empty && !left) {
            left = zone.start / zone_size;
        }
    }, seen);
    if (status.ok() && left) {
        return Status::error(EILSEQ, fmt::format("zone {} was reset and is not empty", *left));
    }
    return status.ok() ? step(*work_, region.length) : status;
}

Status Wipe::verify(const WipePart& part) {
    if (part.reset) {
        return verify_empty(part.region);
    }
    RegionReader reader(session_.backend(), session_.scratch(), part.region);
    const bool is_random = mode_ == WipeMode::random;
    std::vector<uint8_t> expected(is_random ? RegionReader::piece_bytes : 0);
    while (!reader.at_end()) {
        const Result<RegionPiece> piece = reader.next(is_random ? RegionReader::piece_bytes : UINT64_MAX);
        if (!piece.ok()) {
            return piece.status();
        }
        bool is_right = piece->data == nullptr ? !is_random : all_bytes_equal(piece->data, piece->bytes, 0);
        if (is_random && piece->data != nullptr) {
            fill_random(seed_, piece->offset, expected.data(), piece->bytes);
            is_right = memcmp(piece->data, expected.data(), piece->bytes) == 0;
        }
        if (!is_right) {
            return Status::error(EILSEQ, fmt::format("verification failed: {} bytes at offset {} differ from the data written", piece->bytes, piece->offset));
        }
        TRY(step(*work_, piece->bytes));
    }
    return {};
}

} // namespace zoneio
