// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/session.h"

namespace zoneio {

Session::Session(std::string program) : reporter_(std::move(program)), aio_(reporter_, failures_) {}

Session::~Session() {
    close();
}

void Session::attach(std::unique_ptr<BlockBackend> backend) {
    backend_ = std::move(backend);
    current_zone.reset();
    failures_.set_image(++images_);
    backend_->set_listeners([this](std::string_view text) { reporter_.print("{}\n", text); },
                            [this] { aio_.report_done(*backend_); });
}

void Session::close() {
    if (backend_) {
        aio_.finish(*backend_);
        for (const Notice& notice : backend_->take_notices()) {
            reporter_.notice(notice.text);
        }
        backend_.reset();
    }
}

} // namespace zoneio
