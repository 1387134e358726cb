// SPDX-License-Identifier: GPL-3.0-or-later
//
// Chains of sessions: what one session leaves (after a close, a kill, a failed flush, a power cut, or in unsafe mode)
// and what the next one trusts, on this boot, another boot, another host, or after the medium was removed. Without a
// power cut, every acknowledged change survives. After one, every zone is as at the last successful flush of any
// session, or later. Environment: ZONEIO_CHAINS, number of chains (2000 for the long run), and ZONEIO_SEED.
#include "block/base/file_descriptor.h"
#include "block/zoned/check.h"

#include "test_setting.h"
#include "zoned_load.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <optional>

namespace zoneio {
namespace {

using testing::RecordedDevice;
using testing::RecordedFile;
using testing::setting;
using testing::ZonedLoad;

constexpr int sessions_per_chain = 12;

/// The identity in a session page that was written on another host or boot, or before the medium was removed.
MediumIdentity elsewhere(unsigned place) {
    MediumIdentity identity;
    fmt::format_to_n(identity.boot_id.data(), identity.boot_id.size(), "place {}", place);
    return identity;
}

/// The identity that the driver finds for this boot, host and mount.
MediumIdentity here() {
    return MediumIdentity::of(FileDescriptor(memfd_create("here", MFD_CLOEXEC)).get());
}

/// Replaces each word of the identity `from` in `session` by that of `to`, also in a torn page.
void replace_words(ZonedSession& session, const MediumIdentity& from, const MediumIdentity& to) {
    constexpr size_t first = offsetof(ZonedSession, boot_id);
    constexpr size_t end = offsetof(ZonedSession, owner);
    ZonedSession old_page;
    ZonedSession new_page;
    set_identity(old_page, from);
    set_identity(new_page, to);
    for (size_t at = first; at < end; at += sizeof(uint64_t)) {
        uint8_t* const word = reinterpret_cast<uint8_t*>(&session) + at;
        if (memcmp(word, reinterpret_cast<uint8_t*>(&old_page) + at, sizeof(uint64_t)) == 0) {
            memcpy(word, reinterpret_cast<uint8_t*>(&new_page) + at, sizeof(uint64_t));
        }
    }
}

/// How a session finds the file of the session before.
enum class Restart { same_place, other_place, cut_and_other_place, cut_and_earlier_place };

class SessionChains : public ::testing::Test {
protected:
    void run(unsigned seed);
    bool open_device();
    void work();
    void end();
    void restart();
    void move_to(unsigned place);
    ZonedSession session_page() const {
        ZonedSession session;
        memcpy(&session, file_.cached.data() + ZonedLayout::session, sizeof(session));
        return session;
    }
    void maybe_kill();
    void expect_good(BlockNode& node) const;
    void check_file();

    uint64_t below(uint64_t end) { return random_() % end; }

