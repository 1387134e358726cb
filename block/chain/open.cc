// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/chain/open.h"

#include "block/chain/probe.h"
#include "block/node/mode_words.h"
#include "block/node/zone_bounds.h"
#include "block/trace/trace.h"

#include <algorithm>
#include <fmt/format.h>
#include <random>
#include <set>
#include <sys/stat.h>

namespace zoneio {

namespace {

/// QEMU's limit for node names, including the final zero byte.
constexpr size_t node_name_size = 32;

/// True if the text before the first `:` is a protocol and not part of a path.
bool has_protocol_prefix(std::string_view name) {
    const size_t pos = name.find_first_of(":/");
    return pos != std::string_view::npos && name[pos] == ':';
}

bool is_device(const std::string& path) {
    struct stat st{};
    return stat(path.c_str(), &st) == 0 && (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode));
}

/// The driver for one of the names of its protocol, or null.
const DriverInfo* find_protocol(std::string_view name) {
    for (const DriverInfo& info : driver_table()) {
        const auto& others = info.other_protocols;
        if (std::find(others.begin(), others.end(), name) != others.end()) {
            return &info;
        }
    }
    return find_driver(name);
}

/// The driver that a file name implies. `allow_prefix`: the name may start with a protocol.
Result<const DriverInfo*> protocol_of(const std::string& name, bool allow_prefix) {
    if (is_device(name)) {
        return find_driver("host_device");
    }
    if (!allow_prefix || !has_protocol_prefix(name)) {
        return find_driver("file");
    }
    const std::string protocol = name.substr(0, name.find(':'));
    const DriverInfo* info = find_protocol(protocol);
    if (info == nullptr || !info->is_protocol) {
        return Status::invalid(fmt::format("Unknown protocol '{}'", protocol)).because(Cause::unknown_protocol, {.name = protocol});
    }
    return info;
}

/// The settings of a node with QEMU's numbers, as trace events show them.
unsigned qemu_open_flags(const NodeFlags& flags, const DriverInfo& info, AioMode aio) {
    constexpr unsigned read_write = 0x2;
    constexpr unsigned may_become_read_write = 0x2000;
    const auto when = [](bool condition, unsigned bits) { return condition ? bits : 0; };
    return when(!flags.read_only, read_write | may_become_read_write) | when(flags.direct, 0x20) |
           when(aio == AioMode::native, 0x80) | when(flags.no_flush, 0x200) | when(flags.copy_on_read, 0x400) |
           when(flags.unmap, 0x4000) | when(info.is_protocol, 0x8000) | when(flags.auto_read_only, 0x20000) |
           when(aio == AioMode::io_uring, 0x40000);
}

/// Opens one chain of nodes.
class Opener {
public:
    Opener(AioMode aio, WriteGuard write_guard, std::vector<Notice>& notices)
        : aio_(aio), write_guard_(std::move(write_guard)), notices_(notices) {}

    /// Opens a node and the nodes below it. `at_bottom`: the node is the `file` of another node.
    Result<std::unique_ptr<BlockNode>> open(std::optional<std::string> filename, Options options, NodeFlags flags,
                                            bool at_bottom, const Options& inherited = {}) {
        if (filename && filename->starts_with("json:")) {
            options.merge_missing(TRY(parse_json_options(std::string_view(*filename).substr(5))));
            filename.reset();
        }
        Plan plan{std::move(filename), std::move(options), flags, nullptr, at_bottom, {}, nullptr, false};
        plan.explicit_options = plan.options;
        plan.options.merge_missing(inherited);
        TRY(choose_driver(plan));
        take_no_backing(plan);
        if (!plan.is_protocol) {
            TRY(open_child(plan));
        }
        TRY(probe(plan));
        TRY(take_access_options(plan.options, plan.flags));
        TRY(check_settings(plan));
        return open_driver(plan);
    }

