// SPDX-License-Identifier: GPL-3.0-or-later
//
// Why an image could not be opened. The texts that causes are known by are those that opening gives, see drivers.md.
#include "block/chain/named_file.h"
#include "block/host/device_use.h"
#include "block/node/driver.h"
#include "commands/text/nearest.h"
#include "commands/why/process_files.h"
#include "commands/why/why.h"

#include <algorithm>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// The text between single quotes after `before` in the message of the error.
std::string quoted_after(const Evidence& evidence, std::string_view before) {
    const std::string text = evidence.failure().status.message();
    const size_t found = text.find(before);
    const size_t begin = found == std::string::npos ? found : text.find('\'', found);
    const size_t end = begin == std::string::npos ? begin : text.find('\'', begin + 1);
    return end == std::string::npos ? std::string() : text.substr(begin + 1, end - begin - 1);
}

/// The file that could not be opened: the one that the message names, else the one that was asked for.
std::string file_of(const Evidence& evidence) {
    for (const char* const before : {"Could not open", "Could not create"}) {
        if (std::string name = quoted_after(evidence, before); !name.empty()) {
            return name;
        }
    }
    const std::string text = evidence.failure().status.message();
    constexpr std::string_view lock = "using the image [";
    if (const size_t found = text.find(lock); found != std::string::npos) {
        const size_t begin = found + lock.size();
        return text.substr(begin, text.rfind(']') - begin);
    }
    const std::string& word = evidence.failure().word;
    const Result<NamedFile> file = named_file(word);
    return file.ok() ? file->filename : word;
}

std::string folder_of(const std::string& file) {
    const size_t slash = file.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : file.substr(0, slash);
}

bool is_open(Evidence& evidence) {
    return evidence.is(FailureKind::open);
}

template <int Errno>
bool is_open_errno(Evidence& evidence) {
    return is_open(evidence) && evidence.code() == Errno;
}

Explanation explain_missing(Evidence& evidence) {
    const std::string file = file_of(evidence);
    const std::string folder = folder_of(file);
    if (access(folder.c_str(), F_OK) != 0) {
        return {fmt::format("there is no folder '{}', so '{}' cannot be in it", folder, file), {}, ""};
    }
    return {fmt::format("there is no file '{}'", file),
            {"A name without a slash is looked for in the current folder.", "'create' makes a raw image or, with -f zoned, a zoned "
                                                                            "device in a file."},
            fmt::format("create {} 64M", file)};
}

bool is_refused_by_permissions(Evidence& evidence) {
    return is_open(evidence) && (evidence.code() == EACCES || evidence.code() == EPERM);
}
Explanation explain_refused_by_permissions(Evidence& evidence) {
    const std::string file = file_of(evidence);
    Explanation explanation{fmt::format("you may not open '{}' that way", file), {}, ""};
    struct stat st{};
    if (stat(file.c_str(), &st) == 0) {
        explanation.more.push_back(fmt::format("It belongs to user {} and group {}, with mode {:04o}; you are user {}.", st.st_uid,
                                               st.st_gid, st.st_mode & 07777U, geteuid()));
    } else {
        explanation.more.push_back(fmt::format("A folder on the way to it cannot be entered: {}", folder_of(file)));
    }
    if (access(file.c_str(), R_OK) == 0) {
        explanation.more.emplace_back("You may read it.");
        explanation.repair = fmt::format("open -r {}", file);
    }
    return explanation;
}

Explanation explain_read_only_medium(Evidence& evidence) {
    const std::string file = file_of(evidence);
    return {fmt::format("'{}' is on a medium or file system that is read-only", file), {}, fmt::format("open -r {}", file)};
}

Explanation explain_folder(Evidence& evidence) {
    return {fmt::format("'{}' is a folder", file_of(evidence)), {"An image is a file or a device."}, ""};
}

bool is_locked(Evidence& evidence) {
    return evidence.says("Is another process using the image");
}
Explanation explain_locked(Evidence& evidence) {
    const std::string file = file_of(evidence);
    Explanation explanation{fmt::format("another program has '{}' open, and does not share it", file), {}, ""};
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
        explanation.more.emplace_back("Which one cannot be seen from here: it may be another user's, or on another machine.");
    }
    explanation.more.emplace_back("Programs of the QEMU family lock images, so that two do not write to one. To look at it all the same, "
                                  "read only and share:");
    explanation.repair = fmt::format("open -r -U {}", file);
    return explanation;
}

bool is_unknown_driver(Evidence& evidence) {
    return evidence.says("Unknown driver '") || evidence.says("Unknown protocol '");
}
Explanation explain_unknown_driver(Evidence& evidence) {
    const bool protocol = evidence.says("Unknown protocol '");
    const std::string word = quoted_after(evidence, "Unknown");
    std::vector<std::string_view> names;
    for (const DriverInfo& driver : driver_table()) {
        if (!protocol || driver.is_protocol) {
            names.push_back(driver.name);
        }
    }
    Explanation explanation{fmt::format("there is no {} '{}'", protocol ? "protocol" : "driver", word),
                            {choices_text("There are", word, names)},
                            ""};
    if (protocol) {
        explanation.more.emplace_back("What stands before a colon in a name is its protocol; a file whose name has one is ./NAME or "
                                      "file:NAME.");
    }
    return explanation;
}

bool is_unknown_option(Evidence& evidence) {
    return evidence.says("support the option '");
}
Explanation explain_unknown_option(Evidence& evidence) {
    const std::string driver = quoted_after(evidence, "Block ");
    const std::string word = quoted_after(evidence, "the option ");
    Explanation explanation{fmt::format("the driver {} has no option '{}'", driver, word), {}, ""};
    if (const DriverInfo* const info = find_driver(driver)) {
        const std::span<const std::string_view> keys = info->option_keys;
        explanation.more.push_back(keys.empty() ? "It has none of its own." : choices_text("It has", word, keys));
        explanation.more.emplace_back("Every driver has read-only, auto-read-only, force-share, cache.direct, cache.no-flush, discard, "
                                      "detect-zeroes and node-name; file.KEY is for the node below.");
    }
    return explanation;
}

