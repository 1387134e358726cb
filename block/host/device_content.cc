// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/device_content.h"

#include "block/base/loaded_library.h"

#include <algorithm>
#include <blkid.h>
#include <fmt/format.h>
#include <string>

namespace zoneio {

namespace {

/// Names of the functions used, without the prefix `blkid_`: X(name).
#define ZONEIO_BLKID_NAMES(X)                                                                                             \
    X(do_probe) X(free_probe) X(new_probe) X(probe_enable_partitions) X(probe_enable_superblocks) X(probe_lookup_value)  \
    X(probe_set_device) X(probe_set_superblocks_flags)

/// Functions of libblkid, loaded when the first device is looked at: linked, its tables would be relocated at every start.
struct BlkidLibrary {
#define ZONEIO_BLKID_DECLARE(name) decltype(&::blkid_##name) name = nullptr; // NOLINT(bugprone-macro-parentheses)
    ZONEIO_BLKID_NAMES(ZONEIO_BLKID_DECLARE)
#undef ZONEIO_BLKID_DECLARE

    /// Null if the library is not installed, or lacks one of them.
    static const BlkidLibrary* get();
};

const BlkidLibrary* BlkidLibrary::get() {
    static BlkidLibrary library;
    static bool is_loaded = false;
    if (is_loaded) {
        return &library;
    }
    LoadedLibrary loaded("libblkid.so.1");
#define ZONEIO_BLKID_NEED(name) loaded.need("blkid_" #name, library.name);
    ZONEIO_BLKID_NAMES(ZONEIO_BLKID_NEED)
#undef ZONEIO_BLKID_NEED
    is_loaded = loaded.is_complete();
    return is_loaded ? &library : nullptr;
}

class Probe {
public:
    explicit Probe(const BlkidLibrary& library) : library_(library), probe_(library.new_probe()) {}
    ~Probe() { library_.free_probe(probe_); }
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;

    /// Looks at a device. False if that is not possible.
    bool begin(int fd) {
        if (probe_ == nullptr || library_.probe_set_device(probe_, fd, 0, 0) != 0) {
            return false;
        }
        library_.probe_enable_superblocks(probe_, 1);
        library_.probe_set_superblocks_flags(probe_, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE | BLKID_SUBLKS_LABEL);
        library_.probe_enable_partitions(probe_, 1);
        return true;
    }
    /// Looks for the next signature. False if there is none.
    bool next() { return library_.do_probe(probe_) == 0; }
    /// A value of the signature found; empty if it has none.
    std::string value(const char* name) const {
        const char* text = nullptr;
        return library_.probe_lookup_value(probe_, name, &text, nullptr) == 0 && text != nullptr ? text : "";
    }

private:
    const BlkidLibrary& library_;
    blkid_probe probe_;
};

std::string clause_of(const Probe& probe) {
    const std::string type = probe.value("TYPE");
    const std::string usage = probe.value("USAGE");
    const std::string label = probe.value("LABEL");
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
    const BlkidLibrary* const library = BlkidLibrary::get();
    if (library == nullptr) {
        content.clauses.emplace_back("what it holds is unknown (install the package libblkid1)");
        return content;
    }
    Probe probe(*library);
    if (!probe.begin(fd)) {
        return content;
    }
    while (probe.next()) {
        if (!probe.value("PTTYPE").empty()) {
            content.has_partition_table = true;
            continue;
        }
        std::string clause = clause_of(probe);
        if (std::find(content.clauses.begin(), content.clauses.end(), clause) == content.clauses.end()) {
            content.clauses.push_back(std::move(clause));
        }
    }
    return content;
}

} // namespace zoneio
