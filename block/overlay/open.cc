// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/overlay/open.h"

#include "block/overlay/overlay.h"
#include "block/overlay/zoned_overlay.h"

namespace zoneio {

namespace {

/// The overlay shows the name of QEMU's; no option can name it.
const DriverInfo overlay_info{
    .name = "qcow2", .is_protocol = false, .needs_filename = false, .parse_filename = nullptr, .open = nullptr, .option_keys = {}};

/// QEMU has no overlay for zoned devices.
const DriverInfo zoned_overlay_info{
    .name = "snapshot", .is_protocol = false, .needs_filename = false, .parse_filename = nullptr, .open = nullptr, .option_keys = {}};

/// Puts an overlay of type `Overlay` above an image.
template <typename Overlay>
Result<std::unique_ptr<BlockNode>> make_node(Result<std::unique_ptr<Overlay>> overlay, const DriverInfo& info,
                                             const NodeFlags& flags) {
    std::unique_ptr<Overlay> driver = TRY(std::move(overlay));
    const std::string name = driver->filename();
    return std::make_unique<BlockNode>(info, std::move(driver), flags, generated_node_name(), name);
}

/// Replaces a `json:` name by its options.
Status unfold_json_name(ImageSpec& spec) {
    if (!spec.filename || !spec.filename->starts_with("json:")) {
        return {};
    }
    spec.options.merge_missing(TRY(parse_json_options(std::string_view(*spec.filename).substr(5))));
    spec.filename.reset();
    return {};
}

} // namespace

Result<std::unique_ptr<BlockNode>> open_snapshot(ImageSpec spec, std::vector<Notice>& notices) {
    spec.snapshot = false;
    TRY(unfold_json_name(spec));
    // These options apply to the overlay as well as to the image.
    Options overlay_options;
    for (const char* const key : {"read-only", "discard"}) {
        if (const OptionValue* const value = spec.options.find(key)) {
            overlay_options.set(key, *value);
        }
    }
    NodeFlags flags = spec.flags;
    Options parsed = overlay_options;
    Status status = take_access_options(parsed, flags);
    if (status.ok()) {
        status = take_data_options(parsed, flags);
    }
    spec.options.set("read-only", true);
    flags.direct = false;
    flags.no_flush = true;
    flags.force_share = false;
    spec.flags.read_only = true;
    spec.flags.unmap = true; // -d ignore applies to the overlay only
    spec.flags.copy_on_read = false;
    std::unique_ptr<BlockNode> base = TRY(open_image(std::move(spec), notices));
    if (status.ok() && flags.copy_on_read && flags.read_only) {
        status = Status::invalid("Can't use copy-on-read on read-only device");
    }
    if (!status.ok()) {
        return status;
    }
    const bool is_zoned = base->limits().zoned == ZonedModel::host_managed;
    Result<std::unique_ptr<BlockNode>> node =
        is_zoned ? make_node(ZonedOverlay::create(std::move(base), flags, overlay_info), zoned_overlay_info, flags)
                 : make_node(SnapshotOverlay::create(std::move(base), flags.read_only), overlay_info, flags);
    if (node.ok()) {
        (*node)->set_options(std::move(overlay_options));
    }
    return node;
}

} // namespace zoneio
