// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/exports.h"

#include <algorithm>
#include <fmt/format.h>

namespace zoneio {

Export* Exports::find(std::string_view name) const {
    const auto found = std::find_if(exports_.begin(), exports_.end(), [name](const std::unique_ptr<Export>& served) {
        return served->options().name == name;
    });
    return found == exports_.end() ? nullptr : found->get();
}

std::string Exports::free_name() const {
    for (unsigned number = 0;; number++) {
        std::string name = fmt::format("disk{}", number);
        if (find(name) == nullptr) {
            return name;
        }
    }
}

void Exports::remove(Export& removed) {
    const auto found = std::find_if(exports_.begin(), exports_.end(),
                                    [&](const std::unique_ptr<Export>& served) { return served.get() == &removed; });
    // To end, the export's threads may need the turn.
    const Turn::Pause pause(turn_);
    const std::unique_ptr<Export> taken = std::move(*found);
    exports_.erase(found);
    taken->stop();
}

Status Exports::check_unused(const Export& served) const {
    // To answer, the kernel may have to read from the device.
    const Turn::Pause pause(turn_);
    return served.check_unused();
}

Status Exports::check_none() const {
    if (exports_.empty()) {
        return {};
    }
    const std::string& name = exports_.front()->options().name;
    return Status::error(EBUSY, fmt::format("the image is served as '{}'; 'unexport' ends that", name))
        .because(Cause::image_served, {.name = name});
}

Status Exports::check_all_unused() const {
    for (const std::unique_ptr<Export>& served : exports_) {
        if (Status status = check_unused(*served); !status.ok()) {
            return status;
        }
    }
    return {};
}

void Exports::stop(Export& stopped) {
    remove(stopped);
}

void Exports::stop_all() {
    while (!exports_.empty()) {
        remove(*exports_.back());
    }
}

void Exports::collect() {
    for (size_t i = exports_.size(); i > 0; i--) {
        if (exports_[i - 1]->state().has_ended) {
            remove(*exports_[i - 1]);
        }
    }
}

void Exports::look() const {
    for (const std::unique_ptr<Export>& served : exports_) {
        served->look();
    }
}

} // namespace zoneio
