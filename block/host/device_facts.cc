// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/device_facts.h"

#include "block/base/size.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/sysmacros.h>

namespace zoneio {

namespace fs = std::filesystem;

namespace {

std::string trimmed(std::string text) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\n' || c == '\0'; };
    while (!text.empty() && is_blank(text.back())) {
        text.pop_back();
    }
    size_t begin = 0;
    while (begin < text.size() && is_blank(text[begin])) {
        begin++;
    }
    return text.substr(begin);
}

/// Empty if the attribute does not exist.
std::string attribute(const fs::path& path) {
    constexpr size_t longest = 256;
    std::ifstream file(path, std::ios::binary);
    std::string text(longest, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(file.gcount()));
    return text;
}

std::string first_attribute(const fs::path& folder, std::initializer_list<const char*> names) {
    for (const char* const name : names) {
        if (std::string text = trimmed(attribute(folder / name)); !text.empty()) {
            return text;
        }
    }
    return {};
}

std::string vendor_and_model(const fs::path& disk) {
    if (const std::string file = trimmed(attribute(disk / "loop/backing_file")); !file.empty()) {
        return "loop device of " + file;
    }
    const std::string vendor = trimmed(attribute(disk / "device/vendor"));
    const std::string model = first_attribute(disk, {"device/model", "device/name"});
    // The vendor numbers of virtio and NVMe devices name the maker of the chip.
    const bool is_number = vendor.starts_with("0x");
    return vendor.empty() || is_number || model.empty() ? model : vendor + ' ' + model;
}

std::string serial_of(const fs::path& disk) {
    if (std::string serial = first_attribute(disk, {"serial", "device/serial"}); !serial.empty()) {
        return serial;
    }
    // A SCSI vital product data page: four bytes, then text.
    constexpr size_t head = 4;
    const std::string page = attribute(disk / "device/vpd_pg80");
    return page.size() > head ? trimmed(page.substr(head)) : std::string();
}

} // namespace

DeviceFacts device_facts(dev_t device, const SystemFiles& files) {
    DeviceFacts facts{.is_device = true, .bytes = 0, .model = {}, .serial = {}};
    std::error_code error;
    const fs::path folder = fs::canonical(fmt::format("{}/dev/block/{}:{}", files.sys, major(device), minor(device)), error);
    if (error) {
        return facts;
    }
    facts.bytes = strtoull(attribute(folder / "size").c_str(), nullptr, 10) * sector_size;
    const fs::path disk = fs::exists(folder / "partition", error) ? folder.parent_path() : folder;
    facts.model = vendor_and_model(disk);
    facts.serial = serial_of(disk);
    return facts;
}

DeviceFacts device_facts(const std::string& path, const SystemFiles& files) {
    struct stat st{};
    if (stat(path.c_str(), &st) != 0) {
        return {};
    }
    if (S_ISBLK(st.st_mode)) {
        return device_facts(st.st_rdev, files);
    }
    return {.is_device = false, .bytes = static_cast<uint64_t>(st.st_size), .model = {}, .serial = {}};
}

std::string DeviceFacts::text(const std::string& path) const {
    std::string text = path;
    const char* separator = ": ";
    const auto add = [&](const std::string& fact) {
        text += separator + fact;
        separator = ", ";
    };
    if (bytes != 0) {
        add(format_size(bytes));
    }
    if (!model.empty()) {
        add(model);
    }
    if (!serial.empty()) {
        add("serial " + serial);
    }
    return text;
}

} // namespace zoneio