    /// The options that a name with a protocol stands for.
    static Result<Options> options_of_name(const std::string& filename) {
        Plan plan{filename, {}, {}, nullptr, true, {}, nullptr, false};
        TRY(choose_driver(plan));
        plan.options.set("driver", std::string(plan.info->name));
        return std::move(plan.options);
    }

private:
    struct Plan {
        std::optional<std::string> filename; ///< as given; not in the options yet
        Options options;
        NodeFlags flags;
        const DriverInfo* info;
        bool is_protocol;
        Options explicit_options;
        std::unique_ptr<BlockNode> child;
        bool probed;
    };

    /// Sets the driver, from the option `driver` or from the protocol of the name.
    static Status choose_driver(Plan& plan) {
        const std::string* driver = plan.options.find_text("driver");
        if (driver != nullptr) {
            plan.info = find_driver(*driver);
            if (plan.info == nullptr) {
                return Status::invalid(fmt::format("Unknown driver '{}'", *driver)).because(Cause::unknown_driver, {.name = *driver});
            }
            plan.is_protocol = plan.info->is_protocol;
        }
        if (!plan.is_protocol) {
            return {};
        }
        bool parse_name = false;
        if (plan.filename) {
            if (plan.options.contains("filename")) {
                return Status::invalid("Can't specify 'file' and 'filename' options at the same time");
            }
            plan.options.set("filename", *plan.filename);
            parse_name = true;
        }
        const std::string* name = plan.options.find_text("filename");
        if (plan.info == nullptr) {
            if (name == nullptr) {
                return Status::invalid("Must specify either driver or file");
            }
            plan.info = TRY(protocol_of(*name, parse_name));
        }
        return parse_name ? parse_protocol_name(plan) : Status();
    }

    static Status parse_protocol_name(Plan& plan) {
        const std::string name = *plan.options.find_text("filename");
        if (plan.info->parse_filename != nullptr) {
            TRY(plan.info->parse_filename(name, plan.options));
        }
        if (!plan.info->needs_filename) {
            plan.options.erase("filename");
            plan.explicit_options.merge_missing(plan.options); // the name stands for them
            return {};
        }
        if (const std::string prefix = std::string(plan.info->name) + ':'; name.starts_with(prefix)) {
            const std::string rest = name.substr(prefix.size());
            // The rest is a path, even if it looks like another protocol.
            plan.options.set("filename", has_protocol_prefix(rest) ? "./" + rest : rest);
        }
        return {};
    }

    /// Accepts `backing` if it is null or empty, which means: no backing file.
    void take_no_backing(Plan& plan) {
        const OptionValue* const value = plan.options.find("backing");
        if (value != nullptr && *value == OptionValue(EmptyValue{EmptyValue::Kind::null})) {
            plan.options.erase("backing");
        } else if (const std::string* backing = plan.options.find_text("backing"); backing != nullptr && backing->empty()) {
            notices_.push_back({true, "Use of \"backing\": \"\" is deprecated; use \"backing\": null instead"});
            plan.options.erase("backing");
        }
    }

    /// Opens the child that `file` names, by options or by file name. Leaves the child null if there is neither.
    Status open_child(Plan& plan) {
        // Taken out first; otherwise each node of a long chain would hold the options of all nodes below it.
        plan.explicit_options.take_subtree("file");
        plan.child = TRY(open_named_child(plan.filename, plan.options, plan.flags, "file"));
        if (plan.child != nullptr) {
            plan.options.erase("file");
        }
        return {};
    }

