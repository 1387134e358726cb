// SPDX-License-Identifier: GPL-3.0-or-later
//
// save: copies a range of the image to a file.
#include "commands/families.h"
#include "commands/output_file.h"
#include "commands/parse_options.h"
#include "commands/region/range.h"
#include "commands/region/reader.h"
#include "commands/text/stopwatch.h"

#include <algorithm>
#include <array>

namespace zoneio {

namespace {

struct SaveOptions {
    bool sparse = false;    // -S
    bool overwrite = false; // -F
    bool quiet = false;     // -q
};

constexpr OptionRow<SaveOptions> save_options[] = {
    {{.letter = 'S', .help = "blocks of zeros become holes of FILE"}, set_flag<&SaveOptions::sparse>},
    {{.letter = 'F', .help = "replace FILE if it exists"}, set_flag<&SaveOptions::overwrite>},
    {{.letter = 'q', .help = "no report"}, set_flag<&SaveOptions::quiet>},
};

class Save {
public:
    Save(OutputFile& file, bool sparse) : file_(file), sparse_(sparse && file.takes_holes()) {}

    Status add(const RegionPiece& piece) {
        if (piece.data == nullptr) {
            return add_zeros(piece.bytes);
        }
        return sparse_ ? add_blocks(piece.data, piece.bytes) : append(piece.data, piece.bytes);
    }

    /// Bytes written as data, not as holes.
    uint64_t data_bytes() const { return data_bytes_; }

private:
    Status append(const uint8_t* data, uint64_t bytes) {
        data_bytes_ += bytes;
        return file_.append(data, bytes);
    }

    Status add_zeros(uint64_t bytes) {
        if (sparse_) {
            file_.append_hole(bytes);
            return {};
        }
        static constexpr std::array<uint8_t, 64U << 10> zeros{};
        Status status;
        while (bytes > 0 && status.ok()) {
            const uint64_t part = std::min<uint64_t>(bytes, zeros.size());
            status = append(zeros.data(), part);
            bytes -= part;
        }
        return status;
    }

    /// Adds data. Blocks of zeros become holes; blocks start at multiples of their size in the file.
    Status add_blocks(const uint8_t* data, uint64_t bytes) {
        constexpr uint64_t block = 4096;
        Status status;
        while (bytes > 0 && status.ok()) {
            const auto next_block = [&](uint64_t from) { return std::min(bytes, from + block - (file_.length() + from) % block); };
            uint64_t part = next_block(0);
            const bool zero = all_bytes_equal(data, part, 0);
            while (part < bytes && all_bytes_equal(data + part, next_block(part) - part, 0) == zero) {
                part = next_block(part);
            }
            if (zero) {
                file_.append_hole(part);
            } else {
                status = append(data, part);
            }
            data += part;
            bytes -= part;
        }
        return status;
    }

    OutputFile& file_;
    bool sparse_;
    uint64_t data_bytes_ = 0;
};

/// Error if FILE is part of the open image.
bool check_target(Session& session, const Command& command, const char* filename) {
    struct stat st{};
    if (stat(filename, &st) != 0 || !session.backend().is_made_of(st)) {
        return true;
    }
    command_failed(session, command, Status::invalid(fmt::format("'{}' is a file of the open image", filename)));
    return false;
}

Status copy(Session& session, const Region& region, Save& save, uint64_t& done) {
    RegionReader reader(session.backend(), session.scratch(), region);
    LongWork work("save", region.length, LongWork::Unit::bytes);
    // Without holes, writing a long run of zeros takes as long as writing data.
    constexpr uint64_t most = 64U << 20;
    while (!reader.at_end()) {
        const Result<RegionPiece> piece = reader.next(most);
        Status status = piece.ok() ? save.add(*piece) : piece.status();
        if (!status.ok()) {
            return status;
        }
        done = reader.done();
        if (!work.step(done)) {
            return Status::from_errno(EINTR);
        }
    }
    return {};
}

Outcome run_save(Session& session, const Command& command, const SaveOptions& options, std::span<char*> operands) {
    if (operands.size() < 2 || operands.size() > 3) {
        return usage_error(session, command);
    }
    const char* const filename = operands.back();
    const std::optional<Region> region = parse_region(session, command, operands.first(operands.size() - 1));
    if (!region || !check_target(session, command, filename)) {
        return Outcome::failed;
    }
    Result<OutputFile> file = OutputFile::create(filename, options.overwrite);
    if (!file.ok()) {
        return long_command_failed(session, command, file.status());
    }
    const Stopwatch watch(!options.quiet);
    Save save(*file, options.sparse);
    uint64_t done = 0;
    Status status = copy(session, *region, save, done);
    if (was_interrupted(status)) {
        return session.out().interrupted("save", region->offset, done, region->length);
    }
    const bool is_copied = status.ok();
    status = is_copied ? file->commit() : std::move(status);
    if (!status.ok()) {
        const std::string text = fmt::format("{}; copying stopped after {} of {} bytes, and {} was not created", status.message(), done, region->length, filename);
        return command_failed(session, command, std::move(status).with_text(text));
    }
    session.out().add("file", filename);
    session.out().add("data_bytes", save.data_bytes());
    if (!options.quiet) {
        session.out().request({"saved", region->offset, region->length, watch.elapsed()}, false);
    }
    return Outcome::ok;
}

} // namespace

constexpr Command save_commands[] = {
    {.name = "save", .run = with_options<save_options, run_save>,
     .argmin = 2, .argmax = -1, .needs_image = true, .waits_for_aio = true, .is_ours = true,
     .operands = "off len file",
     .oneline = "copy a range of the image to a file",
     .help =
         "Copies LEN bytes at offset OFF to FILE. FILE appears when the copy is complete. 'save all FILE' copies the whole\n"
         "image, 'save 5z FILE' a zone.\n"
         "\n"
         "Example: save -S 1M 64M part.img    without blocks of zeros\n",
     .options = option_table<save_options>(), .words = {Word::offset, Word::length, Word::file}},
};

} // namespace zoneio
