// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/status.h"

#include <cstring>

namespace zoneio {

std::string Status::message() const {
    return text_ ? *text_ : std::string(strerror(code_));
}

} // namespace zoneio
