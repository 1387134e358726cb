// SPDX-License-Identifier: GPL-3.0-or-later
//
// compare: compares a range of the image with another image.
#include "commands/families.h"
#include "commands/image/image_open.h"
#include "commands/parse_options.h"
#include "commands/region/range.h"
#include "commands/region/reader.h"

#include <algorithm>
#include <cstring>
#include <sys/stat.h>

namespace zoneio {

namespace {

struct CompareOptions {
    std::optional<std::string> format; // -f
};

constexpr OptionRow<CompareOptions> compare_options[] = {
    {{.letter = 'f', .argument = "DRIVER", .help = "the format of the other image", .fallback = "by content, as for open", .word = Word::format},
     set_word<&CompareOptions::format>},
};

/// Result of a comparison. Offsets are those of the open image.
struct Comparison {
    uint64_t compared = 0;  ///< bytes
    uint64_t differing = 0; ///< bytes
    uint64_t first = 0;     ///< offset of the first difference
    uint8_t here = 0;       ///< byte of the open image there
    uint8_t there = 0;
};

/// The other image, open for reading.
struct OtherImage {
    std::string name;
    std::unique_ptr<BlockBackend> backend;
    uint64_t length = 0; ///< bytes; for a file its exact length, not rounded to sectors
};

Result<uint64_t> exact_length(BlockBackend& backend) {
    struct stat st{};
    const Result<uint64_t> length = backend.length();
    const bool is_file = backend.format().name == "raw" && stat(backend.filename().c_str(), &st) == 0 && S_ISREG(st.st_mode);
    return length.ok() && is_file ? std::min(*length, static_cast<uint64_t>(st.st_size)) : length;
}

/// Empty after an error, which has been reported.
std::optional<OtherImage> open_other(Session& session, const Command& command, const char* name, const CompareOptions& options) {
    ImageSpec spec;
    // With --image-opts, the name of an existing file is accepted as well as options.
    struct stat st{};
    if (session.image_opts && stat(name, &st) != 0) {
        if (!add_option_string(session, name, IdOption::refused, spec.options)) {
            return std::nullopt;
        }
    } else {
        spec.filename = name;
    }
    if (options.format) {
        spec.options.set("driver", *options.format);
    }
    // The image is only read, so others, including this session, may have it open for writing.
    spec.options.set("force-share", true);
    spec.flags = OpenRequest::default_flags();
    spec.flags.read_only = true;
    spec.flags.direct = session.backend().flags().direct;
    std::vector<Notice> notices;
    OtherImage other{name, nullptr};
    Result<std::unique_ptr<BlockBackend>> backend = BlockBackend::open(std::move(spec), true, notices);
    if (!backend.ok()) {
        session.out().error({FailureKind::open, name}, backend.status(), fmt::format("{}: can't open {}: {}", command.name, name, backend.status().message()));
        return std::nullopt;
    }
    const Result<uint64_t> length = exact_length(**backend);
    if (!length.ok()) {
        long_command_failed(session, command, length.status());
        return std::nullopt;
    }
    other.backend = std::move(*backend);
    other.length = *length;
    return other;
}

/// A reader, and the rest of its last piece.
struct Side {
    RegionReader reader;
    RegionPiece piece;

    Status fill() {
        if (piece.bytes > 0) {
            return {};
        }
        Result<RegionPiece> next = reader.next();
        if (next.ok()) {
            piece = *next;
        }
        return next.status();
    }
    uint8_t byte(uint64_t index) const { return piece.data == nullptr ? 0 : piece.data[index]; }
    void take(uint64_t bytes) {
        piece.bytes -= bytes;
        piece.offset += bytes;
        piece.data = piece.data == nullptr ? nullptr : piece.data + bytes;
    }
};

bool are_equal(const Side& a, const Side& b, uint64_t bytes) {
    if (a.piece.data != nullptr && b.piece.data != nullptr) {
        return memcmp(a.piece.data, b.piece.data, bytes) == 0;
    }
    const uint8_t* const data = a.piece.data != nullptr ? a.piece.data : b.piece.data;
    return data == nullptr || all_bytes_equal(data, bytes, 0);
}

/// Counts differences in the first `bytes` bytes of both sides.
void count(const Side& here, const Side& there, uint64_t bytes, Comparison& result) {
    uint64_t differing = 0;
    for (uint64_t i = 0; i < bytes; i++) {
        const bool differs = here.byte(i) != there.byte(i);
        if (differs && result.differing + differing == 0) {
            result.first = here.piece.offset + i;
            result.here = here.byte(i);
            result.there = there.byte(i);
        }
        differing += differs ? 1 : 0;
    }
    result.differing += differing;
}

/// EINTR: the user interrupted the command.
Status compare(Session& session, const Region& region, OtherImage& other, uint64_t other_offset, Comparison& result) {
    AlignedBuffer memory;
    Side here{RegionReader(session.backend(), session.scratch(), region), {}};
    Side there{RegionReader(*other.backend, memory, {other_offset, region.length}), {}};
    LongWork work("compare", region.length, LongWork::Unit::bytes);
    constexpr uint64_t block = 4096;
    while (result.compared < region.length) {
        Status status = here.fill();
        if (!status.ok()) {
            return status;
        }
        status = there.fill();
        if (!status.ok()) {
            const std::string text = fmt::format("'{}': {}", other.name, status.message());
            return std::move(status).with_text(text);
        }
        uint64_t part = std::min(here.piece.bytes, there.piece.bytes);
        if (!are_equal(here, there, part)) {
            // Compares single bytes only in blocks that differ.
            part = std::min(part, block);
            if (!are_equal(here, there, part)) {
                count(here, there, part, result);
            }
        }
        here.take(part);
        there.take(part);
        result.compared += part;
        if (!work.step(result.compared)) {
            return Status::from_errno(EINTR);
        }
    }
    return {};
}

/// The result as one or two lines of text.
struct ComparisonFact {
    Session& session;
    const Comparison& result;
    const Region& region;
    const OtherImage& other;
    uint64_t other_offset;

