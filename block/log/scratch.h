// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/backend.h"

#include <memory>
#include <string>

namespace zoneio {

/// Copies of an image in files of their own: one to go on with, and any number that begin as that one is.
///
/// They are files, not overlays, since other programs are to open them. A copy of a copy shares its blocks where the file
/// system can (reflink), and holes stay holes. A host-managed device becomes an emulated one of the same shape. All of them are
/// in a folder of their own in $TMPDIR (else /var/tmp), which goes with this.
class ScratchImages {
public:
    /// Copies the image as it is. ENOTSUP with the reason for zones that the emulated device cannot have.
    static Result<std::unique_ptr<ScratchImages>> create(BlockBackend& source);
    ~ScratchImages();
    ScratchImages(const ScratchImages&) = delete;
    ScratchImages& operator=(const ScratchImages&) = delete;

    /// The copy to go on with, open for writing.
    Result<BlockBackend*> base();
    /// A copy of it as it is now; replaces the one before.
    Result<std::unique_ptr<BlockBackend>> copy();
    /// The file that holds the last copy.
    std::string copy_path() const { return folder_ + "/image"; }
    /// Opens the last copy for writing.
    Result<std::unique_ptr<BlockBackend>> open_copy() const { return open(copy_path()); }
    /// For a socket, in the folder of the copies.
    std::string socket_path() const { return folder_ + "/socket"; }
    /// Keeps the last copy as this file.
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

/// Copies a file: by reference where the file system can, else its data; holes stay holes.
Status copy_file(const std::string& from, const std::string& to);

} // namespace zoneio
