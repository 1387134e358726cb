// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/export.h"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Serialises use of the open image by the session and by the threads of exports. Normally these threads use the image
/// in parallel with the session. If requests may stop at breakpoints, one thread at a time has the turn.
///
/// The session's functions are for one thread. Threads of exports lock the mutex that share() returns.
class Turn {
public:
    /// The mutex for threads of exports. After the first call, each command of the session locks it.
    std::mutex& share() {
        if (!is_shared_) {
            is_shared_ = true;
            if (depth_ > 0) {
                mutex_.lock();
            }
        }
        return mutex_;
    }
    /// True while the session has the turn. Called only by the thread that has the turn, or on its behalf.
    bool is_held() const { return depth_ > 0; }

    /// Gives the session the turn while an object exists.
    class Hold {
    public:
        explicit Hold(Turn& turn) : turn_(turn) {
            if (turn_.depth_ == 0 && turn_.is_shared_) {
                turn_.mutex_.lock();
            }
            turn_.depth_++;
        }
        ~Hold() {
            if (--turn_.depth_ == 0 && turn_.is_shared_) {
                turn_.mutex_.unlock();
            }
        }
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;

    private:
        Turn& turn_;
    };

    /// Releases the turn during a wait, so that other threads can have it.
    class Pause {
    public:
        explicit Pause(Turn& turn) : turn_(turn), depth_(turn.depth_) {
            turn_.depth_ = 0;
            if (depth_ > 0 && turn_.is_shared_) {
                turn_.mutex_.unlock();
            }
        }
        ~Pause() {
            if (depth_ > 0 && turn_.is_shared_) {
                turn_.mutex_.lock();
            }
            turn_.depth_ = depth_;
        }
        Pause(const Pause&) = delete;
        Pause& operator=(const Pause&) = delete;

    private:
        Turn& turn_;
        unsigned depth_;
    };

private:
    std::mutex mutex_;
    unsigned depth_ = 0;
    bool is_shared_ = false; ///< set once, by the session
};

/// The exports of the open image.
class Exports {
public:
    explicit Exports(Turn& turn) : turn_(turn) {}
    ~Exports() { stop_all(); }
    Exports(const Exports&) = delete;
    Exports& operator=(const Exports&) = delete;

    bool empty() const { return exports_.empty(); }
    const std::vector<std::unique_ptr<Export>>& all() const { return exports_; }
    /// The export with this name, or null.
    Export* find(std::string_view name) const;
    /// An unused name: disk0, disk1, ...
    std::string free_name() const;
    void add(std::unique_ptr<Export> added) { exports_.push_back(std::move(added)); }

    /// For commands that would close or replace the image: EBUSY while it is exported.
    Status check_none() const;
    /// See Export::check_unused().
    Status check_unused(const Export& served) const;
    /// EBUSY while an export is used in such a way.
    Status check_all_unused() const;
    /// Waits for the requests of an export, and ends it.
    void stop(Export& stopped);
    void stop_all();
    /// Removes exports that have ended by themselves.
    void collect();
    /// Makes exports check their requests, because the session may have resumed some.
    void look() const;

private:
    void remove(Export& removed);

    Turn& turn_;
    std::vector<std::unique_ptr<Export>> exports_;
};

} // namespace zoneio
