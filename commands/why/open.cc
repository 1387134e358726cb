// SPDX-License-Identifier: GPL-3.0-or-later
//
// Causes of failures to open an image.
#include "block/host/device_use.h"
#include "block/node/driver.h"
#include "commands/text/nearest.h"
#include "commands/text/wrapping.h"
#include "commands/why/why.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fmt/ranges.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

namespace {

std::string folder_of(const std::string& file) {
    const size_t slash = file.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : file.substr(0, slash);
}

/// True if a command would take this name as one word, and as a name.
bool is_plain_word(const std::string& name) {
    const auto is_plain = [](unsigned char c) { return c > ' ' && c != 0x7F; };
    return !name.empty() && name.front() != '-' && name.front() != '#' && std::all_of(name.begin(), name.end(), is_plain);
}

/// `open OPTIONS NAME`, or nothing if that would fail. Tries it: opens the image read-only and closes it.
std::string open_command(std::string_view options, const std::string& name, NodeFlags flags, const std::string& driver = {}) {
    struct stat st{};
    if (!is_plain_word(name) || (stat(name.c_str(), &st) == 0 && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))) {
        return {};
    }
    ImageSpec spec;
    spec.filename = name;
    spec.flags = flags;
    spec.flags.read_only = true;
    if (!driver.empty()) {
        spec.options.set("driver", driver);
    }
    if (flags.force_share) {
        spec.options.set("force-share", true);
    }
    std::vector<Notice> notices;
    const bool opens = BlockBackend::open(std::move(spec), true, notices).ok();
    return opens ? fmt::format("open{}{} {}", options.empty() ? "" : " ", options, name) : "";
}

template <int... Errno>
bool is_open_errno(Evidence& evidence) {
    return evidence.is(FailureKind::open) && ((evidence.code() == Errno) || ...);
}

template <Cause... causes>
bool open_arose_from(Evidence& evidence) {
    return evidence.is(FailureKind::open) && arose_from<causes...>(evidence);
}

/// True if `create` could make the file. `create` interprets the name of a protocol at the start.
bool can_be_created(const std::string& file) {
    struct stat st{};
    const bool is_free = lstat(file.c_str(), &st) != 0 && errno == ENOENT;
    return is_free && is_plain_word(file) && !file.ends_with('/') && access(folder_of(file).c_str(), W_OK | X_OK) == 0;
}

/// A file in the same folder with nearly this name; empty if there is none, or more than one.
std::string near_file(const std::string& file) {
    constexpr size_t most_files = 10000;
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator entry(folder_of(file), error), end; !error && entry != end && names.size() < most_files;
         entry.increment(error)) {
        names.push_back(entry->path().filename());
    }
    const std::vector<std::string_view> views(names.begin(), names.end());
    const size_t name = file.rfind('/') == std::string::npos ? 0 : file.rfind('/') + 1;
    const std::vector<std::string_view> nearest = nearest_words(std::string_view(file).substr(name), views);
    return nearest.size() == 1 ? file.substr(0, name) + std::string(nearest.front()) : std::string();
}

Explanation explain_missing(Evidence& evidence) {
    const std::string file = evidence.name();
    const std::string folder = folder_of(file);
    if (access(folder.c_str(), F_OK) != 0) {
        return {fmt::format("the folder '{}' of '{}' does not exist", folder, file)};
    }
    Explanation explanation{fmt::format("the file '{}' does not exist", file),
                            {"A name without a slash is a file in the working directory.",
                             "'create' makes a raw image or, with -f zoned, an emulated zoned device."},
                            can_be_created(file) ? fmt::format("create {} 64M", file) : ""};
    if (const std::string near = near_file(file); !near.empty()) {
        explanation.more.insert(explanation.more.begin(), fmt::format("{}'{}'?", guess, near));
    }
    return explanation;
}

Explanation explain_refused_by_permissions(Evidence& evidence) {
    const std::string file = evidence.name();
    Explanation explanation{fmt::format("you have no permission to open '{}' this way", file)};
    struct stat st{};
    if (stat(file.c_str(), &st) == 0) {
        explanation.more.push_back(fmt::format("Its owner is user {}, its group {}, its mode {:04o}; you are user {}.", st.st_uid,
                                               st.st_gid, st.st_mode & 07777U, geteuid()));
    } else {
        explanation.more.push_back(fmt::format("A folder in its path cannot be entered: {}", folder_of(file)));
    }
    if (access(file.c_str(), R_OK) == 0) {
        explanation.more.emplace_back("You may read it.");
        explanation.repair = open_command("-r", file, {});
    }
    return explanation;
}

Explanation explain_read_only_medium(Evidence& evidence) {
    const std::string file = evidence.name();
    return {fmt::format("'{}' is on a read-only medium or file system", file), {}, open_command("-r", file, {})};
}

Explanation explain_folder(Evidence& evidence) {
    return {fmt::format("'{}' is a folder", evidence.name()), {"An image is a file or a device."}};
}

