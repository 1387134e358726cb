// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/device_use.h"

#include "block/base/file_descriptor.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <span>
#include <sstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace zoneio {

namespace {

namespace fs = std::filesystem;

/// How many places where a device is mounted are told; containers have some dozen.
constexpr size_t most_mounts = 3;

/// The device that was asked about, or one of its partitions.
struct Device {
    std::string subject;            ///< in clauses: `it`, `sda1`
    std::string number;             ///< `8:1`
    fs::path folder;                ///< in sysfs
    std::vector<std::string> paths; ///< `/dev/sda1`
};

/// Names in a folder, sorted; none when it cannot be read.
std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        names.push_back(entry->path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string first_line(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// proc(5) writes spaces and the like in names as `\040`.
std::string unescape(const std::string& text) {
    const auto is_octal = [&](size_t i) { return text[i] >= '0' && text[i] <= '7'; };
    std::string out;
    for (size_t i = 0; i < text.size(); i++) {
        if (text[i] == '\\' && i + 3 < text.size() && is_octal(i + 1) && is_octal(i + 2) && is_octal(i + 3)) {
            out += static_cast<char>(((text[i + 1] - '0') << 6) | ((text[i + 2] - '0') << 3) | (text[i + 3] - '0'));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

Device make_device(std::string subject, std::string number, const fs::path& folder) {
    std::string name = folder.filename();
    // As sysfs writes the `/` in cciss/c0d0.
    std::replace(name.begin(), name.end(), '!', '/');
    Device device{std::move(subject), std::move(number), folder, {"/dev/" + name}};
    if (const std::string mapped = first_line(folder / "dm/name"); !mapped.empty()) {
        device.paths.push_back("/dev/mapper/" + mapped);
    }
    return device;
}

bool is_path_of(const Device& device, const std::string& path) {
    return std::find(device.paths.begin(), device.paths.end(), path) != device.paths.end();
}

void add_mounts(std::vector<std::string>& uses, const Device& device, const SystemFiles& files) {
    std::vector<std::string> points;
    std::ifstream table(files.proc + "/self/mountinfo");
    for (std::string line; std::getline(table, line);) {
        std::istringstream words(line);
        std::string word;
        std::string number;
        std::string point;
        std::string source;
        words >> word >> word >> number >> word >> point;
        // Behind the dash: type and source. Some file systems have numbers of their own, and only the source tells.
        while (words >> word && word != "-") {
        }
        words >> word >> source;
        if (number == device.number || is_path_of(device, unescape(source))) {
            points.push_back(unescape(point));
        }
    }
    if (!points.empty()) {
        const size_t told = std::min(points.size(), most_mounts);
        uses.push_back(fmt::format("{} is mounted on {}{}", device.subject, fmt::join(std::span(points).first(told), ", "),
                                   told < points.size() ? fmt::format(" and {} more", points.size() - told) : ""));
    }
}

void add_swap(std::vector<std::string>& uses, const Device& device, const SystemFiles& files) {
    std::ifstream table(files.proc + "/swaps");
    for (std::string line; std::getline(table, line);) {
        if (is_path_of(device, unescape(line.substr(0, line.find_first_of(" \t"))))) {
            uses.push_back(fmt::format("{} is used as swap", device.subject));
        }
    }
}

void add_uses(std::vector<std::string>& uses, const Device& device, const SystemFiles& files) {
    add_mounts(uses, device, files);
    add_swap(uses, device, files);
    const std::vector<std::string> holders = names_in(device.folder / "holders");
    if (!holders.empty()) {
        uses.push_back(fmt::format("{} is part of {}", device.subject, fmt::join(holders, ", ")));
    }
}

bool has_mbr(std::string_view begin) {
    constexpr size_t signature = 510;
    constexpr size_t first_entry = 446;
    constexpr size_t entry_size = 16;
    if (begin.size() < signature + 2 || begin.substr(signature, 2) != "\x55\xaa") {
        return false;
    }
    bool any = false;
    for (size_t i = 0; i < 4; i++) {
        const std::string_view entry = begin.substr(first_entry + i * entry_size, entry_size);
        // Boot sectors of file systems have the signature as well, but code here.
        if (entry[0] != '\0' && entry[0] != '\x80') {
            return false;
        }
        const bool has_type = entry[4] != '\0';
        const bool has_sectors = entry.substr(12) != std::string_view("\0\0\0\0", 4);
        any = any || (has_type && has_sectors);
    }
    return any;
}

bool has_table_on(int fd) {
    char begin[8192];
    const ssize_t length = pread(fd, begin, sizeof begin, 0);
    return length > 0 && has_partition_table({begin, static_cast<size_t>(length)});
}

} // namespace

DeviceUses device_uses(dev_t number, const SystemFiles& files) {
    const std::string text = fmt::format("{}:{}", major(number), minor(number));
    std::error_code error;
    const fs::path link = fs::path(files.sys) / "dev/block" / text;
    const fs::path found = fs::canonical(link, error);
    const bool is_known = !error;
    // Without sysfs names of its files must not come to mean files of the current folder.
    const fs::path folder = is_known ? found : link;
    DeviceUses uses;
    add_uses(uses.clauses, make_device("it", text, folder), files);
    std::vector<std::string> partitions;
    for (const std::string& name : is_known ? names_in(folder) : std::vector<std::string>()) {
        if (fs::exists(folder / name / "partition", error)) {
            partitions.push_back(name);
            add_uses(uses.clauses, make_device(name, first_line(folder / name / "dev"), folder / name), files);
        }
    }
    uses.has_partitions = !partitions.empty();
    if (uses.has_partitions) {
        uses.clauses.push_back(
            fmt::format("it has the partition{} {}", partitions.size() == 1 ? "" : "s", fmt::join(partitions, ", ")));
    }
    return uses;
}

bool has_partition_table(std::string_view begin) {
    const auto has_header = [&](size_t block) { return begin.size() > block && begin.substr(block).starts_with("EFI PART"); };
    return has_mbr(begin) || has_header(512) || has_header(4096);
}

std::vector<std::string> path_uses(const std::string& path) {
    struct stat st{};
    if (stat(path.c_str(), &st) != 0 || !S_ISBLK(st.st_mode)) {
        return {};
    }
    DeviceUses uses = device_uses(st.st_rdev);
    constexpr int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
    FileDescriptor device(open(path.c_str(), flags | O_EXCL));
    if (!device.valid() && errno == EBUSY) {
        // Not all who have it so are in those files.
        if (uses.clauses.empty()) {
            uses.clauses.emplace_back("the kernel or another program has it exclusively");
        }
        device = FileDescriptor(open(path.c_str(), flags));
    }
    if (device.valid() && !uses.has_partitions && has_table_on(device.get())) {
        uses.clauses.emplace_back("it has a partition table");
    }
    return uses.clauses;
}

} // namespace zoneio
