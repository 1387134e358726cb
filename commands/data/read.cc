// SPDX-License-Identifier: GPL-3.0-or-later
//
// read and readv.
#include "commands/families.h"
#include "commands/long_work.h"
#include "commands/parse_options.h"
#include "commands/text/stopwatch.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unistd.h>

namespace zoneio {

namespace {

/// Size of the pieces of a verified read, in bytes.
constexpr uint64_t verify_step = 1U << 20;

struct ReadOptions {
    bool for_machines = false; // -C
    bool quiet = false;        // -q
    bool dump = false;         // -v
    bool vmstate = false;      // -b
    bool registered = false;   // -r
    std::optional<uint8_t> pattern;
    std::optional<int64_t> pattern_offset; // -s
    std::optional<int64_t> pattern_length; // -l
};

constexpr OptionRow<ReadOptions> read_options[] = {
    {{.letter = 'P', .argument = "PATTERN", .help = "compare the data with this byte (0 to 255); fail if it differs"},
     set_pattern<&ReadOptions::pattern>},
    {{.letter = 's', .argument = "OFF", .help = "with -P: start comparing this many bytes after off", .fallback = "0"},
     set_length<&ReadOptions::pattern_offset>},
    {{.letter = 'l', .argument = "LEN", .help = "with -P: compare this many bytes", .fallback = "all"},
     set_length<&ReadOptions::pattern_length>},
    {{.letter = 'v', .help = "show the data as hex and text"}, set_flag<&ReadOptions::dump>},
    {{.letter = 'C', .help = "report in one line: bytes,operations,time,bytes/s,operations/s"}, set_flag<&ReadOptions::for_machines>},
    {{.letter = 'q', .help = "do not report"}, set_flag<&ReadOptions::quiet>},
    {{.letter = 'r', .help = "register the buffer with the kernel before the request"}, set_flag<&ReadOptions::registered>},
    {{.letter = 'b', .help = "read the VM state instead of the disk; only images opened with -s have one"},
     set_flag<&ReadOptions::vmstate>},
    {{.letter = 'p', .help = "ignored, for compatibility"}, ignore_option},
};

constexpr OptionRow<ReadOptions> readv_options[] = {
    {{.letter = 'P', .argument = "PATTERN", .help = "compare the data with this byte (0 to 255); fail if it differs"},
     set_pattern<&ReadOptions::pattern>},
    {{.letter = 'v', .help = "show the data as hex and text"}, set_flag<&ReadOptions::dump>},
    {{.letter = 'C', .help = "report in one line of numbers, as read -C does"}, set_flag<&ReadOptions::for_machines>},
    {{.letter = 'q', .help = "do not report"}, set_flag<&ReadOptions::quiet>},
    {{.letter = 'r', .help = "register the buffers with the kernel before the request"}, set_flag<&ReadOptions::registered>},
};

/// The range that is compared with the pattern, relative to the start of the read.
struct VerifyRange {
    uint64_t begin = 0;
    uint64_t length = 0;
};

std::optional<VerifyRange> verify_range(const ReadOptions& options, uint64_t count) {
    const auto begin = static_cast<uint64_t>(options.pattern_offset.value_or(0));
    if (begin > count) {
        return std::nullopt;
    }
    const uint64_t rest = count - begin;
    const uint64_t length = options.pattern_length ? static_cast<uint64_t>(*options.pattern_length) : rest;
    return length <= rest ? std::optional(VerifyRange{begin, length}) : std::nullopt;
}

bool check_vmstate(Session& session, const ReadOptions& options, const RangeArgument& asked) {
    if (!check_sectors(session, asked)) {
        return false;
    }
    if (options.registered) {
        session.out().complain("I/O buffer registration is not supported when reading from vmstate\n");
        return false;
    }
    return true;
}

/// Result of a read.
struct ReadResult {
    Status status;
    uint64_t done = 0; ///< bytes read before the user interrupted it
    DataMismatch mismatch; ///< 0 bytes if there is none
};

/// A comparison result without any bytes compared.
DataMismatch nothing_compared(uint64_t offset, const VerifyRange& range, const ReadOptions& options) {
    return {.compared_offset = offset + range.begin, .compared_bytes = range.length, .expected = options.pattern.value_or(0)};
}

Status read_from(Session& session, const ReadOptions& options, uint64_t offset, const IoVec& iov) {
    return session.backend().execute(Request::read(offset, iov, {.vmstate = options.vmstate}));
}

/// Reads and compares piece by piece, with the memory of one piece.
ReadResult read_and_verify(Session& session, const ReadOptions& options, uint64_t offset, uint64_t count,
                           const VerifyRange& range) {
    ReadResult result;
    result.mismatch = nothing_compared(offset, range, options);
    LongWork work("read", count, LongWork::Unit::bytes);
    for (uint64_t done = 0; done < count && result.status.ok(); done += verify_step) {
        if (!work.step(done)) {
            result.status = Status::from_errno(EINTR);
            result.done = done;
            break;
        }
        const std::array<uint64_t, 1> length{std::min(verify_step, count - done)};
        IoVec iov;
        result.status = make_iov(session, session.scratch(), length, Sharing::none, iov);
        if (!result.status.ok()) {
            break;
        }
        uint8_t* const data = data_begin(session, session.scratch());
        if (done == 0) {
            // If a device returns no data, the buffer must not keep that of the piece before.
            memset(data, unread_byte, length[0]);
        }
        result.status = read_from(session, options, offset + done, iov);
        const uint64_t begin = std::clamp(range.begin, done, done + length[0]);
        const uint64_t end = std::clamp(range.begin + range.length, begin, done + length[0]);
        compare_with_pattern(result.mismatch, data + (begin - done), end - begin, offset + begin);
    }
    return result;
}

/// Reads all data into the session's buffer and leaves it there.
ReadResult read_whole(Session& session, const ReadOptions& options, uint64_t offset, std::span<const uint64_t> lengths,
                      Sharing sharing) {
    ReadResult result;
    IoVec iov;
    result.status = make_iov(session, session.scratch(), lengths, sharing, iov);
    if (!result.status.ok()) {
        return result;
    }
    if (sharing == Sharing::none) {
        // Otherwise the content of the buffer is not used.
        fill_iov(iov, unread_byte);
    }
    const auto piece = [&](uint64_t done, uint64_t part, bool /*more*/) {
        return part == iov.bytes() ? read_from(session, options, offset, iov)
                                   : read_from(session, options, offset + done, iov.slice(done, part));
    };
    result.status = do_in_pieces(session.backend(), "read", offset, iov.bytes(), result.done, piece);
    return result;
}

/// Common part of read and readv, after their arguments are parsed.
Outcome do_read(Session& session, const ReadOptions& options, std::string_view name, uint64_t offset,
                std::span<const uint64_t> lengths, uint64_t count, const VerifyRange& range) {
    // The range is checked before memory is allocated. For a small request, the backend's check is early enough; the VM
    // state has no end.
    const bool is_small = lengths.size() == 1 && count <= verify_step;
    Status in_range = is_small || options.vmstate ? Status() : session.backend().check_range(offset, count, lengths.size());
    const bool by_pieces = options.pattern && !options.dump && count > verify_step && session.backend().may_split();
    const Stopwatch watch(!options.quiet);
    ReadResult result;
    if (!in_range.ok()) {
        result.status = std::move(in_range);
    } else if (by_pieces) {
        result = read_and_verify(session, options, offset, count, range);
    } else {
        const bool shows_data = options.pattern || options.dump;
        result = read_whole(session, options, offset, lengths, shows_data ? Sharing::none : Sharing::all);
    }
    const std::chrono::nanoseconds elapsed = watch.elapsed();
    if (was_interrupted(result.status)) {
        return session.out().interrupted(name, offset, result.done, count);
    }
    if (!result.status.ok()) {
        return session.out().fail(result.status, "{} failed: {}\n", name, result.status.message());
    }
    const uint8_t* const data = data_begin(session, session.scratch());
    if (options.pattern && !by_pieces) {
        result.mismatch = nothing_compared(offset, range, options);
        compare_with_pattern(result.mismatch, data + range.begin, range.length, offset + range.begin);
    }
    const bool matches = result.mismatch.bytes == 0;
    if (!matches) {
        session.out().mismatch(result.mismatch);
    }
    if (!options.quiet) {
        if (options.dump) {
            session.out().dump(data, count, offset);
        }
        session.out().request({"read", offset, count, elapsed}, options.for_machines);
    }
    return matches ? Outcome::ok : Outcome::failed;
}

Outcome run_read(Session& session, const Command& command, const ReadOptions& options, std::span<char*> operands) {
    const std::optional<RangeArgument> asked = parse_range_operands(session, command, operands);
    if (!asked) {
        return Outcome::failed;
    }
    if (!check_request_length(session, asked->length, operands[1])) {
        return Outcome::failed;
    }
    if (!options.pattern && (options.pattern_length || options.pattern_offset)) {
        return usage_error(session, command);
    }
    const std::optional<VerifyRange> range = verify_range(options, asked->length);
    if (!range) {
        return session.out().complain({FailureKind::compare_range}, "pattern verification range exceeds end of read data\n");
    }
    if (options.vmstate && !check_vmstate(session, options, *asked)) {
        return Outcome::failed;
    }
    return do_read(session, options, "read", asked->offset, {&asked->length, 1}, asked->length, *range);
}

Outcome run_readv(Session& session, const Command& command, const ReadOptions& options, std::span<char*> operands) {
    const std::optional<VectorArgument> vector = parse_vector_operands(session, command, operands);
    if (!vector) {
        return Outcome::failed;
    }
    return do_read(session, options, "readv", vector->offset, vector->lengths, vector->total, {0, vector->total});
}

} // namespace

constexpr Command read_commands[] = {
    {.name = "read", .altname = "r", .run = with_options<read_options, run_read>,
     .argmin = 2, .argmax = -1, .needs_image = true, .waits_for_aio = true,
     .args = "[-abCqrv] [-P pattern [-s off] [-l len]] off len",
     .oneline = "read a range of the image",
     .help =
         "Reads len bytes at offset off and reports bytes, time and rate.\n"
         "\n"
         "Example: read -v 512 1k    show 1 KiB at offset 512\n",
     .options = option_table<read_options>(), .words = range_words},
    {.name = "readv", .altname = "rv", .run = with_options<readv_options, run_readv>,
     .argmin = 2, .argmax = -1, .needs_image = true, .waits_for_aio = true,
     .args = "[-Cqrv] [-P pattern] off len [len..]",
     .oneline = "read a range of the image into several buffers",
     .help =
         "Reads at offset off with one request into one buffer of each length len.\n"
         "\n"
         "Example: readv -v 512 1k 1k    read 2 KiB at offset 512 into two buffers\n",
     .options = option_table<readv_options>(), .words = vector_words},
};

} // namespace zoneio