bool has_open(const std::filesystem::path& process, const struct stat& wanted) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(process / "fd", error), end; !error && entry != end; entry.increment(error)) {
        struct stat st{};
        if (stat(entry->path().c_str(), &st) == 0 && st.st_dev == wanted.st_dev && st.st_ino == wanted.st_ino) {
            return true;
        }
    }
    return false;
}

struct ProcessName {
    long id;
    std::string name; ///< the kernel's name, at most 15 characters
};

/// Other processes that have a file open, as far as /proc shows them; only root sees those of other users. The kernel
/// does not tell who holds an open file description lock, so this is the best approximation.
std::vector<ProcessName> processes_with(const std::string& filename) {
    std::vector<ProcessName> found;
    struct stat wanted{};
    if (stat(filename.c_str(), &wanted) != 0) {
        return found;
    }
    std::error_code error;
    for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
        const long id = strtol(entry->path().filename().c_str(), nullptr, 10);
        if (id <= 0 || id == getpid() || !has_open(entry->path(), wanted)) {
            continue;
        }
        ProcessName process{id, ""};
        std::getline(std::ifstream(entry->path() / "comm"), process.name);
        found.push_back(std::move(process));
    }
    std::sort(found.begin(), found.end(), [](const ProcessName& a, const ProcessName& b) { return a.id < b.id; });
    return found;
}

Explanation explain_locked(Evidence& evidence) {
    const std::string file = evidence.name();
    Explanation explanation{fmt::format("another program has '{}' open and does not share it", file)};
    const std::vector<ProcessName> users = processes_with(file);
    const bool shows_ids = !evidence.session().out().is_deterministic();
    for (const ProcessName& user : users) {
        explanation.more.push_back(
            fmt::format("It is open in {} (process {}).", user.name, shows_ids ? fmt::to_string(user.id) : "XXX"));
    }
    if (!shows_ids) {
        std::sort(explanation.more.begin(), explanation.more.end());
    }
    if (users.empty()) {
        explanation.more.emplace_back("The program is not visible from here: it may belong to another user or run on another machine.");
    }
    explanation.more.emplace_back("Programs of the QEMU family lock images, so that two do not write to one. Reading it nevertheless requires "
                                  "read-only access and sharing:");
    explanation.repair = open_command("-r -U", file, {.read_only = true, .force_share = true});
    return explanation;
}

Explanation explain_unknown_driver(Evidence& evidence) {
    const bool protocol = evidence.is(Cause::unknown_protocol);
    const std::string& word = evidence.facts().name;
    std::vector<std::string_view> names;
    for (const DriverInfo& driver : driver_table()) {
        if (!protocol || driver.is_protocol) {
            names.push_back(driver.name);
        }
    }
    Explanation explanation{fmt::format("unknown {} '{}'", protocol ? "protocol" : "driver", word),
                            {choices_text(protocol ? "Protocols:" : "Drivers:", word, names)}};
    if (protocol) {
        explanation.more.emplace_back("The text before a colon in a name is its protocol. Write ./NAME or file:NAME for a file whose name has a "
                                      "colon.");
    }
    return explanation;
}

Explanation explain_unknown_option(Evidence& evidence) {
    const std::string& driver = evidence.facts().owner;
    const std::string& word = evidence.facts().name;
    Explanation explanation{fmt::format("the driver {} has no option '{}'", driver, word)};
    if (const DriverInfo* const info = find_driver(driver)) {
        const std::span<const std::string_view> keys = info->option_keys;
        explanation.more.push_back(keys.empty() ? "It has no options of its own." : choices_text("Its options:", word, keys));
        explanation.more.emplace_back("Every driver has read-only, auto-read-only, force-share, cache.direct, cache.no-flush, discard, "
                                      "detect-zeroes and node-name. file.KEY is an option of the node below.");
    }
    return explanation;
}

std::string kind_text(ValueKind kind, const std::string& key) {
    switch (kind) {
    case ValueKind::on_off: return fmt::format("It must be on or off: {}=on", key);
    case ValueKind::size:
        return fmt::format("It must be a size in bytes, perhaps with a suffix (k M G T P E, powers of 1024): {}=64M", key);
    case ValueKind::zone_numbers: return fmt::format("It must be a list of zone numbers: {}=3:5-7", key);
    case ValueKind::identifier: return fmt::format("It must be a name that starts with a letter: {}=disk0", key);
    case ValueKind::number:
    case ValueKind::text: break;
    }
    return fmt::format("It must be a number: {}=4", key);
}
Explanation explain_bad_value(Evidence& evidence) {
    const std::string& key = evidence.facts().name;
    return {fmt::format("wrong kind of value for '{}'", key), {kind_text(evidence.facts().expected, key)}};
}

