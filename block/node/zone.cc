// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/node/zone.h"

namespace zoneio {

std::string_view zone_op_name(ZoneOp op) {
    switch (op) {
    case ZoneOp::open: return "open";
    case ZoneOp::close: return "close";
    case ZoneOp::finish: return "finish";
    case ZoneOp::reset: return "reset";
    }
    return "?";
}

} // namespace zoneio
