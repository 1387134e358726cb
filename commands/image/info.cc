// SPDX-License-Identifier: GPL-3.0-or-later
//
// Commands about the whole image: length, info, map, alloc, truncate, flush, discard.
#include "block/base/decimal.h"
#include "block/base/size.h"
#include "block/node/mode_words.h"
#include "commands/families.h"
#include "commands/long_work.h"
#include "commands/parse_options.h"
#include "commands/text/terminal.h"

#include <unistd.h>

namespace zoneio {

namespace {

struct LengthFact {
    uint64_t bytes;

    void text(Reporter& out) const {
        fmt::memory_buffer text;
        append_size(text, static_cast<double>(bytes));
        text.push_back('\n');
        out.write({text.data(), text.size()});
    }
    void json(JsonRecord& record) const { record.add("length", bytes); }
};

/// The format of the image. Text shows the protocol if there is no format, as qemu-io does.
struct FormatFact {
    std::string_view name;
    std::string_view protocol; ///< empty if there is a format

    void text(Reporter& out) const {
        out.print("format name: {}\n", name);
        if (!protocol.empty()) {
            out.print("format name: {}\n", protocol);
        }
    }
    void json(JsonRecord& record) const { record.add("format", name); }
};

struct DetailsFact {
    ImageDetails details;

    void text(Reporter& out) const {
        out.print("cluster size: {}\nvm state offset: {}\n", format_size(details.cluster_size),
                  format_size(details.vm_state_offset));
        if (!details.specific.empty()) {
            out.print("Format specific information:\n");
        }
        for (const auto& [key, value] : details.specific) {
            out.print("    {}: {}\n", key, value);
        }
    }
    void json(JsonRecord& record) const {
        record.add("cluster_size", details.cluster_size);
        record.add("vm_state_offset", details.vm_state_offset);
        record.begin_list("specific");
        for (const auto& [key, value] : details.specific) {
            record.begin_element();
            record.add("key", key);
            record.add("value", value);
            record.end();
        }
    }
};

Outcome run_length(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    const Result<uint64_t> length = session.backend().length();
    if (!length.ok()) {
        return session.out().fail(length.status(), "getlength: {}\n", length.status().message());
    }
    session.out().tell(LengthFact{*length});
    return Outcome::ok;
}

Outcome run_info(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    const DriverInfo& format = session.backend().format();
    const std::string_view protocol = format.other_protocols.empty() ? format.name : format.other_protocols.back();
    session.out().tell(FormatFact{format.name, format.is_protocol ? protocol : std::string_view()});
    Result<ImageDetails> details = session.backend().details();
    if (!details.ok()) {
        return session.out().fail_silently(details.status());
    }
    session.out().tell(DetailsFact{std::move(*details)});
    return Outcome::ok;
}

/// A range of the image that is allocated as a whole, or not at all.
struct Run {
    uint64_t bytes = 0;
    bool allocated = false;
};

struct ExtentFact {
    uint64_t offset;
    const Run& run;

    void text(Reporter& out) const {
        out.print("{} ({:#x}) bytes {} allocated at offset {} ({:#x})\n", format_size(run.bytes), run.bytes,
                  run.allocated ? "   " : "not", format_size(offset), offset);
    }
    void json(JsonRecord& record) const {
        record.add("offset", offset);
        record.add("bytes", run.bytes);
        record.add("allocated", run.allocated);
    }
};

/// Allocated bytes in a range.
struct AllocationFact {
    uint64_t offset;
    uint64_t bytes;
    uint64_t allocated;