    std::mt19937 random_;
    ZoneGeometry geometry_;
    std::optional<ZonedLoad> load_;
    std::unique_ptr<RecordedDevice> device_;
    RecordedFile file_;
    std::optional<RecordedFile> killed_; ///< the file when the session was killed
    bool in_step_ = false;
    uint64_t kill_rate_ = 0;          ///< the session is killed at one of this many events; 0: never
    uint64_t flush_failure_rate_ = 0; ///< one of this many flushes fails; 0: none
    unsigned place_ = 0;              ///< boot, host and mount for which the driver's own identity stands
    unsigned places_ = 1;             ///< number of places so far
    std::vector<unsigned> left_;      ///< places that are still running and from which the file was removed in an
                                      ///< orderly way
    Restart how_ = Restart::same_place;
    bool was_killed_in_step_ = false;
    bool was_closed_ = true;      ///< the last session was closed in an orderly way
    bool is_unsafe_ = false;
    bool may_have_lost_ = false; ///< there was an unsafe session, and no flush has reached the medium since
    std::string story_;
};

void SessionChains::maybe_kill() {
    if (kill_rate_ != 0 && !killed_ && below(kill_rate_) == 0) {
        killed_ = device_->recorder->file();
        was_killed_in_step_ = in_step_;
    }
}

void SessionChains::expect_good(BlockNode& node) const {
    if (how_ == Restart::same_place || (how_ == Restart::other_place && was_closed_)) {
        load_->expect_as_known(node, was_killed_in_step_);
    } else {
        load_->expect_flushed_or_newer(node);
    }
}

/// A check finds no problems, whatever was lost.
void SessionChains::check_file() {
    const std::string name = fmt::format("/proc/self/fd/{}", device_->recorder->descriptor());
    const Result<ZonedCheck> result = check_zoned_file(NamedFile(name), false, true);
    ASSERT_TRUE(result.ok()) << result.status().message();
    for (const auto& problem : result->problems) {
        ADD_FAILURE() << problem.text;
    }
}

/// False if nothing is guaranteed, after an unsafe session and a power cut.
bool SessionChains::open_device() {
    if (may_have_lost_ && (how_ == Restart::cut_and_other_place || how_ == Restart::cut_and_earlier_place)) {
        return false;
    }
    NodeFlags flags;
    flags.no_flush = is_unsafe_ = below(6) == 0;
    if (below(4) == 0) {
        NodeFlags reader;
        reader.read_only = true;
        const RecordedDevice shown(file_, geometry_, reader);
        if (shown.node != nullptr) {
            expect_good(*shown.node);
        }
    }
    device_ = std::make_unique<RecordedDevice>(file_, geometry_, flags);
    if (device_->node == nullptr) {
        ADD_FAILURE() << device_->error;
        return false;
    }
    check_file();
    expect_good(*device_->node);
    load_->take_over(*device_->node);
    if (how_ != Restart::same_place) {
        // While a place trusts words that were never flushed, these may become valid again.
        const auto session = session_page();
        const bool is_believed = has_identity(session, here()) || std::any_of(left_.begin(), left_.end(), [&](unsigned place) {
                                     return has_identity(session, elsewhere(place));
                                 });
        if (!is_believed) {
            load_->remember_flush();
        }
        may_have_lost_ = false;
    }
    return true;
}

void SessionChains::work() {
    story_ += is_unsafe_ ? "; unsafe" : "; safe";
    may_have_lost_ |= is_unsafe_;
    killed_.reset();
    was_killed_in_step_ = false;
    kill_rate_ = below(2) == 0 ? 1 + below(60) : 0;
    flush_failure_rate_ = below(4) == 0 ? 2 : 0;
    device_->recorder->on_event = [this] { maybe_kill(); };
    device_->recorder->flush_fails = [this] { return flush_failure_rate_ != 0 && below(flush_failure_rate_) == 0; };
    for (uint64_t left = below(25); left > 0 && !killed_ && !HasFailure(); left--) {
        in_step_ = true;
        const bool flushed = load_->step(*device_->node);
        in_step_ = false;
        if (killed_) {
            break;
        }
        if (flushed) {
            load_->remember_flush();
            may_have_lost_ = false;
        }
        device_->recorder->event();
    }
    if (!killed_ && !is_unsafe_ && below(2) == 0 && device_->node->flush().ok() && !killed_) {
        story_ += " flush";
        load_->remember_flush();
        may_have_lost_ = false;
    }
}

void SessionChains::end() {
    was_closed_ = !killed_ && below(3) != 0;
    if (!was_closed_) {
        story_ += killed_ ? " killed at an event" : " killed";
        file_ = killed_ ? std::move(*killed_) : device_->recorder->file();
        device_->recorder->on_event = [] {};
        device_.reset();
        return;
    }
    bool failed = false;
    device_->recorder->on_event = [] {};
    device_->recorder->flush_fails = [&] {
        failed = failed || (flush_failure_rate_ != 0 && below(flush_failure_rate_) == 0);
        return failed;
    };
    device_->recorder->keep_in = &file_;
    device_.reset();
    story_ += failed ? " failed close" : " close";
    was_closed_ = !failed;
    if (was_closed_ && !is_unsafe_) {
        load_->remember_flush();
        may_have_lost_ = false;
    }
}

/// Makes the file as a session in another place finds it, without anything from this machine's memory.
void SessionChains::move_to(unsigned place) {
    ZonedSession session = session_page();
    replace_words(session, here(), elsewhere(place_));
    if (has_identity(session, elsewhere(place))) {
        set_identity(session, here());
    }
    memcpy(file_.cached.data() + ZonedLayout::session, &session, sizeof(session));
    place_ = place;
    file_ = RecordedFile(std::move(file_.cached));
}

void SessionChains::restart() {
    const uint64_t kind = below(10);
    how_ = kind < 5 ? Restart::same_place
                    : kind < 7 ? Restart::other_place : kind < 8 ? Restart::cut_and_other_place : Restart::cut_and_earlier_place;
    if (how_ == Restart::cut_and_earlier_place && left_.empty()) {
        how_ = Restart::cut_and_other_place;
    }
    switch (how_) {
    case Restart::same_place: story_ += ", same place"; return;
    case Restart::other_place:
        story_ += ", other place";
        left_.push_back(place_);
        break;
    case Restart::cut_and_other_place:
    case Restart::cut_and_earlier_place:
        story_ += ", cut";
        file_.cached = file_.cut(random_);
        break;
    }
    unsigned next = places_;
    if (how_ == Restart::cut_and_earlier_place) {
        const auto chosen = left_.begin() + static_cast<ptrdiff_t>(below(left_.size()));
        next = *chosen;
        left_.erase(chosen);
        story_ += fmt::format(", place {}", next);
    } else {
        places_++;
    }
    move_to(next);
}

void SessionChains::run(unsigned seed) {
    random_.seed(seed);
    geometry_ = testing::random_geometry(random_);
    load_.emplace(geometry_, random_);
    file_ = RecordedFile(testing::blank_image(geometry_));
    for (int session = 0; session < sessions_per_chain && !HasFailure(); session++) {
        if (!open_device()) {
            break;
        }
        work();
        end();
        restart();
    }
    if (HasFailure()) {
        FAIL() << "seed " << seed << story_;
    }
}

TEST_F(SessionChains, FlushedDataSurvives) {
    const unsigned long chains = setting("ZONEIO_CHAINS", 100);
    const unsigned long first_seed = setting("ZONEIO_SEED", 1);
    for (unsigned long seed = first_seed; seed < first_seed + chains && !HasFailure(); seed++) {
        story_.clear();
        place_ = 0;
        places_ = 1;
        left_.clear();
        how_ = Restart::same_place;
        was_closed_ = true;
        was_killed_in_step_ = false;
        may_have_lost_ = false;
        run(static_cast<unsigned>(seed));
    }
    printf("%lu chains\n", chains);
}

} // namespace
} // namespace zoneio
