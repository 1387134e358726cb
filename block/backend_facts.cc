// SPDX-License-Identifier: GPL-3.0-or-later
//
// Facts about the chain below the backend, for commands.
#include "block/backend.h"

namespace zoneio {

Result<ImageDetails> BlockBackend::details() const {
    if (!root_->driver().traits().has_info) {
        return Status::from_errno(ENOTSUP);
    }
    const VmState* const clusters = root_->extras().vm_state;
    return clusters != nullptr ? clusters->details() : ImageDetails{};
}

std::string BlockBackend::filename() const {
    for (const BlockNode* node = root_.get(); node != nullptr; node = node->child()) {
        if (!node->filename().empty()) {
            return node->filename();
        }
    }
    return {};
}

std::string BlockBackend::file_of(std::string_view driver) const {
    for (const BlockNode* node = root_.get(); node != nullptr; node = node->child()) {
        if (node->info().name == driver) {
            return node->filename();
        }
    }
    return {};
}

std::vector<std::string_view> BlockBackend::drivers() const {
    std::vector<std::string_view> names;
    for (const BlockNode* node = root_.get(); node != nullptr; node = node->child()) {
        names.push_back(node->info().name);
    }
    return names;
}

bool BlockBackend::is_made_of(const struct stat& file) const {
    for (const BlockNode* node = root_.get(); node != nullptr; node = node->child()) {
        struct stat st{};
        if (stat(node->filename().c_str(), &st) == 0 && st.st_dev == file.st_dev && st.st_ino == file.st_ino) {
            return true;
        }
    }
    return false;
}

Status BlockBackend::mark_logs(std::string_view name) {
    Status status = Status::error(ENOTSUP, "no log is written: the image was not opened with the driver 'blklogwrites'")
                        .because(Cause::no_write_log);
    bool has_failed = false;
    for (const BlockNode* node = root_.get(); node != nullptr && !has_failed; node = node->child()) {
        if (WriteLog* const log = node->extras().write_log) {
            status = run<Status>([&] { return log->mark(name); });
            has_failed = !status.ok();
        }
    }
    return status;
}

} // namespace zoneio