    void text(Reporter& out) const { out.print("{}/{} bytes allocated at offset {}\n", allocated, bytes, format_size(offset)); }
    void json(JsonRecord& record) const {
        record.add("offset", offset);
        record.add("bytes", bytes);
        record.add("allocated", allocated);
    }
};

/// The run that starts at `offset`. REQUIRES: `offset` < `end`.
Result<Run> run_at(BlockBackend& backend, uint64_t offset, uint64_t end) {
    Run run;
    while (offset + run.bytes < end) {
        const uint64_t position = offset + run.bytes;
        const BlockExtent extent = TRY(backend.block_status(position, end - position, false));
        if (extent.bytes == 0 || (run.bytes > 0 && extent.allocated() != run.allocated)) {
            break;
        }
        run.allocated = extent.allocated();
        run.bytes += extent.bytes;
    }
    return run;
}

Outcome run_map(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    const Result<uint64_t> length = session.backend().length();
    if (!length.ok()) {
        return session.out().error(length.status(), "Failed to query image length: " + length.status().message());
    }
    session.out().begin_list("extents");
    for (uint64_t offset = 0; offset < *length;) {
        const Result<Run> run = run_at(session.backend(), offset, *length);
        if (!run.ok()) {
            return session.out().error(run.status(), "Failed to get allocation status: " + run.status().message());
        }
        if (run->bytes == 0) {
            return session.out().error(Status::from_errno(EIO), "Unexpected end of image");
        }
        session.out().tell_element(ExtentFact{offset, *run});
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
        return session.out().fail(length.status(), "getlength: {}\n", length.status().message());
    }
    const auto begin = static_cast<uint64_t>(*start);
    const uint64_t room = begin < *length ? *length - begin : 0;
    uint64_t count = std::min(static_cast<uint64_t>(*asked), room);
    uint64_t allocated = 0;
    for (uint64_t done = 0; done < count;) {
        const Result<Run> run = run_at(session.backend(), begin + done, begin + count);
        if (!run.ok()) {
            return session.out().fail(run.status(), "is_allocated failed: {}\n", run.status().message());
        }
        allocated += run->allocated ? run->bytes : 0;
        done += run->bytes;
        // The node below may end earlier, because lengths are rounded up to sectors.
        count = run->bytes == 0 ? done : count;
    }
    session.out().tell(AllocationFact{begin, count, allocated});
    return Outcome::ok;
}

struct TruncateOptions {
    PreallocMode mode = PreallocMode::off;
};

OptionStep take_mode(const GivenOption& given, TruncateOptions& parsed) {
    if (parse_enum(prealloc_mode_words, given.word, parsed.mode).ok()) {
        return OptionStep::next;
    }
    given.session.out().error(fmt::format("Invalid preallocation mode '{}'", given.word));
    return OptionStep::failed;
}

constexpr OptionRow<TruncateOptions> truncate_options[] = {
    {{.letter = 'm', .argument = "PREALLOC_MODE", .help = "make the added range a hole (off), reserve it (falloc) or write it (full)",
      .fallback = "off", .word = Word::prealloc_mode},
     take_mode},
};

Outcome run_truncate(Session& session, const Command& command, CommandLine line) {
    const std::optional<TruncateOptions> options = parse_options(session, command, line, truncate_options);
    if (!options) {
        return Outcome::failed;
    }
    // As in qemu-io, the message names the first word after the command, even if it is an option.
    const std::optional<int64_t> size = parse_size_argument(session, line.argv[optind], line.argv[1]);
    if (!size) {
        return Outcome::failed;
    }
    const Status status = session.backend().execute(Request::truncate(static_cast<uint64_t>(*size), options->mode));
    if (!status.ok()) {
        return session.out().error(status);
    }
    if (!session.exports().empty()) {
        session.out().warning(fmt::format("{}: the image is served as '{}': that disk keeps the size that its user has read", command.name,
                                          session.exports().all().front()->options().name));
    }
    return Outcome::ok;
}

Outcome run_flush(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    const Status status = session.backend().execute(Request::flush());
    if (status.ok()) {
        return Outcome::ok;
    }
    return session.out().fail_silently(status);
}

struct DiscardOptions {
    bool for_machines = false; // -C
    bool quiet = false;        // -q
};

constexpr OptionRow<DiscardOptions> discard_options[] = {
    {{.letter = 'C', .help = "report in one line: bytes,operations,time,bytes/s,operations/s"}, set_flag<&DiscardOptions::for_machines>},
    {{.letter = 'q', .help = "do not report"}, set_flag<&DiscardOptions::quiet>},
};

/// At a terminal only.
void note_zones(Session& session) {
    if (session.backend().limits().zoned == ZonedModel::none || session.out().is_json() || isatty(STDOUT_FILENO) == 0) {
        return;
    }
    session.out().print("{}\n", dimmed(STDOUT_FILENO, "on a zoned device, discard changes nothing; zone_reset empties a zone"));
}

Outcome run_discard(Session& session, const Command& command, const DiscardOptions& options, std::span<char*> operands) {
    const std::optional<RangeArgument> asked = parse_range_operands(session, command, operands);
    if (!asked) {
        return Outcome::failed;
    }
    const auto [begin, bytes] = *asked;
    if (!check_request_length(session, bytes, operands[1])) {
        return Outcome::failed;
    }
    const auto start = std::chrono::steady_clock::now();
    const Status status = session.backend().execute(Request::discard(begin, bytes));
    const auto elapsed = std::chrono::steady_clock::now() - start;
    if (!status.ok()) {
        if (was_interrupted(status)) {
            return long_command_failed(session, command, status);
        }
        return session.out().fail(status, "discard failed: {}\n", status.message());
    }
    if (!options.quiet) {
        session.out().request({"discard", begin, bytes, elapsed}, options.for_machines);
        note_zones(session);
    }
    return Outcome::ok;
}

} // namespace

constexpr Command image_commands[] = {
    {.name = "alloc", .altname = "a", .run = run_alloc,
     .argmin = 1, .argmax = 2, .needs_image = true,
     .args = "offset [count]",
     .oneline = "count the allocated bytes of a range",
     .help =
         "Reports how many of count bytes (default: 512) at offset are allocated. In a raw image all bytes are, because no\n"
         "backing file shows through its holes. In an image opened with -s, the bytes written since then are.\n"
         "\n"
         "Example: alloc 0 64k\n",
     .words = range_words},
    {.name = "discard", .altname = "d", .run = with_options<discard_options, run_discard>,
     .argmin = 2, .argmax = -1, .needs_image = true, .waits_for_aio = true, .permissions = Permissions::write,
     .args = "[-Cq] off len",
     .oneline = "discard a range of the image",
     .help =
         "Discards len bytes at offset off: punches a hole into a file, or allows a device to forget the data.\n"
         "If discards are off (-d ignore, discard=ignore), succeeds without doing anything.\n"
         "\n"
         "Example: discard 0 64k\n",
     .options = option_table<discard_options>(), .words = range_words},
    {.name = "flush", .altname = "f", .run = run_flush,
     .needs_image = true, .waits_for_aio = true,
     .oneline = "force all written data to the medium"},
    {.name = "info", .altname = "i", .run = run_info,
     .needs_image = true,
     .oneline = "show the format of the image"},
    {.name = "length", .altname = "l", .run = run_length,
     .needs_image = true,
     .oneline = "show the length of the image"},
    {.name = "map", .run = run_map,
     .needs_image = true,
     .args = "",
     .oneline = "list the allocated ranges of the image",
     .help = "Lists the ranges of allocated and unallocated bytes, as alloc counts them.\n"},
    {.name = "truncate", .altname = "t", .run = run_truncate,
     .argmin = 1, .argmax = 3, .needs_image = true, .waits_for_aio = true,
     .permissions = Permissions::write | Permissions::resize,
     .args = "[-m prealloc_mode] off",
     .oneline = "change the length of the image",
     .help =
         "Makes the image off bytes long. Data after off is lost; an added range reads as zeros.\n"
         "\n"
         "Example: truncate -m falloc 1G\n",
     .options = option_table<truncate_options>(), .words = {Word::length}},
};

} // namespace zoneio
