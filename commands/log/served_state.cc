// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/log/served_state.h"

namespace zoneio {

Result<std::unique_ptr<ServedState>> ServedState::create(std::unique_ptr<BlockBackend> image, Kind kind, std::string socket) {
    if (Status status = image->require(Permissions::write); !status.ok()) {
        return status;
    }
    std::unique_ptr<ServedState> state(new ServedState(std::move(image)));
    ExportOptions options;
    options.name = "state";
    const bool by_socket = kind == Kind::vhost_user;
    options.address = by_socket ? std::move(socket) : std::string();
    Result<std::unique_ptr<Export>> served = by_socket ? export_vhost_user(*state->image_, state->turn_, std::move(options))
                                                       : export_ublk(*state->image_, state->turn_, std::move(options));
    if (!served.ok()) {
        return std::move(served).status();
    }
    state->export_ = std::move(*served);
    return state;
}

} // namespace zoneio
