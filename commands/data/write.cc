// SPDX-License-Identifier: GPL-3.0-or-later
//
// write and writev.
#include "block/base/buffer.h"
#include "block/base/file_descriptor.h"
#include "commands/arguments.h"
#include "commands/families.h"
#include "commands/long_work.h"
#include "commands/parse_options.h"
#include "commands/session.h"
#include "commands/text/stopwatch.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace zoneio {

namespace {

struct WriteOptions {
    bool for_machines = false; // -C
    bool quiet = false;        // -q
    bool registered = false;   // -r
    bool zeroes = false;       // -z
    WriteFlags flags;          // -u, -n, -f, -b, -c
    std::optional<uint8_t> pattern;
    const char* source = nullptr; // -s
};

constexpr OptionRow<WriteOptions> write_options[] = {
    {{.letter = 'P', .argument = "PATTERN", .help = "write this byte (0 to 255)", .fallback = "0xcd"}, set_pattern<&WriteOptions::pattern>},
    {{.letter = 's', .argument = "SOURCE_FILE", .help = "write the content of this file, repeated as needed", .word = Word::file},
     set_word<&WriteOptions::source>},
    {{.letter = 'z', .help = "write zeros in the cheapest way that the image supports"}, set_flag<&WriteOptions::zeroes>},
    {{.letter = 'u', .help = "with -z: allow a hole"}, set_flag_of<&WriteOptions::flags, &WriteFlags::may_unmap>},
    {{.letter = 'n', .help = "with -z: fail if the zeros would have to be written as data"}, set_flag_of<&WriteOptions::flags, &WriteFlags::no_fallback>},
    {{.letter = 'f', .help = "force the data to the medium before reporting"}, set_flag_of<&WriteOptions::flags, &WriteFlags::fua>},
    {{.letter = 'C', .help = "report in one line: bytes,operations,time,bytes/s,operations/s"}, set_flag<&WriteOptions::for_machines>},
    {{.letter = 'q', .help = "do not report"}, set_flag<&WriteOptions::quiet>},
    {{.letter = 'r', .help = "register the buffer with the kernel before the request"}, set_flag<&WriteOptions::registered>},
    {{.letter = 'b', .help = "write the VM state instead of the disk; only images opened with -s have one"},
     set_flag_of<&WriteOptions::flags, &WriteFlags::vmstate>},
    {{.letter = 'c', .help = "write compressed; only images opened with -s can"}, set_flag_of<&WriteOptions::flags, &WriteFlags::compressed>},
    {{.letter = 'p', .help = "ignored, for compatibility"}, ignore_option},
};

constexpr OptionRow<WriteOptions> writev_options[] = {
    {{.letter = 'P', .argument = "PATTERN", .help = "write this byte (0 to 255)", .fallback = "0xcd"}, set_pattern<&WriteOptions::pattern>},
    {{.letter = 'f', .help = "force the data to the medium before reporting"}, set_flag_of<&WriteOptions::flags, &WriteFlags::fua>},
    {{.letter = 'C', .help = "report in one line of numbers, as read -C does"}, set_flag<&WriteOptions::for_machines>},
    {{.letter = 'q', .help = "do not report"}, set_flag<&WriteOptions::quiet>},
    {{.letter = 'r', .help = "register the buffers with the kernel before the request"}, set_flag<&WriteOptions::registered>},
};

/// Data of `write -s FILE`: the bytes of a file, repeated.
class PatternFile {
public:
    /// Prepares a write of `bytes` bytes. False if that fails or the file is empty, after an error on stderr.
    bool load(Session& session, const char* name, uint64_t bytes);

    /// Writes the first `bytes` bytes of the repeated content. EINTR: the user interrupted the command after `done`
    /// bytes.
    Status write(Session& session, uint64_t offset, uint64_t bytes, WriteFlags flags, uint64_t& done);

private:
    bool read_all(Session& session, const char* name, uint64_t bytes);
    Status write_by_parts(Session& session, uint64_t offset, uint64_t bytes, WriteFlags flags, uint64_t& done);
    Status read_part(uint8_t* data, uint64_t position, uint64_t bytes) const;