bool is_bad_value(Evidence& evidence) {
    return is_open(evidence) && evidence.says("Parameter '") && evidence.says("' expects");
}
Explanation explain_bad_value(Evidence& evidence) {
    const std::string key = quoted_after(evidence, "Parameter ");
    Explanation explanation{fmt::format("the value of '{}' is not of the kind that it takes", key), {}, ""};
    if (evidence.says("'on' or 'off'")) {
        explanation.more.push_back(fmt::format("It is on or off: {}=on", key));
    } else if (evidence.says("non-negative number") || evidence.says("size")) {
        explanation.more.push_back(fmt::format("It is a size in bytes, with a suffix if need be (k M G T P E, powers of 1024): {}=64M", key));
    } else if (evidence.says("zone numbers")) {
        explanation.more.push_back(fmt::format("It is a list of zone numbers: {}=3:5-7", key));
    } else {
        explanation.more.push_back(fmt::format("It is a plain number: {}=4", key));
    }
    return explanation;
}

bool needs_direct(Evidence& evidence) {
    return is_open(evidence) && evidence.says("requires cache.direct=on");
}
Explanation explain_needs_direct(Evidence& evidence) {
    const bool zoned = evidence.says("zoned");
    return {zoned ? "a zoned device is written past the page cache only" : "this aio mode works past the page cache only",
            {zoned ? "The page cache would write back in any order, and zones want theirs. For reading only (-r) there is no such need."
                   : "The kernel's asynchronous I/O waits in the page cache otherwise."},
            fmt::format("open -n {}", evidence.failure().word)};
}

bool needs_size(Evidence& evidence) {
    return is_open(evidence) && evidence.says("needs the option 'size'");
}
Explanation explain_needs_size(Evidence& /*evidence*/) {
    return {"a new zoned device needs to know how large it is to be",
            {"A file that holds a device already needs no options; an empty file and memory do."},
            "open -o driver=zoned,size=64M,zone.size=4M"};
}

bool is_no_zoned_file(Evidence& evidence) {
    return is_open(evidence) && (evidence.says("holds no zoned device") || evidence.says("something else than a zoned device"));
}
Explanation explain_no_zoned_file(Evidence& evidence) {
    return {fmt::format("'{}' holds something else than an emulated zoned device, and stays as it is", file_of(evidence)),
            {"driver=zoned makes a device only of a file that is empty. A real zoned device is opened by its name alone."},
            "create -f zoned -o zone.size=4M NEW-FILE 64M"};
}

bool is_other_device(Evidence& evidence) {
    return is_open(evidence) && evidence.says("The file holds a zoned device with");
}
Explanation explain_other_device(Evidence& evidence) {
    return {"the file holds a zoned device with another shape than the options say",
            {evidence.failure().status.message(), "A device that is there already is opened without options."},
            fmt::format("open {}", evidence.failure().word)};
}

bool is_unsupported_format(Evidence& evidence) {
    return is_open(evidence) && evidence.says("Image format '");
}
Explanation explain_unsupported_format(Evidence& evidence) {
    return {fmt::format("the file is an image of the format {}, which zoneio does not read", quoted_after(evidence, "Image format ")),
            {"With driver=raw the bytes of the file itself are shown; writing them breaks the image for others."},
            fmt::format("open -r -o driver=raw {}", evidence.failure().word)};
}

Explanation explain_open(Evidence& evidence) {
    const Failure& failure = evidence.failure();
    Explanation explanation{failure.word.empty() ? "the image could not be opened" : fmt::format("'{}' could not be opened", failure.word),
                            {},
                            "help open"};
    const std::string text = failure.status.message();
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        explanation.more.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return explanation;
}

Explanation explain_guarded(Evidence& evidence) {
    const std::string file = quoted_after(evidence, "");
    Explanation explanation{fmt::format("you did not want '{}' to be opened for writing", file), {}, fmt::format("open -r {}", file)};
    if (const std::vector<std::string> uses = path_uses(file); !uses.empty()) {
        explanation.more.push_back(fmt::format("Writing to it may destroy data of others: {}.", fmt::join(uses, "; ")));
    }
    explanation.more.emplace_back("For reading only nobody is asked.");
    return explanation;
}

constexpr Cause causes[] = {
    {"image-locked", is_locked, explain_locked},
    {"unknown-driver", is_unknown_driver, explain_unknown_driver},
    {"unknown-option", is_unknown_option, explain_unknown_option},
    {"bad-option-value", is_bad_value, explain_bad_value},
    {"needs-direct", needs_direct, explain_needs_direct},
    {"needs-size", needs_size, explain_needs_size},
    {"no-zoned-file", is_no_zoned_file, explain_no_zoned_file},
    {"other-geometry", is_other_device, explain_other_device},
    {"unsupported-format", is_unsupported_format, explain_unsupported_format},
    {"no-such-file", is_open_errno<ENOENT>, explain_missing},
    {"device-in-use", is_open_errno<ECANCELED>, explain_guarded},
    {"access-denied", is_refused_by_permissions, explain_refused_by_permissions},
    {"read-only-medium", is_open_errno<EROFS>, explain_read_only_medium},
    {"is-a-folder", is_open_errno<EISDIR>, explain_folder},
    {"open-failed", is_open, explain_open},
};

} // namespace

std::span<const Cause> open_causes() {
    return causes;
}

} // namespace zoneio
