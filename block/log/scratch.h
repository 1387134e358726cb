// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"

#include <memory>
#include <string>

namespace zoneio {

/// Copies of an image in files: a base copy that can be changed, and any number of copies of that one.
///
/// They are files and not overlays, because other programs must be able to open them. A copy of the base shares its
/// blocks if the file system supports it (reflink), and holes stay holes. A host-managed device becomes an emulated one
/// with the same geometry. The copies are in a private folder in $TMPDIR (otherwise /var/tmp), which the destructor
/// removes, and SIGINT, SIGTERM and SIGHUP where they end the program.
class ScratchImages {
public:
    /// Copies the image. ENOTSUP, with the reason, for zones that an emulated device cannot have.
    static Result<std::unique_ptr<ScratchImages>> create(BlockBackend& source);
    ~ScratchImages();
    ScratchImages(const ScratchImages&) = delete;
    ScratchImages& operator=(const ScratchImages&) = delete;

    /// The base copy, open for writing.
    Result<BlockBackend*> base();
    /// Copies the base in its present state. Replaces the previous copy.
    Result<std::unique_ptr<BlockBackend>> copy();
    /// Path of the last copy.
    std::string copy_path() const { return folder_ + "/image"; }
    /// Opens the last copy for writing.
    Result<std::unique_ptr<BlockBackend>> open_copy() const { return open(copy_path()); }
    /// Path for a socket, in the folder of the copies.
    std::string socket_path() const { return folder_ + "/socket"; }
    /// Stores the last copy in this file.
    Status keep(const std::string& path) const;

private:
    ScratchImages() = default;

    Status make_folder();
    Status make_plain(BlockBackend& source, uint64_t length);
    Status make_zoned(BlockBackend& source, uint64_t length);
    Result<std::unique_ptr<BlockBackend>> open(const std::string& path) const;
    std::string base_path() const { return folder_ + "/base"; }

    std::string folder_;
    bool is_zoned_ = false;
    std::unique_ptr<BlockBackend> base_;
};

/// Copies a file: as a reflink if possible, otherwise its data; holes stay holes.
Status copy_file(const std::string& from, const std::string& to);

} // namespace zoneio
