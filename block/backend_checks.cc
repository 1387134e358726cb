// SPDX-License-Identifier: GPL-3.0-or-later
//
// Predictions of what requests would do, without doing them.
#include "block/backend.h"

#include "block/base/size.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

Status BlockBackend::check_reopen_writable() {
    NodeFlags flags = root_->flags();
    flags.read_only = false;
    Options options;
    options.set("read-only", "off");
    return check_reopen(*root_, std::move(options), flags);
}

bool BlockBackend::can_grow_to(uint64_t length) const {
    const bool is_window = root_->options().contains("size") || root_->options().contains("offset");
    const int fd = descriptor_of(root_->driver());
    struct stat st{};
    if (root_->info().name != "raw" || root_->flags().read_only || is_window || fd < 0 || fstat(fd, &st) < 0 ||
        !S_ISREG(st.st_mode) || length > static_cast<uint64_t>(max_image_length)) {
        return false;
    }
    rlimit most{};
    const bool is_allowed = getrlimit(RLIMIT_FSIZE, &most) == 0 && (most.rlim_cur == RLIM_INFINITY || length <= most.rlim_cur);
    // lseek(2) fails above the largest file size of the file system.
    return is_allowed && lseek(fd, static_cast<off_t>(length), SEEK_SET) >= 0;
}

/// True if `offset` or `size` of raw hides zones, which still count against the limits.
bool BlockBackend::hides_zones() const {
    const BlockNode* node = root_.get();
    while (node->child() != nullptr && node->child()->limits().zoned != ZonedModel::none) {
        if (node->limits().nr_zones != node->child()->limits().nr_zones) {
            return limits().max_open_zones != 0 || limits().max_active_zones != 0;
        }
        node = node->child();
    }
    return false;
}

bool BlockBackend::emulates_zones() const {
    return limits().zoned != ZonedModel::none && root_->extras().zones->zone_control().sets_states;
}

Result<std::unique_ptr<ZoneTrial>> BlockBackend::zone_trial() {
    if (limits().zoned == ZonedModel::none) {
        return Status::from_errno(ENOTSUP);
    }
    if (hides_zones()) {
        return Status::error(ENOTSUP, "the device has more zones than 'offset' and 'size' show, and its limits count them all");
    }
    const uint64_t length = TRY(root_->length());
    settle();
    ZoneControl control = root_->extras().zones->zone_control();
    control.writable = control.writable && !root_->flags().read_only;
    return ZoneTrial::create(limits(), length, control,
                             [&](const ZoneVisitor& visit) { return root_->zone_report(0, limits().nr_zones, visit); });
}

} // namespace zoneio
