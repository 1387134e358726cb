// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/export.h"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace zoneio {

/// Whose turn it is to use the open image, between the session and the threads that serve the image to others: those use
/// it beside the session, except where requests may stop at breakpoints. There one thread at a time has the turn.
///
/// The session's side is used by one thread; the threads that serve lock what share() hands out.
class Turn {
public:
    /// For threads beside the session: from here on each command of the session locks it.
    std::mutex& share() {
        if (!is_shared_) {
            is_shared_ = true;
            if (depth_ > 0) {
                mutex_.lock();
            }
        }
        return mutex_;
    }
    /// Does the session have it? To be asked by whoever has the turn, or works for who has it.
    bool is_held() const { return depth_ > 0; }

    /// The session has the turn while one of these lives.
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

    /// Others may have it meanwhile: around a wait.
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

/// What the session serves of the open image.
class Exports {
public:
    explicit Exports(Turn& turn) : turn_(turn) {}
    ~Exports() { stop_all(); }
    Exports(const Exports&) = delete;
    Exports& operator=(const Exports&) = delete;

    bool empty() const { return exports_.empty(); }
    const std::vector<std::unique_ptr<Export>>& all() const { return exports_; }
    /// Null when there is none of that name.
    Export* find(std::string_view name) const;
    /// A name that is not taken: disk0, disk1, ...
    std::string free_name() const;
    void add(std::unique_ptr<Export> added) { exports_.push_back(std::move(added)); }

    /// See Export::check_unused().
    Status check_unused(const Export& served) const;
    /// EBUSY as long as one of them is used in that way.
    Status check_all_unused() const;
    /// Waits until its requests have finished, and ends it.
    void stop(Export& stopped);
    void stop_all();
    /// Lets go of those that have ended by themselves.
    void collect();
    /// They are to look at their requests: the session may have let some go on.
    void look() const;

private:
    void remove(Export& removed);

    Turn& turn_;
    std::vector<std::unique_ptr<Export>> exports_;
};

} // namespace zoneio
