// SPDX-License-Identifier: GPL-3.0-or-later
//
// load: copies a file into the image.
#include "block/base/file_descriptor.h"
#include "commands/families.h"
#include "commands/parse_options.h"
#include "commands/region/range.h"
#include "commands/region/reader.h"
#include "commands/text/stopwatch.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace zoneio {

namespace {

struct LoadOptions {
    bool sparse = false; // -S
    bool quiet = false;  // -q
};

constexpr OptionRow<LoadOptions> load_options[] = {
    {{.letter = 'S', .help = "write blocks of zeros as holes, if the image supports holes"}, set_flag<&LoadOptions::sparse>},
    {{.letter = 'q', .help = "no report"}, set_flag<&LoadOptions::quiet>},
};

/// A file or pipe that is read from start to end.
class InputFile {
public:
    static Result<InputFile> open(const std::string& filename) {
        FileDescriptor file(::open(filename.c_str(), O_RDONLY | O_CLOEXEC));
        struct stat st{};
        if (!file.valid() || fstat(file.get(), &st) != 0) {
            return failed(filename, errno);
        }
        if (S_ISDIR(st.st_mode)) {
            return failed(filename, EISDIR);
        }
        InputFile input(filename, std::move(file), st);
        if (S_ISREG(st.st_mode)) {
            input.length_ = static_cast<uint64_t>(st.st_size);
        } else if (S_ISBLK(st.st_mode)) {
            const off_t end = lseek(input.file_.get(), 0, SEEK_END);
            if (end < 0 || lseek(input.file_.get(), 0, SEEK_SET) < 0) {
                return failed(filename, errno);
            }
            input.length_ = static_cast<uint64_t>(end);
        }
        return input;
    }

    const struct stat& status() const { return stat_; }
    /// Empty for a pipe, whose length is unknown until its end.
    std::optional<uint64_t> length() const { return length_; }

    /// Reads `bytes` bytes, fewer at the end of the file. EINTR: the user interrupted the command.
    Result<uint64_t> read(uint8_t* data, uint64_t bytes) {
        uint64_t done = 0;
        while (done < bytes) {
            const ssize_t part = ::read(file_.get(), data + done, bytes - done);
            if (part < 0 && (errno != EINTR || InterruptEndsCommand::is_requested())) {
                return errno == EINTR ? Status::from_errno(EINTR) : failed(filename_, errno);
            }
            if (part == 0) {
                break;
            }
            done += part > 0 ? static_cast<uint64_t>(part) : 0;
        }
        return done;
    }

private:
    InputFile(std::string filename, FileDescriptor file, const struct stat& st)
        : filename_(std::move(filename)), file_(std::move(file)), stat_(st) {}
    static Status failed(const std::string& filename, int error) {
        return Status::error(error, fmt::format("reading '{}': {}", filename, strerror(error)));
    }

    std::string filename_;
    FileDescriptor file_;
    struct stat stat_;
    std::optional<uint64_t> length_;
};

/// Runs one copy.
class Load {
public:
    Load(Session& session, InputFile& file, uint64_t offset, uint64_t room, bool sparse)
        : session_(session), file_(file), offset_(offset), room_(room), sparse_(sparse) {}

    /// EINTR: the user interrupted the command.
    Status run();
    uint64_t done() const { return done_; }

private:
    uint64_t piece_length() const;
    Status write(uint8_t* data, uint64_t bytes, bool more);

