// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/export.h"

#include <memory>
#include <mutex>
#include <string>

namespace zoneio {

/// Exports a state of a crash by vhost-user or ublk while it exists. Front ends may write to it.
class ServedState {
public:
    enum class Kind : uint8_t { vhost_user, ublk };

    /// `socket`: path of the socket to create, for vhost-user.
    static Result<std::unique_ptr<ServedState>> create(std::unique_ptr<BlockBackend> image, Kind kind, std::string socket);
    /// Waits until nobody uses the device, and finishes requests in flight.
    ~ServedState() {
        if (export_ != nullptr) {
            export_->stop();
        }
    }
    /// Path of the socket or of the block device.
    const std::string& address() const { return export_->options().address; }
    ServedState(const ServedState&) = delete;
    ServedState& operator=(const ServedState&) = delete;

private:
    explicit ServedState(std::unique_ptr<BlockBackend> image) : image_(std::move(image)) {}

    std::unique_ptr<BlockBackend> image_;
    std::mutex turn_;
    std::unique_ptr<Export> export_;
};

} // namespace zoneio
