// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/notice.h"

#include <atomic>
#include <mutex>
#include <utility>

namespace zoneio {

namespace {

struct Mailbox {
    std::mutex mutex;
    std::vector<Notice> notices;
    std::atomic<bool> filled{false};
};

Mailbox& mailbox() {
    static Mailbox box;
    return box;
}

} // namespace

void add_late_notice(Notice notice) {
    Mailbox& box = mailbox();
    const std::scoped_lock lock(box.mutex);
    box.notices.push_back(std::move(notice));
    box.filled = true;
}

bool has_late_notices() {
    return mailbox().filled.load(std::memory_order_relaxed);
}

std::vector<Notice> take_late_notices() {
    Mailbox& box = mailbox();
    const std::scoped_lock lock(box.mutex);
    box.filled = false;
    return std::exchange(box.notices, {});
}

} // namespace zoneio