    void text(Reporter& out) const {
        if (result.differing == 0) {
            out.print("{} at offset {}: equal to '{}'{}\n", bytes_text(result.compared), region.offset, other.name,
                      other_offset == 0 ? "" : fmt::format(" at offset {}", other_offset));
            return;
        }
        out.print("first difference at offset {}: {:#04x} here, {:#04x} in '{}' at offset {}\n", place_text(session, result.first),
                  result.here, result.there, other.name, result.first - region.offset + other_offset);
    }
    void json(JsonRecord& record) const {
        record.add("offset", region.offset);
        record.add("file", other.name);
        record.add("file_offset", other_offset);
        record.add("compared", result.compared);
        record.add("differing", result.differing);
        if (result.differing > 0) {
            record.begin_object("first_difference");
            record.add("offset", result.first);
            record.add("byte", uint64_t{result.here});
            record.add("file_byte", uint64_t{result.there});
            record.end();
        }
    }
};

/// What was asked for, and what could be compared.
struct Compared {
    Region asked;
    Region region;
    uint64_t other_offset;
    bool is_whole; ///< the ranges are both whole images
};

Outcome report(Session& session, const Comparison& result, const Compared& compared, const OtherImage& other) {
    const auto& [asked, region, other_offset, is_whole] = compared;
    session.out().tell(ComparisonFact{session, result, region, other, other_offset});
    std::string text;
    if (result.differing > 0) {
        text = fmt::format("{} of {} differ\n", result.differing, bytes_text(result.compared));
    }
    if (region.length < asked.length) {
        text += fmt::format("'{}' ends after {} of {} bytes\n", other.name, region.length, asked.length);
    }
    if (is_whole && other.length > region.end()) {
        text += fmt::format("'{}' is {} longer\n", other.name, bytes_text(other.length - region.end()));
    }
    if (text.empty()) {
        return Outcome::ok;
    }
    return session.out().differ(text);
}

/// Parses the range, without the bytes that round the image's file up to a whole sector.
std::optional<Region> parse_exact_region(Session& session, const Command& command, std::span<char* const> operands) {
    std::optional<Region> region = parse_region(session, command, operands);
    if (region) {
        const Result<uint64_t> length = exact_length(session.backend());
        const uint64_t end = length.ok() ? *length : region->end();
        region->length = std::min(region->length, end - std::min(end, region->offset));
    }
    return region;
}

Outcome run_compare(Session& session, const Command& command, const CompareOptions& options, std::span<char*> operands) {
    static char everything[] = "all";
    static char* const all[] = {everything};
    const bool is_name_alone = operands.size() == 1 && std::string_view(operands[0]) != everything;
    const bool is_all = !operands.empty() && std::string_view(operands[0]) == everything;
    const size_t name = is_name_alone ? 0 : is_all ? 1 : 2;
    if (operands.size() <= name || operands.size() > name + 2) {
        return usage_error(session, command);
    }
    const std::optional<Region> asked = parse_exact_region(session, command, is_name_alone ? std::span<char* const>(all) : operands.first(name));
    const std::optional<int64_t> given = operands.size() > name + 1 ? parse_size_argument(session, operands[name + 1]) : 0;
    if (!asked || !given) {
        return Outcome::failed;
    }
    std::optional<OtherImage> other = open_other(session, command, operands[name], options);
    if (!other) {
        return Outcome::failed;
    }
    const auto other_offset = static_cast<uint64_t>(*given);
    Region region = *asked;
    region.length = std::min(region.length, other->length - std::min(other->length, other_offset));
    Comparison result;
    const Status status = compare(session, region, *other, other_offset, result);
    if (was_interrupted(status)) {
        return session.out().interrupted("compare", region.offset, result.compared, region.length);
    }
    return status.ok() ? report(session, result, {*asked, region, other_offset, name <= 1 && other_offset == 0}, *other) : command_failed(session, command, status);
}

} // namespace

constexpr Command compare_commands[] = {
    {.name = "compare", .run = with_options<compare_options, run_compare>,
     .argmin = 1, .argmax = -1, .needs_image = true, .waits_for_aio = true, .is_ours = true,
     .operands = "[off len] image [off]",
     .oneline = "compare a range of the image with another image",
     .help =
         "Compares LEN bytes at offset OFF with IMAGE, a file or what open takes, at the second OFF or at offset 0.\n"
         "Reports the first difference and how many bytes differ; then the command fails. It also fails when IMAGE is\n"
         "shorter. 'compare IMAGE' and 'compare all IMAGE' compare two images; they must be equally long. IMAGE is opened\n"
         "for reading.\n"
         "\n"
         "Example: compare 1M 64M part.img\n"
         "         compare copy.img\n",
     .options = option_table<compare_options>(), .words = {Word::offset, Word::length, Word::image, Word::offset}},
};

} // namespace zoneio
