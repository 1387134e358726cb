// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/session.h"

namespace zoneio {

void Session::close() {
    if (backend_) {
        aio_.drain(*backend_);
        backend_.reset();
    }
}

} // namespace zoneio
