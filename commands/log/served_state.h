// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/export.h"

#include <memory>
#include <mutex>
#include <string>

namespace zoneio {

/// Exports a state of a crash by vhost-user while it exists. Front ends may write to it.
class ServedState {
public:
    /// `socket`: path of the socket to create.
    static Result<std::unique_ptr<ServedState>> create(std::unique_ptr<BlockBackend> image, std::string socket);
    /// Finishes requests in flight.
    ~ServedState() {
        if (export_ != nullptr) {
            export_->stop();
        }
    }
    ServedState(const ServedState&) = delete;
    ServedState& operator=(const ServedState&) = delete;

private:
    explicit ServedState(std::unique_ptr<BlockBackend> image) : image_(std::move(image)) {}

    std::unique_ptr<BlockBackend> image_;
    std::mutex turn_;
    std::unique_ptr<Export> export_;
};

} // namespace zoneio