    FileDescriptor file_;
    uint64_t streamed_size_ = 0; ///< size of a file that is read during the write; 0: the content is in memory
    std::vector<uint8_t> content_;
};

/// Larger files are read piece by piece during the write.
constexpr uint64_t most_in_memory = 16U << 20;
constexpr uint64_t part_bytes = 1U << 20;

/// Reports errno of a call on the file, or that the user interrupted it.
void report_source_failure(Session& session, const char* name) {
    if (errno == EINTR && InterruptEndsCommand::is_requested()) {
        session.out().interrupted("write interrupted");
    } else {
        session.out().plain_error(fmt::format("{}: {}", name, strerror(errno)));
    }
}

bool PatternFile::load(Session& session, const char* name, uint64_t bytes) {
    file_ = FileDescriptor(open(name, O_RDONLY | O_CLOEXEC));
    if (!file_.valid()) {
        report_source_failure(session, name);
        return false;
    }
    struct stat st{};
    const bool is_large = fstat(file_.get(), &st) == 0 && S_ISREG(st.st_mode) &&
                          std::min(static_cast<uint64_t>(st.st_size), bytes) > most_in_memory;
    if (is_large && session.backend().may_split() && !session.backend().is_made_of(st)) {
        streamed_size_ = static_cast<uint64_t>(st.st_size);
        return true;
    }
    return read_all(session, name, bytes);
}

bool PatternFile::read_all(Session& session, const char* name, uint64_t bytes) {
    size_t size = 0;
    while (size < bytes) {
        content_.resize(std::min<uint64_t>(bytes, std::max<uint64_t>(2 * size, 64U << 10)));
        const ssize_t got = read(file_.get(), content_.data() + size, content_.size() - size);
        if (got < 0 && (errno != EINTR || InterruptEndsCommand::is_requested())) {
            report_source_failure(session, name);
            return false;
        }
        if (got == 0) {
            break;
        }
        size += got > 0 ? static_cast<size_t>(got) : 0;
    }
    content_.resize(size);
    if (content_.empty()) {
        session.out().plain_error(fmt::format("{}: file is empty", name));
        return false;
    }
    return true;
}

Status PatternFile::write(Session& session, uint64_t offset, uint64_t bytes, WriteFlags flags, uint64_t& done) {
    if (streamed_size_ != 0) {
        return write_by_parts(session, offset, bytes, flags, done);
    }
    // Short content is repeated, so that few segments cover the request.
    const uint64_t room = std::min(bytes, shared_bytes(bytes));
    if (content_.size() >= room && content_.size() > part_bytes) {
        return write_in_pieces(session.backend(), offset, cyclic_iov(content_.data(), content_.size(), {&bytes, 1}), flags, done);
    }
    const uint64_t repetitions = std::max<uint64_t>((room + content_.size() - 1) / content_.size(), 1);
    const uint64_t period = content_.size() * repetitions;
    constexpr size_t misalignment_room = 16;
    AlignedBuffer& buffer = session.scratch();
    if (!buffer.reserve(period + misalignment_room)) {
        return Status::from_errno(ENOMEM);
    }
    uint8_t* const data = data_begin(session, buffer);
    for (uint64_t i = 0; i < repetitions; i++) {
        memcpy(data + i * content_.size(), content_.data(), content_.size());
    }
    content_ = {};
    return write_in_pieces(session.backend(), offset, cyclic_iov(data, period, {&bytes, 1}), flags, done);
}

Status PatternFile::write_by_parts(Session& session, uint64_t offset, uint64_t bytes, WriteFlags flags, uint64_t& done) {
    Status status = flags.vmstate ? Status() : session.backend().check_range(offset, bytes);
    if (!status.ok()) {
        return status;
    }
    LongWork work("write", bytes, LongWork::Unit::bytes);
    for (done = 0; done < bytes; done += part_bytes) {
        if (!work.step(done)) {
            return Status::from_errno(EINTR);
        }
        const uint64_t part = std::min(part_bytes, bytes - done);
        IoVec iov;
        status = make_iov(session, session.scratch(), {&part, 1}, Sharing::none, iov);
        if (status.ok()) {
            status = read_part(data_begin(session, session.scratch()), done, part);
        }
        if (status.ok()) {
            flags.more = done + part < bytes;
            status = session.backend().execute(Request::write(offset + done, iov, flags));
        }
        if (!status.ok()) {
            return status;
        }
    }
    return {};
}

/// Reads from the repeated file, starting at `position` of the repetition.
Status PatternFile::read_part(uint8_t* data, uint64_t position, uint64_t bytes) const {
    uint64_t done = 0;
    while (done < bytes) {
        const uint64_t at = (position + done) % streamed_size_;
        const uint64_t most = std::min(bytes - done, streamed_size_ - at);
        const ssize_t got = pread(file_.get(), data + done, most, static_cast<off_t>(at));
        if (got == 0) {
            return Status::error(EIO, "the source file became shorter");
        }
        if (got < 0 && errno != EINTR) {
            return Status::from_errno(errno);
        }
        done += got > 0 ? static_cast<uint64_t>(got) : 0;
    }
    return {};
}

/// Reports options that exclude each other. False if there are any.
bool check_combination(Session& session, const WriteOptions& options) {
    const char* complaint = nullptr;
    const int contents = int(options.zeroes) + int(options.pattern.has_value()) + int(options.source != nullptr);
    if (options.flags.vmstate && options.zeroes) {
        complaint = "-b and -z cannot be specified at the same time";
    } else if (options.flags.fua && (options.flags.vmstate || options.flags.compressed)) {
        complaint = "-f and -b or -c cannot be specified at the same time";
    } else if (options.flags.no_fallback && !options.zeroes) {
        complaint = "-n requires -z to be specified";
    } else if (options.flags.may_unmap && !options.zeroes) {
        complaint = "-u requires -z to be specified";
    } else if (contents > 1) {
        complaint = "Only one of -z, -P, and -s can be specified at the same time";
    }
    if (complaint != nullptr) {
        session.out().complain("{}\n", complaint);
    }
    return complaint == nullptr;
}

bool check_alignment(Session& session, const WriteOptions& options, const RangeArgument& asked) {
    if ((options.flags.vmstate || options.flags.compressed) && !check_sectors(session, asked)) {
        return false;
    }
    if (options.zeroes && options.registered) {
        session.out().complain("cannot combine zero write with registered I/O buffer\n");
        return false;
    }
    return true;
}

/// Writes one byte value from a small buffer. `done`: bytes written when the user interrupted it.
Status write_pattern(Session& session, uint64_t offset, std::span<const uint64_t> lengths, uint8_t byte,
                     WriteFlags flags, uint64_t& done) {
    IoVec iov;
    Status status = make_iov(session, session.scratch(), lengths, Sharing::all, iov);
    if (!status.ok()) {
        return status;
    }
    fill_iov(iov, byte);
    return write_in_pieces(session.backend(), offset, iov, flags, done);
}

/// Writes zeros. `done`: as above.
Status write_zeroes(Session& session, uint64_t offset, uint64_t bytes, WriteFlags flags, uint64_t& done) {
    BlockBackend& backend = session.backend();
    const auto piece = [&](uint64_t begin, uint64_t part, bool more) {
        WriteFlags piece_flags = flags;
        piece_flags.more = more;
        return backend.execute(Request::write_zeroes(offset + begin, part, piece_flags));
    };
    return do_in_pieces(backend, "write", offset, bytes, done, piece);
}

/// Ends an interrupted write: flushes what it has written if the whole write would have been flushed.
Outcome finish_interrupted(Session& session, const WriteOptions& options, std::string_view name, uint64_t offset,
                           uint64_t done, uint64_t bytes) {
    if (options.flags.fua || session.backend().writethrough()) {
        const Status flushed = session.backend().execute(Request::flush());
        if (!flushed.ok()) {
            session.out().fail(flushed, "{} failed: {}\n", name, flushed.message());
        }
    }
    return session.out().interrupted(name, offset, done, bytes);
}

Outcome finish(Session& session, const WriteOptions& options, std::string_view name, uint64_t offset, uint64_t bytes,
               std::chrono::nanoseconds elapsed, const Status& status, uint64_t done) {
    if (was_interrupted(status)) {
        return finish_interrupted(session, options, name, offset, done, bytes);
    }
    if (!status.ok()) {
        return session.out().fail(status, "{} failed: {}\n", name, status.message());
    }
    if (!options.quiet) {
        session.out().request({"wrote", offset, bytes, elapsed}, options.for_machines);
    }
    return Outcome::ok;
}

Outcome run_write(Session& session, const Command& command, const WriteOptions& options, std::span<char*> operands) {
    if (operands.size() != 2) {
        return usage_error(session, command);
    }
    if (!check_combination(session, options)) {
        return Outcome::failed;
    }
    const std::optional<RangeArgument> asked = parse_range(session, operands[0], operands[1]);
    if (!asked) {
        return Outcome::failed;
    }
    const auto [begin, bytes] = *asked;
    if (!options.flags.no_fallback && !check_request_length(session, bytes, operands[1], " without -n")) {
        return Outcome::failed;
    }
    if (!check_alignment(session, options, *asked)) {
        return Outcome::failed;
    }
    PatternFile source;
    if (options.source != nullptr && !source.load(session, options.source, bytes)) {
        return Outcome::failed;
    }
    const Stopwatch watch(!options.quiet);
    Status status;
    uint64_t done = 0;
    if (options.zeroes) {
        status = write_zeroes(session, begin, bytes, options.flags, done);
    } else if (options.source != nullptr) {
        status = source.write(session, begin, bytes, options.flags, done);
    } else {
        status = write_pattern(session, begin, {&bytes, 1}, options.pattern.value_or(default_byte), options.flags,
                               done);
    }
    return finish(session, options, "write", begin, bytes, watch.elapsed(), status, done);
}

Outcome run_writev(Session& session, const Command& command, const WriteOptions& options, std::span<char*> operands) {
    const std::optional<VectorArgument> vector = parse_vector_operands(session, command, operands);
    if (!vector) {
        return Outcome::failed;
    }
    const uint64_t begin = vector->offset;
    const Stopwatch watch(!options.quiet);
    Status status = session.backend().check_range(begin, vector->total, vector->lengths.size());
    uint64_t done = 0;
    if (status.ok()) {
        status = write_pattern(session, begin, vector->lengths, options.pattern.value_or(default_byte), options.flags,
                               done);
    }
    return finish(session, options, "writev", begin, vector->total, watch.elapsed(), status, done);
}

} // namespace

constexpr Command write_commands[] = {
    {.name = "write", .altname = "w", .run = with_options<write_options, run_write>,
     .argmin = 2, .argmax = -1, .needs_image = true, .waits_for_aio = true, .permissions = Permissions::write,
     .args = "[-bcCfnqruz] [-P pattern | -s source_file] off len",
     .oneline = "write a range of the image",
     .help =
         "Writes len bytes at offset off and reports bytes, time and rate. Without -P, -s or -z every byte is 0xcd.\n"
         "\n"
         "Example: write -P 0x5a 512 1k    write 1 KiB of 0x5a at offset 512\n",
     .options = option_table<write_options>(), .words = range_words},
    {.name = "writev", .altname = "wv", .run = with_options<writev_options, run_writev>,
     .argmin = 2, .argmax = -1, .needs_image = true, .waits_for_aio = true, .permissions = Permissions::write,
     .args = "[-Cfqr] [-P pattern] off len [len..]",
     .oneline = "write a range of the image from several buffers",
     .help =
         "Writes at offset off with one request from one buffer of each length len.\n"
         "\n"
         "Example: writev 512 1k 1k    write 2 KiB at offset 512 from two buffers\n",
     .options = option_table<writev_options>(), .words = vector_words},
};

} // namespace zoneio
