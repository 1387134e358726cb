// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/session.h"

#include "commands/text/safe_text.h"

#include <unistd.h>

namespace zoneio {

Session::Session(std::string program) : reporter_(std::move(program), &failures_), aio_(reporter_, failures_) {}

Session::~Session() {
    close();
}

void Session::attach(std::unique_ptr<BlockBackend> backend) {
    backend_ = std::move(backend);
    current_zone.reset();
    failures_.set_image(++images_);
    backend_->set_listeners([this](std::string_view text) { reporter_.print("{}\n", for_terminal(STDOUT_FILENO, text)); },
                            [this] { aio_.report_done(*backend_); });
}

void Session::close() {
    if (backend_) {
        aio_.finish(*backend_);
        show(BlockBackend::close(std::move(backend_)));
    }
}

void Session::show(const std::vector<Notice>& notices) {
    for (const Notice& notice : notices) {
        notice.is_warning ? reporter_.warning(notice.text) : reporter_.notice(notice.text);
    }
}

} // namespace zoneio
