// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/device_content.h"

#include <algorithm>
#include <blkid.h>
#include <fmt/format.h>
#include <memory>

namespace zoneio {

namespace {

struct FreeProbe {
    void operator()(blkid_probe probe) const { blkid_free_probe(probe); }
};
using Probe = std::unique_ptr<blkid_struct_probe, FreeProbe>;

/// A value of the last signature found; empty if it has none.
std::string value_of(blkid_probe probe, const char* name) {
    const char* text = nullptr;
    return blkid_probe_lookup_value(probe, name, &text, nullptr) == 0 && text != nullptr ? text : "";
}

std::string clause_of(blkid_probe probe) {
    const std::string type = value_of(probe, "TYPE");
    const std::string usage = value_of(probe, "USAGE");
    const std::string label = value_of(probe, "LABEL");
    const std::string name = label.empty() ? type : fmt::format("{}, '{}'", type, label);
    if (type == "LVM2_member" || type == "LVM1_member") {
        return "it is a physical volume of LVM";
    }
    if (type == "swap") {
        return "it holds swap space";
    }
    if (usage == "filesystem") {
        return fmt::format("it holds a file system ({})", name);
    }
    if (usage == "raid") {
        return fmt::format("it is a member of a RAID ({})", name);
    }
    return fmt::format("it holds {} ({})", usage == "crypto" ? "encrypted data" : "data of others", name);
}

} // namespace

DeviceContent device_content(int fd) {
    DeviceContent content;
    const Probe probe(blkid_new_probe());
    if (!probe || blkid_probe_set_device(probe.get(), fd, 0, 0) != 0) {
        return content;
    }
    blkid_probe_enable_superblocks(probe.get(), 1);
    blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE | BLKID_SUBLKS_LABEL);
    blkid_probe_enable_partitions(probe.get(), 1);
    while (blkid_do_probe(probe.get()) == 0) {
        if (!value_of(probe.get(), "PTTYPE").empty()) {
            content.has_partition_table = true;
            continue;
        }
        std::string clause = clause_of(probe.get());
        if (std::find(content.clauses.begin(), content.clauses.end(), clause) == content.clauses.end()) {
            content.clauses.push_back(std::move(clause));
        }
    }
    return content;
}

} // namespace zoneio
