// SPDX-License-Identifier: GPL-3.0-or-later
//
// Commands about the image as a whole: length, info, map, alloc, truncate, flush, discard.
#include "block/size.h"
#include "commands/arguments.h"
#include "commands/families.h"

#include <unistd.h>

namespace zoneio {

namespace {

std::string size_text(uint64_t bytes) {
    return format_size(static_cast<double>(bytes));
}

Outcome run_length(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    const Result<uint64_t> length = session.backend().length();
    if (!length.ok()) {
        session.out().print("getlength: {}\n", length.status().message());
        return Outcome::failed;
    }
    session.out().print("{}\n", size_text(*length));
    return Outcome::ok;
}

Outcome run_info(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    BlockNode& root = session.backend().root();
    session.out().print("format name: {}\n", root.info().name);
    if (root.info().is_protocol) {
        session.out().print("format name: {}\n", root.info().name);
    }
    if (!root.driver().info().ok()) {
        return Outcome::failed;
    }
    const ImageDetails details = root.driver().details();
    session.out().print("cluster size: {}\nvm state offset: {}\n", size_text(details.cluster_size),
                        size_text(details.vm_state_offset));
    if (!details.specific.empty()) {
        session.out().print("Format specific information:\n");
    }
    for (const auto& [key, value] : details.specific) {
        session.out().print("    {}: {}\n", key, value);
    }
    return Outcome::ok;
}

/// A run of the image that is allocated, or is not.
struct Run {
    uint64_t bytes = 0;
    bool allocated = false;
};

/// The run that begins at `offset`, which is before `end`.
Result<Run> run_at(BlockBackend& backend, uint64_t offset, uint64_t end) {
    Run run;
    while (offset + run.bytes < end) {
        const uint64_t position = offset + run.bytes;
        const Result<BlockExtent> extent = backend.block_status(position, end - position, false);
        if (!extent.ok()) {
            return extent.status();
        }
        if (extent->bytes == 0 || (run.bytes > 0 && extent->allocated() != run.allocated)) {
            break;
        }
        run.allocated = extent->allocated();
        run.bytes += extent->bytes;
    }
    return run;
}

Outcome run_map(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    const Result<uint64_t> length = session.backend().length();
    if (!length.ok()) {
        session.out().error("Failed to query image length: " + length.status().message());
        return Outcome::failed;
    }
    for (uint64_t offset = 0; offset < *length;) {
        const Result<Run> run = run_at(session.backend(), offset, *length);
        if (!run.ok()) {
            session.out().error("Failed to get allocation status: " + run.status().message());
            return Outcome::failed;
        }
        if (run->bytes == 0) {
            session.out().error("Unexpected end of image");
            return Outcome::failed;
        }
        session.out().print("{} ({:#x}) bytes {} allocated at offset {} ({:#x})\n", size_text(run->bytes), run->bytes,
                            run->allocated ? "   " : "not", size_text(offset), offset);
        offset += run->bytes;
    }
    return Outcome::ok;
}

Outcome run_alloc(Session& session, const Command& /*command*/, CommandLine line) {
    constexpr int64_t default_count = 512;
    const std::optional<int64_t> start = parse_offset(session, line.argv[1]);
    const std::optional<int64_t> asked =
        start && line.argc == 3 ? parse_length(session, line.argv[2], *start) : std::optional<int64_t>(default_count);
    if (!start || !asked) {
        return Outcome::failed;
    }
    const Result<uint64_t> length = session.backend().length();
    if (!length.ok()) {
        session.out().print("getlength: {}\n", length.status().message());
        return Outcome::failed;
    }
    const auto begin = static_cast<uint64_t>(*start);
    const uint64_t room = begin < *length ? *length - begin : 0;
    uint64_t count = std::min(static_cast<uint64_t>(*asked), room);
    uint64_t allocated = 0;
    for (uint64_t done = 0; done < count;) {
        const Result<Run> run = run_at(session.backend(), begin + done, begin + count);
        if (!run.ok()) {
            session.out().print("is_allocated failed: {}\n", run.status().message());
            return Outcome::failed;
        }
        allocated += run->allocated ? run->bytes : 0;
        done += run->bytes;
        // The node below may end before this one, which is measured in whole sectors.
        count = run->bytes == 0 ? done : count;
    }
    session.out().print("{}/{} bytes allocated at offset {}\n", allocated, count, size_text(begin));
    return Outcome::ok;
}

Outcome run_truncate(Session& session, const Command& command, CommandLine line) {
    static constexpr EnumWord<PreallocMode> words[] = {{"off", PreallocMode::off},
                                                       {"metadata", PreallocMode::metadata},
                                                       {"falloc", PreallocMode::falloc},
                                                       {"full", PreallocMode::full}};
    PreallocMode mode = PreallocMode::off;
    int c = 0;
    while ((c = getopt(line.argc, line.argv, command.options)) != -1) {
        if (c != 'm') {
            return usage_error(session, command);
        }
        if (!parse_enum(words, optarg, mode).ok()) {
            session.out().error(fmt::format("Invalid preallocation mode '{}'", optarg));
            return Outcome::failed;
        }
    }
    // The message names the first word after the command, whatever it is; scripts may know it so.
    const std::optional<int64_t> size = parse_size_argument(session, line.argv[optind], line.argv[1]);
    if (!size) {
        return Outcome::failed;
    }
    const Status status = session.backend().truncate(static_cast<uint64_t>(*size), mode);
    if (!status.ok()) {
        session.out().error(status.message());
        return Outcome::failed;
    }
    return Outcome::ok;
}

Outcome run_flush(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    // Silent in both cases: the exit status tells.
    return session.backend().flush().ok() ? Outcome::ok : Outcome::failed;
}

Outcome run_discard(Session& session, const Command& command, CommandLine line) {
    bool for_machines = false;
    bool quiet = false;
    int c = 0;
    while ((c = getopt(line.argc, line.argv, command.options)) != -1) {
        switch (c) {
        case 'C': for_machines = true; break;
        case 'q': quiet = true; break;
        default: return usage_error(session, command);
        }
    }
    const std::optional<RangeArgument> asked = parse_range_operands(session, command, line);
    if (!asked) {
        return Outcome::failed;
    }
    const auto begin = static_cast<uint64_t>(asked->offset);
    const auto bytes = static_cast<uint64_t>(asked->length);
    if (bytes > max_request_bytes) {
        session.out().print("length cannot exceed {}, given {}\n", max_request_bytes, line.operands()[1]);
        return Outcome::failed;
    }
    const auto start = std::chrono::steady_clock::now();
    const Status status = session.backend().discard(begin, bytes);
    const auto elapsed = std::chrono::steady_clock::now() - start;
    if (!status.ok()) {
        session.out().print("discard failed: {}\n", status.message());
        return Outcome::failed;
    }
    if (!quiet) {
        session.out().request({"discard", begin, bytes, elapsed}, for_machines);
    }
    return Outcome::ok;
}

constexpr Command commands[] = {
    {"alloc", "a", run_alloc, 1, 2, true, false, 0, "offset [count]", "counts the allocated bytes in a stretch of the image",
     "", nullptr},
    {"discard", "d", run_discard, 2, -1, true, true, Permissions::write, "[-Cq] off len", "discards a stretch of the image",
     "Lets go of LEN bytes at offset OFF: a file gets a hole there, a device is told that it may forget them.\n"
     "With discards off (-d ignore, discard=ignore) nothing happens, and that is no error.\n"
     "\n"
     "Example: discard 0 64k\n"
     "\n"
     "  -C           report in one line of numbers: bytes,ops,time,bytes/s,ops/s\n"
     "  -q           no report\n",
     "Cq"},
    {"flush", "f", run_flush, 0, 0, true, true, 0, nullptr, "brings everything written to the medium", "", nullptr},
    {"info", "i", run_info, 0, 0, true, false, 0, nullptr, "tells the format of the image", "", nullptr},
    {"length", "l", run_length, 0, 0, true, false, 0, nullptr, "tells the length of the image", "", nullptr},
    {"map", "", run_map, 0, 0, true, false, 0, "", "lists the allocated stretches of the image", "", nullptr},
    {"truncate", "t", run_truncate, 1, 3, true, true, Permissions::write | Permissions::resize, "[-m prealloc_mode] off",
     "changes the length of the image", "", "m:"},
};

} // namespace

std::span<const Command> image_commands() {
    return commands;
}

} // namespace zoneio
