// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/host/device_use.h"

#include "block/base/file_descriptor.h"
#include "block/host/device_content.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <optional>
#include <span>
#include <sstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace zoneio {

namespace {

namespace fs = std::filesystem;

/// Most mount points listed; containers have some dozen.
constexpr size_t most_mounts = 3;

/// The device in question, or one of its partitions.
struct Device {
    std::string subject;            ///< word for it in clauses: `it`, `sda1`
    std::string number;             ///< `8:1`
    fs::path folder;                ///< folder in sysfs
    std::vector<std::string> paths; ///< `/dev/sda1`
};

/// Sorted names in a folder; empty if it cannot be read.
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

/// Decodes `\040` and other escapes that proc(5) uses for spaces and the like.
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

std::string number_text(dev_t number) {
    return fmt::format("{}:{}", major(number), minor(number));
}

Device make_device(std::string subject, std::string number, const fs::path& folder) {
    std::string name = folder.filename();
    // sysfs writes the `/` of cciss/c0d0 as `!`.
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
        // The type and the source follow the dash. Some file systems have their own device numbers; for them, only the
        // source names the device.
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

/// A loop device and its file or device.
struct Loop {
    std::string name;    ///< `loop3`
    fs::path folder;     ///< in sysfs
    std::string backing; ///< name of its file or device when it was attached
    std::optional<struct stat> backing_file; ///< empty if no file has that name now
};

std::vector<Loop> all_loops(const SystemFiles& files) {
    std::vector<Loop> loops;
    const fs::path folder = fs::path(files.sys) / "block";
    for (const std::string& name : names_in(folder)) {
        std::string backing = name.starts_with("loop") ? first_line(folder / name / "loop/backing_file") : "";
        if (!backing.empty()) {
            struct stat st{};
            const bool is_there = stat(backing.c_str(), &st) == 0;
            loops.push_back({name, folder / name, std::move(backing), is_there ? std::optional(st) : std::nullopt});
        }
    }
    return loops;
}

bool is_same_file(const struct stat& a, const struct stat& b) {
    return S_ISBLK(a.st_mode) ? S_ISBLK(b.st_mode) && a.st_rdev == b.st_rdev : a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// True if two loop devices have the same file or device. Files that were removed are compared by name.
bool is_same_backing(const Loop& a, const Loop& b) {
    return a.backing_file && b.backing_file ? is_same_file(*a.backing_file, *b.backing_file)
                                            : !a.backing_file && !b.backing_file && a.backing == b.backing;
}

void add_uses(std::vector<std::string>& uses, const Device& device, const SystemFiles& files) {
    add_mounts(uses, device, files);
    add_swap(uses, device, files);
    const std::vector<std::string> holders = names_in(device.folder / "holders");
    if (!holders.empty()) {
        uses.push_back(fmt::format("{} is part of {}", device.subject, fmt::join(holders, ", ")));
    }
}

std::vector<Device> partitions_of(const fs::path& folder) {
    std::vector<Device> partitions;
    std::error_code error;
    for (const std::string& name : names_in(folder)) {
        if (fs::exists(folder / name / "partition", error)) {
            partitions.push_back(make_device(name, first_line(folder / name / "dev"), folder / name));
        }
    }
    return partitions;
}

void add_loop(std::vector<std::string>& uses, const Loop& loop, std::string_view of_what, const SystemFiles& files) {
    uses.push_back(fmt::format("{} is made of {}", loop.name, of_what));
    add_uses(uses, make_device(loop.name, first_line(loop.folder / "dev"), loop.folder), files);
    for (const Device& partition : partitions_of(loop.folder)) {
        add_uses(uses, partition, files);
    }
}

/// Adds the loop devices that use a device.
void add_loops(std::vector<std::string>& uses, const Device& device, const SystemFiles& files) {
    for (const Loop& loop : all_loops(files)) {
        const bool is_made_of_it =
            loop.backing_file && S_ISBLK(loop.backing_file->st_mode) && number_text(loop.backing_file->st_rdev) == device.number;
        if (is_made_of_it) {
            add_loop(uses, loop, device.subject, files);
        }
    }
}

/// For a loop device: adds other loop devices with the same file or device, and other users of that device.
void add_uses_of_backing(std::vector<std::string>& uses, const Device& device, const SystemFiles& files) {
    const std::vector<Loop> loops = all_loops(files);
    const auto own = std::find_if(loops.begin(), loops.end(),
                                  [&](const Loop& loop) { return first_line(loop.folder / "dev") == device.number; });
    if (own == loops.end()) {
        return;
    }
    for (const Loop& loop : loops) {
        if (loop.name != own->name && is_same_backing(loop, *own)) {
            add_loop(uses, loop, fmt::format("'{}', too", own->backing), files);
        }
    }
    if (own->backing_file && S_ISBLK(own->backing_file->st_mode)) {
        const std::string number = number_text(own->backing_file->st_rdev);
        std::error_code error;
        const fs::path folder = fs::canonical(fs::path(files.sys) / "dev/block" / number, error);
        if (!error) {
            add_uses(uses, make_device(folder.filename(), number, folder), files);
        }
    }
}

} // namespace

DeviceUses device_uses(dev_t number, const SystemFiles& files) {
    const std::string text = number_text(number);
    std::error_code error;
    const fs::path link = fs::path(files.sys) / "dev/block" / text;
    const fs::path found = fs::canonical(link, error);
    const bool is_known = !error;
    // Without sysfs, an empty path would name files of the current folder.
    const fs::path folder = is_known ? found : link;
    DeviceUses uses;
    const Device device = make_device("it", text, folder);
    add_uses(uses.clauses, device, files);
    add_loops(uses.clauses, device, files);
    add_uses_of_backing(uses.clauses, device, files);
    std::vector<std::string> partitions;
    for (const Device& partition : is_known ? partitions_of(folder) : std::vector<Device>()) {
        partitions.push_back(partition.subject);
        add_uses(uses.clauses, partition, files);
        add_loops(uses.clauses, partition, files);
    }
    uses.has_partitions = !partitions.empty();
    if (uses.has_partitions) {
        uses.clauses.push_back(
            fmt::format("it has the partition{} {}", partitions.size() == 1 ? "" : "s", fmt::join(partitions, ", ")));
    }
    return uses;
}

std::vector<std::string> file_uses(const struct stat& file, const SystemFiles& files) {
    std::vector<std::string> uses;
    for (const Loop& loop : all_loops(files)) {
        if (loop.backing_file && is_same_file(*loop.backing_file, file)) {
            add_loop(uses, loop, "it", files);
        }
    }
    return uses;
}

std::vector<std::string> path_uses(const std::string& path) {
    struct stat st{};
    if (stat(path.c_str(), &st) != 0 || !(S_ISBLK(st.st_mode) || S_ISREG(st.st_mode))) {
        return {};
    }
    if (S_ISREG(st.st_mode)) {
        return file_uses(st);
    }
    DeviceUses uses = device_uses(st.st_rdev);
    constexpr int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
    FileDescriptor device(open(path.c_str(), flags | O_EXCL));
    if (!device.valid() && errno == EBUSY) {
        // These files do not list every exclusive user.
        if (uses.clauses.empty()) {
            uses.clauses.emplace_back("the kernel or another program has it exclusively");
        }
        device = FileDescriptor(open(path.c_str(), flags));
    }
    if (!device.valid()) {
        return uses.clauses;
    }
    const DeviceContent content = device_content(device.get());
    // A user of the device is more important than its content.
    if (uses.clauses.empty()) {
        uses.clauses = content.clauses;
    }
    if (content.has_partition_table && !uses.has_partitions) {
        uses.clauses.emplace_back("it has a partition table");
    }
    return uses.clauses;
}

} // namespace zoneio