    Session& session_;
    InputFile& file_;
    uint64_t offset_;
    uint64_t room_; ///< bytes from the offset to the end of the image
    bool sparse_;
    uint64_t done_ = 0;
};

/// Pieces end at multiples of their size and at ends of zones.
uint64_t Load::piece_length() const {
    const uint64_t position = offset_ + done_;
    const uint64_t zone_size = session_.backend().limits().zone_size;
    const uint64_t piece = RegionReader::piece_bytes - position % RegionReader::piece_bytes;
    return zone_size == 0 ? piece : std::min(piece, zone_size - position % zone_size);
}

Status Load::write(uint8_t* data, uint64_t bytes, bool more) {
    BlockBackend& backend = session_.backend();
    if (sparse_ && all_bytes_equal(data, bytes, 0)) {
        return backend.execute(Request::write_zeroes(offset_ + done_, bytes, {.may_unmap = true, .more = more}));
    }
    return backend.execute(Request::write(offset_ + done_, IoVec(data, bytes), {.more = more}));
}

Status Load::run() {
    AlignedBuffer& buffer = session_.scratch();
    if (!buffer.reserve(RegionReader::piece_bytes)) {
        return Status::error(ENOMEM, fmt::format("cannot allocate {} bytes of memory for the data", RegionReader::piece_bytes));
    }
    LongWork work("load", file_.length().value_or(room_), LongWork::Unit::bytes);
    while (true) {
        const uint64_t wanted = piece_length();
        const uint64_t got = TRY(file_.read(buffer.data(), wanted));
        if (got == 0) {
            break;
        }
        if (got > room_ - done_) {
            return Status::error(EIO, "the file is longer than the rest of the image").because(Cause::outside_image);
        }
        const bool more = got == wanted && (!file_.length() || done_ + got < *file_.length());
        Status status = write(buffer.data(), got, more);
        if (!status.ok()) {
            const std::string text = fmt::format("writing {} bytes at offset {}: {}", got, offset_ + done_, status.message());
            return std::move(status).with_text(text);
        }
        done_ += got;
        if (!work.step(done_)) {
            return Status::from_errno(EINTR);
        }
    }
    // If a pipe ends with a full piece, no last write has forced out the data.
    return session_.backend().writethrough() && !file_.length() ? session_.backend().execute(Request::flush()) : Status();
}

/// Makes all checks that are possible before the first write.
Status check(Session& session, const InputFile& file, const char* filename, uint64_t offset, uint64_t room) {
    if (session.backend().is_made_of(file.status())) {
        return Status::invalid(fmt::format("'{}' is a file of the open image", filename));
    }
    if (file.length() && *file.length() > room) {
        return Status::error(EIO, fmt::format("'{}' has {} bytes, and from offset {} to the end of the image there are {}; nothing was written",
                                              filename, *file.length(), offset, room))
            .because(Cause::outside_image);
    }
    return session.backend().require(Permissions::write);
}

Outcome run_load(Session& session, const Command& command, const LoadOptions& options, std::span<char*> operands) {
    if (operands.size() != 2) {
        return usage_error(session, command);
    }
    char all[] = "all";
    char* const place[] = {operands[1], all};
    const std::optional<Region> region = parse_region(session, command, place);
    if (!region) {
        return Outcome::failed;
    }
    Result<InputFile> file = InputFile::open(operands[0]);
    if (!file.ok()) {
        return long_command_failed(session, command, file.status());
    }
    if (const Status status = check(session, *file, operands[0], region->offset, region->length); !status.ok()) {
        return command_failed(session, command, status);
    }
    const Stopwatch watch(!options.quiet);
    Load load(session, *file, region->offset, region->length, options.sparse);
    Status status = load.run();
    const uint64_t total = file->length().value_or(load.done());
    if (was_interrupted(status)) {
        return session.out().interrupted("load", region->offset, load.done(), total);
    }
    if (!status.ok()) {
        const std::string text = fmt::format("{}; {} bytes were written before", status.message(), load.done());
        return command_failed(session, command, std::move(status).with_text(text));
    }
    if (!options.quiet) {
        session.out().request({"loaded", region->offset, load.done(), watch.elapsed()}, false);
    }
    return Outcome::ok;
}

} // namespace

constexpr Command load_commands[] = {
    {.name = "load", .run = with_options<load_options, run_load>,
     .argmin = 2, .argmax = -1, .needs_image = true, .waits_for_aio = true, .is_ours = true,
     .operands = "file off",
     .oneline = "copy a file into the image",
     .help =
         "Writes the whole FILE, which may be a pipe, at offset OFF. A file that does not fit is refused before anything is\n"
         "written. On a zoned device, OFF must be the write pointer of a zone, such as 5z+wp.\n"
         "\n"
         "Example: load part.img 1M\n",
     .options = option_table<load_options>(), .words = {Word::file, Word::offset}},
};

} // namespace zoneio
