// SPDX-License-Identifier: GPL-3.0-or-later
//
// The driver `copy-on-read`: reads copy what comes from below its child into that child.
#include "block/drivers.h"
#include "block/filter.h"

#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr std::string_view option_keys[] = {"file", "bottom"};

class CopyOnRead final : public FilterDriver {
public:
    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options) {
        if (context.child == nullptr) {
            return missing_child();
        }
        if (context.flags.read_only) {
            return Status::error(EPERM, "Block node is read-only");
        }
        // How far down to copy from: with nothing below the child there is one place only.
        const std::optional<std::string> bottom = options.take("bottom");
        if (bottom && *bottom != context.child->name()) {
            return Status::error(EINVAL, fmt::format("Bottom node '{}' not found", *bottom));
        }
        auto driver = std::make_unique<CopyOnRead>();
        driver->child_ = std::move(context.child);
        return std::unique_ptr<BlockDriver>(std::move(driver));
    }

    Status preadv(uint64_t offset, const IoVec& iov) override {
        Status status = child_->driver().populate(offset, iov.bytes());
        return status.ok() ? child_->preadv(offset, iov) : std::move(status);
    }

    bool can_reopen() const override { return false; }
};

} // namespace

const DriverInfo copy_on_read_driver{.name = "copy-on-read",
                                     .is_protocol = false,
                                     .needs_filename = false,
                                     .parse_filename = nullptr,
                                     .open = CopyOnRead::create,
                                     .option_keys = option_keys};

} // namespace zoneio