    /// Opens the child that a node's options name, by options below `key` or by a file name. Null if there is neither.
    Result<std::unique_ptr<BlockNode>> open_named_child(const std::optional<std::string>& filename, Options& options,
                                                        const NodeFlags& flags, std::string_view key) {
        Options child_options = options.take_subtree(key);
        const std::string* reference = options.find_text(key);
        if (reference != nullptr && (filename || !child_options.empty())) {
            return Status::invalid("Cannot reference an existing block device with additional options or a new filename");
        }
        if (reference != nullptr) {
            return Status::invalid(fmt::format("Cannot find device='{0}' nor node-name='{0}'", *reference));
        }
        if (!filename && child_options.empty()) {
            return std::unique_ptr<BlockNode>();
        }
        // Not parsed here, so that the child reports errors in them after its own.
        Options inherited;
        for (const char* passed_on : {"read-only", "auto-read-only", "cache.direct", "cache.no-flush", "force-share"}) {
            if (const OptionValue* value = options.find(passed_on)) {
                inherited.set(passed_on, *value);
            }
        }
        return open(filename, std::move(child_options), inherited_flags(flags), true, inherited);
    }

    /// Probes the format from the content if no driver was given.
    static Status probe(Plan& plan) {
        if (plan.info != nullptr) {
            return {};
        }
        if (plan.child == nullptr) {
            return Status::invalid("Must specify either driver or file");
        }
        const std::string format = TRY(probe_format(*plan.child));
        plan.info = find_driver(format);
        if (plan.info == nullptr) {
            return Status::error(ENOTSUP, fmt::format("Image format '{}' is not supported; name the format 'raw' (-f raw "
                                                      "or driver=raw) to work on the bytes of the file itself",
                                                      format))
                .because(Cause::unsupported_format, {.name = format});
        }
        plan.probed = true;
        return {};
    }

    Status check_settings(Plan& plan) {
        if (plan.flags.force_share && !plan.flags.read_only) {
            return Status::invalid("force-share=on can only be used with read-only images");
        }
        const std::string* name = plan.options.find_text("filename");
        const bool has_name = name != nullptr && !name->empty();
        if (plan.info->needs_filename && !has_name && !plan.info->filename_optional) {
            return Status::invalid(fmt::format("The '{}' block driver requires a file name", plan.info->name));
        }
        if (plan.flags.copy_on_read && plan.flags.read_only) {
            return Status::invalid("Can't use copy-on-read on read-only device");
        }
        TRY(take_data_options(plan.options, plan.flags));
        return take_node_name(plan);
    }

    Status take_node_name(Plan& plan) {
        const std::optional<std::string> name = plan.options.take("node-name");
        plan.options.erase("driver");
        if (!name) {
            node_name_ = generated_node_name();
            return {};
        }
        if (!is_identifier(*name)) {
            return Status::invalid(fmt::format("Invalid node-name: '{}'", *name));
        }
        if (name->size() >= node_name_size) {
            return Status::invalid("Node name too long");
        }
        if (!names_.insert(*name).second) {
            return Status::invalid(fmt::format("Duplicate nodes with node-name='{}'", *name));
        }
        node_name_ = *name;
        return {};
    }

    Result<std::unique_ptr<BlockNode>> open_driver(Plan& plan) {
        if (plan.child) {
            TRY(check_zoned_child(*plan.info, plan.child->limits()));
        }
        const std::string node_name = node_name_;
        OpenContext context;
        context.flags = plan.flags;
        const std::string* name = plan.options.find_text("filename");
        context.filename = name != nullptr ? *name : std::string();
        context.child = std::move(plan.child);
        context.probed = plan.probed;
        context.default_aio = aio_;
        context.write_guard = write_guard_;
        // A driver that opens a child besides its `file` writes its log there.
        const std::string_view key = plan.info->own_child.empty() ? "log" : plan.info->own_child;
        context.open_child = [this, &plan, key](const std::optional<std::string>& child_name, Options& options) {
            plan.explicit_options.take_subtree(key);
            return open_named_child(child_name, options, plan.flags, key);
        };
        const std::string child_name = context.child ? context.child->filename() : std::string();
        Result<std::unique_ptr<BlockDriver>> driver = plan.info->open(context, plan.options);
        const std::string shown = child_name.empty() ? context.filename : child_name;
        notices_.insert(notices_.end(), context.notices.begin(), context.notices.end());
        if (!driver.ok()) {
            return std::move(driver).status();
        }
        TRY(check_leftovers(plan));
        trace_bdrv_open_common(driver->get(), shown.c_str(), qemu_open_flags(context.flags, *plan.info, aio_),
                               plan.info->name.data());
        auto node = std::make_unique<BlockNode>(*plan.info, std::move(*driver), context.flags, node_name, shown);
        node->set_options(std::move(plan.explicit_options));
        return node;
    }