Explanation explain_needs_direct(Evidence& evidence) {
    const bool zoned = evidence.is(Cause::zones_need_direct);
    return {zoned ? "writing a zoned device requires O_DIRECT" : "this aio mode requires O_DIRECT",
            {zoned ? "The page cache would write back in any order, but zones must be written in order. Reading (-r) works either way."
                   : "Without it, the kernel's asynchronous I/O blocks in the page cache."},
            open_command("-n", evidence.failure().word, {.direct = true})};
}

Explanation explain_needs_io_uring(Evidence& evidence) {
    return {"this system does not let the program use io_uring",
            {"The administrator may have disabled it (sysctl kernel.io_uring_disabled), or a container may not allow it."},
            open_command("-i threads", evidence.failure().word, {})};
}

Explanation explain_needs_size(Evidence& /*evidence*/) {
    return {"a new zoned device requires the option size",
            {"A file that already holds a device requires no options."},
            "open -o driver=zoned,size=64M,zone.size=4M"};
}

Explanation explain_no_zoned_file(Evidence& evidence) {
    return {fmt::format("'{}' has other content than an emulated zoned device and was not changed", evidence.name()),
            {"driver=zoned makes a device only in an empty file. Open a real zoned device by its name alone.",
             "'create -f zoned -o zone.size=4M NEW-FILE 64M' creates a new device."}};
}

Explanation explain_other_device(Evidence& evidence) {
    return {"the options do not match the zoned device in the file",
            {evidence.failure().status.message(), "Open an existing device without options."},
            open_command("", evidence.failure().word, {})};
}

Explanation explain_unsupported_format(Evidence& evidence) {
    return {fmt::format("the file is an image of the format {}, which zoneio does not support", evidence.facts().name),
            {"driver=raw opens the bytes of the file itself. Writing them destroys the image."},
            open_command("-r -o driver=raw", evidence.failure().word, {}, "raw")};
}

Explanation explain_overlay(Evidence& evidence) {
    if (evidence.is(Cause::overlay_unnamed)) {
        return {"the temporary overlay (-s) cannot be opened a second time",
                {"Its file has no name any more, so that its space is freed at close.", "'reopen' can change other settings."}};
    }
    return {fmt::format("cannot create the file of the temporary overlay (-s) in '{}'", folder_of(evidence.facts().name)),
            {Status::from_errno(evidence.code()).message(), "Set the environment variable TMPDIR to use another folder."}};
}

Explanation explain_open(Evidence& evidence) {
    const Failure& failure = evidence.failure();
    return {failure.word.empty() ? "cannot open the image" : fmt::format("cannot open '{}'", failure.word),
            lines_of(failure.status.message()),
            "help open"};
}

Explanation explain_guarded(Evidence& evidence) {
    const std::string file = evidence.name();
    const bool was_asked = evidence.code() == ECANCELED;
    Explanation explanation{was_asked ? fmt::format("you declined to open '{}' for writing", file)
                                      : fmt::format("--guard=refuse keeps '{}' from being opened for writing", file),
                            {}, open_command("-r", file, {})};
    if (const std::vector<std::string> uses = path_uses(file); !uses.empty()) {
        explanation.more.push_back(fmt::format("Writing to it may destroy data: {}.", fmt::join(uses, "; ")));
    }
    explanation.more.emplace_back("Opening it read-only asks no question.");
    return explanation;
}

constexpr CauseRow open_table[] = {
    {"image-locked", arose_from<Cause::image_locked>, explain_locked},
    {"unknown-driver", arose_from<Cause::unknown_driver, Cause::unknown_protocol>, explain_unknown_driver},
    {"unknown-option", arose_from<Cause::unknown_option>, explain_unknown_option},
    {"bad-option-value", open_arose_from<Cause::bad_option_value>, explain_bad_value},
    {"needs-direct", open_arose_from<Cause::zones_need_direct, Cause::aio_needs_direct>, explain_needs_direct},
    {"needs-io-uring", open_arose_from<Cause::no_io_uring>, explain_needs_io_uring},
    {"needs-size", open_arose_from<Cause::needs_size>, explain_needs_size},
    {"no-zoned-file", open_arose_from<Cause::no_zoned_file>, explain_no_zoned_file},
    {"other-geometry", open_arose_from<Cause::other_geometry>, explain_other_device},
    {"unsupported-format", open_arose_from<Cause::unsupported_format>, explain_unsupported_format},
    {"temporary-overlay", arose_from<Cause::overlay_unnamed, Cause::no_temporary_file>, explain_overlay},
    {"no-such-file", is_open_errno<ENOENT>, explain_missing},
    {"device-in-use", arose_from<Cause::write_declined>, explain_guarded},
    {"access-denied", is_open_errno<EACCES, EPERM>, explain_refused_by_permissions},
    {"read-only-medium", is_open_errno<EROFS>, explain_read_only_medium},
    {"is-a-folder", is_open_errno<EISDIR>, explain_folder},
    {"open-failed", is_kind<FailureKind::open>, explain_open},
};

} // namespace

std::span<const CauseRow> open_causes() {
    return open_table;
}

} // namespace zoneio
