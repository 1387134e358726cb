// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/export/export.h"

#include <memory>
#include <mutex>
#include <string>

namespace zoneio {

/// A state of a crash, served by vhost-user while this exists. Front ends may write to it.
class ServedState {
public:
    /// `socket`: path of the socket, which is made.
    static Result<std::unique_ptr<ServedState>> create(std::unique_ptr<BlockBackend> image, std::string socket);
    /// Finishes the requests under way.
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