    Status check_leftovers(Plan& plan) {
        if (plan.options.find_text("backing") != nullptr || !plan.options.take_subtree("backing").empty()) {
            return Status::invalid("Driver doesn't support backing files");
        }
        const std::optional<std::string> unknown = plan.options.first_unknown();
        if (!unknown) {
            return {};
        }
        const char* const refusal = plan.info->is_protocol ? "Block protocol '{}' doesn't support the option '{}'"
                                                           : "Block format '{}' does not support the option '{}'";
        return Status::invalid(fmt::format(fmt::runtime(refusal), plan.info->name, *unknown))
            .because(Cause::unknown_option, {.name = *unknown, .owner = std::string(plan.info->name)});
    }

    AioMode aio_;
    WriteGuard write_guard_;
    std::vector<Notice>& notices_;
    std::set<std::string> names_;
    std::string node_name_;
};

bool fixed_names = false;

} // namespace

Result<Options> options_of_name(const std::string& filename) {
    return filename.starts_with("json:") ? parse_json_options(std::string_view(filename).substr(5))
                                         : Opener::options_of_name(filename);
}

void use_fixed_names() {
    fixed_names = true;
}

bool has_fixed_names() {
    return fixed_names;
}

std::string generated_node_name() {
    if (fixed_names) {
        return "NODE_NAME";
    }
    // Random, so that no script relies on a generated name.
    static std::minstd_rand generator(std::random_device{}());
    static unsigned count = 0;
    return fmt::format("#block{}{:02}", count++, generator() % 100);
}

NodeFlags inherited_flags(const NodeFlags& parent) {
    NodeFlags flags = parent;
    flags.unmap = true;
    flags.copy_on_read = false;
    flags.detect_zeroes = DetectZeroes::off;
    return flags;
}

Status take_access_options(Options& options, NodeFlags& flags) {
    return options.take_all({{"read-only", flags.read_only},
                             {"auto-read-only", flags.auto_read_only},
                             {"cache.direct", flags.direct},
                             {"cache.no-flush", flags.no_flush},
                             {"force-share", flags.force_share}});
}

Status take_data_options(Options& options, NodeFlags& flags) {
    const std::optional<std::string> discard = options.take("discard");
    if (discard && !parse_enum(discard_mode_words, *discard, flags.unmap).ok()) {
        return Status::invalid("Invalid discard option");
    }
    if (const std::optional<std::string> detect = options.take("detect-zeroes")) {
        TRY(parse_enum(detect_zeroes_words, *detect, flags.detect_zeroes));
    }
    if (flags.detect_zeroes == DetectZeroes::unmap && !flags.unmap) {
        return Status::invalid("setting detect-zeroes to unmap is not allowed without setting discard operation to unmap");
    }
    return {};
}

Result<std::unique_ptr<BlockNode>> open_file(const std::string& filename, Options options, const NodeFlags& flags, AioMode aio) {
    options.set("driver", "file");
    options.set("filename", filename);
    std::vector<Notice> notices;
    return open_image({.options = std::move(options), .flags = flags, .aio = aio}, notices);
}

Result<std::unique_ptr<BlockNode>> open_image(ImageSpec spec, std::vector<Notice>& notices) {
    Opener opener(spec.aio, std::move(spec.write_guard), notices);
    return opener.open(std::move(spec.filename), std::move(spec.options), spec.flags, false);
}

} // namespace zoneio
