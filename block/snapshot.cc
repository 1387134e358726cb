// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/snapshot.h"

#include "block/snapshot_overlay.h"

namespace zoneio {

namespace {

/// The overlay is called what upstream's is; nobody can ask for it by name.
const DriverInfo overlay_info{
    .name = "qcow2", .is_protocol = false, .needs_filename = false, .parse_filename = nullptr, .open = nullptr, .option_keys = {}};

/// A name with its options in it becomes those options.
Status unfold_json_name(ImageSpec& spec) {
    if (!spec.filename || !spec.filename->starts_with("json:")) {
        return {};
    }
    Result<Options> parsed = parse_json_options(std::string_view(*spec.filename).substr(5));
    if (parsed.ok()) {
        spec.options.merge_missing(*parsed);
        spec.filename.reset();
    }
    return std::move(parsed).status();
}

} // namespace

Result<std::unique_ptr<BlockNode>> open_snapshot(ImageSpec spec, std::vector<Notice>& notices) {
    spec.snapshot = false;
    Status status = unfold_json_name(spec);
    if (!status.ok()) {
        return status;
    }
    // These two are the overlay's as well as the image's.
    Options overlay_options;
    for (const char* const key : {"read-only", "discard"}) {
        if (const OptionValue* const value = spec.options.find(key)) {
            overlay_options.set(key, *value);
        }
    }
    NodeFlags flags = spec.flags;
    Options parsed = overlay_options;
    status = take_access_options(parsed, flags);
    if (status.ok()) {
        status = take_data_options(parsed, flags);
        spec.options.set("read-only", true);
    }
    flags.direct = false;
    flags.no_flush = true;
    flags.force_share = false;
    if (spec.flags.copy_on_read && flags.read_only) {
        return Status::error(EINVAL, "Can't use copy-on-read on read-only device");
    }
    spec.flags.read_only = true;
    spec.flags.copy_on_read = false;
    Result<std::unique_ptr<BlockNode>> base = open_image(std::move(spec), notices);
    if (!base.ok()) {
        return base;
    }
    if (!status.ok()) {
        return status;
    }
    Result<std::unique_ptr<SnapshotOverlay>> overlay = SnapshotOverlay::create(std::move(*base), flags.read_only);
    if (!overlay.ok()) {
        return std::move(overlay).status();
    }
    const std::string name = (*overlay)->filename();
    auto node = std::make_unique<BlockNode>(overlay_info, std::move(*overlay), flags, generated_node_name(), name);
    node->set_options(std::move(overlay_options));
    return node;
}

} // namespace zoneio
