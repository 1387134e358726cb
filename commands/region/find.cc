// SPDX-License-Identifier: GPL-3.0-or-later
//
// find: searches the image for bytes, text, zeros or data.
#include "commands/families.h"
#include "commands/parse_options.h"
#include "commands/region/range.h"
#include "commands/region/reader.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace zoneio {

namespace {

/// Block size of -z, in bytes.
constexpr uint64_t block_bytes = 512;
constexpr size_t most_pattern_bytes = 4096;

struct FindOptions {
    std::optional<std::string> bytes; // -x, -t
    bool is_text = false;             // -t
    bool zeros = false;               // -z
    bool opposite = false;            // -n
    bool all = false;                 // -a
};

OptionStep bad_pattern(const GivenOption& given, std::string_view text) {
    given.session.out().error(fmt::format("find: {}", text));
    return OptionStep::failed;
}

OptionStep keep_pattern(const GivenOption& given, FindOptions& parsed, std::string bytes) {
    if (bytes.empty() || bytes.size() > most_pattern_bytes) {
        return bad_pattern(given, fmt::format("the text or bytes to find may have 1 to {} bytes, not {}", most_pattern_bytes, bytes.size()));
    }
    parsed.bytes = std::move(bytes);
    return OptionStep::next;
}

unsigned nibble(char digit) {
    return isdigit(static_cast<unsigned char>(digit)) != 0 ? static_cast<unsigned>(digit - '0')
                                                           : static_cast<unsigned>(tolower(digit) - 'a' + 10);
}

OptionStep take_hex(const GivenOption& given, FindOptions& parsed) {
    std::string_view digits = given.word;
    if (digits.starts_with("0x") || digits.starts_with("0X")) {
        digits.remove_prefix(2);
    }
    const bool is_hex = std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return isxdigit(c) != 0; });
    if (!is_hex || digits.size() % 2 != 0) {
        return bad_pattern(given, fmt::format("-x takes two hexadecimal digits for each byte, as in 55aa, not '{}'", given.word));
    }
    std::string bytes;
    for (size_t i = 0; i < digits.size(); i += 2) {
        bytes += static_cast<char>(nibble(digits[i]) * 16 + nibble(digits[i + 1]));
    }
    return keep_pattern(given, parsed, std::move(bytes));
}

OptionStep take_text(const GivenOption& given, FindOptions& parsed) {
    parsed.is_text = true;
    return keep_pattern(given, parsed, given.word);
}

constexpr OptionRow<FindOptions> find_options[] = {
    {{.letter = 'x', .argument = "HEX", .help = "find these bytes, two hexadecimal digits each: 55aa"}, take_hex},
    {{.letter = 't', .argument = "TEXT", .help = "look for this text"}, take_text},
    {{.letter = 'z', .help = "find blocks of 512 bytes, counted from OFF, that are all zeros"}, set_flag<&FindOptions::zeros>},
    {{.letter = 'n', .help = "with -z: find blocks that are not all zeros (-nz)"}, set_flag<&FindOptions::opposite>},
    {{.letter = 'a', .help = "report all matches, not only the first"}, set_flag<&FindOptions::all>},
};

/// A match. For blocks, `bytes` is the length of consecutive matching ones.
struct FoundFact {
    Session& session;
    uint64_t offset;
    std::optional<uint64_t> bytes;

    void text(Reporter& out) const {
        out.print("offset {}{}\n", place_text(session, offset), bytes ? ", " + bytes_text(*bytes) : "");
    }
    void json(JsonRecord& record) const {
        record.add("offset", offset);
        if (bytes) {
            record.add("bytes", *bytes);
        }
    }
};

/// Searches memory for a sequence of bytes.
class ByteSearch {
public:
    /// REQUIRES: `bytes` is not empty.
    explicit ByteSearch(std::string bytes);

    size_t size() const { return bytes_.size(); }
    /// True if all bytes of the sequence are zero.
    bool is_zero() const { return is_zero_; }
    /// The first match in [begin, end), or null.
    const uint8_t* find(const uint8_t* begin, const uint8_t* end) const;

private:
    std::string bytes_;
    size_t rare_ = 0; ///< index of the byte that is rarest on disks
    bool is_zero_;
};

/// Rough frequency of a byte value on disks: 0 is rare.
unsigned frequency(unsigned char byte) {
    if (byte == 0) {
        return 9;
    }
    if (byte == 0xff || byte == ' ') {
        return 8;
    }
    constexpr std::string_view frequent = "etaoinsrhldcu\n";
    if (frequent.find(static_cast<char>(byte)) != std::string_view::npos) {
        return 7;
    }
    if (islower(byte) != 0) {
        return 5;
    }
    if (isdigit(byte) != 0 || byte < 0x10) {
        return 4;
    }
    return isprint(byte) != 0 ? 3 : 1;
}

ByteSearch::ByteSearch(std::string bytes)
    : bytes_(std::move(bytes)), is_zero_(bytes_.find_first_not_of('\0') == std::string::npos) {
    for (size_t i = 1; i < bytes_.size(); i++) {
        if (frequency(static_cast<unsigned char>(bytes_[i])) < frequency(static_cast<unsigned char>(bytes_[rare_]))) {
            rare_ = i;
        }
    }
}

const uint8_t* ByteSearch::find(const uint8_t* begin, const uint8_t* end) const {
    const size_t size = bytes_.size();
    if (static_cast<size_t>(end - begin) < size) {
        return nullptr;
    }
    // memchr(3) for the rare byte is several times as fast as memmem(3), unless the byte is frequent in this data.
    constexpr size_t patience = 16;
    constexpr size_t bytes_a_try = 64;
    const uint8_t* const last = end - size + rare_; // position of the rare byte in the last possible match
    const auto byte = static_cast<unsigned char>(bytes_[rare_]);
    size_t tries = 0;
    for (const uint8_t* at = begin + rare_; at <= last; at++) {
        at = static_cast<const uint8_t*>(memchr(at, byte, static_cast<size_t>(last - at) + 1));
        if (at == nullptr) {
            return nullptr;
        }
        const uint8_t* const start = at - rare_;
        if (memcmp(start, bytes_.data(), size) == 0) {
            return start;
        }
        if (++tries > patience + static_cast<size_t>(start - begin) / bytes_a_try) {
            return static_cast<const uint8_t*>(memmem(start + 1, static_cast<size_t>(end - start) - 1, bytes_.data(), size));
        }
    }
    return nullptr;
}

/// Runs one search.
class Find {
public:
    Find(Session& session, const FindOptions& options, const Region& region)
        : session_(session), options_(options), region_(region), progress_("find", region.length, options.all) {}

    /// EINTR: the user interrupted the command.
    Status run() {
        Status status = options_.bytes ? find_bytes(ByteSearch(*options_.bytes)) : find_blocks();
        progress_.end();
        return status;
    }

    uint64_t found() const { return found_; }
    uint64_t done() const { return done_; }

private:
    /// Reports a match. False if no more are wanted.
    bool report(uint64_t offset, std::optional<uint64_t> bytes) {
        found_++;
        session_.out().tell_element(FoundFact{session_, offset, bytes});
        return options_.all;
    }

    Status find_bytes(const ByteSearch& search);
    bool report_all(const ByteSearch& search, const uint8_t* begin, const uint8_t* end, uint64_t offset);
    Status find_blocks();
    bool add_blocks(uint64_t offset, uint64_t bytes, bool is_match);
    bool end_run();

    Session& session_;
    const FindOptions& options_;
    Region region_;
    RegionProgress progress_;
    uint64_t found_ = 0;
    uint64_t done_ = 0;
    uint64_t next_ = 0; ///< start of the next match: matches do not overlap
    Region run_;        ///< current run of matching blocks
};

/// Reports every match that starts in [begin, end), which is at `offset` of the image.
bool Find::report_all(const ByteSearch& search, const uint8_t* begin, const uint8_t* end, uint64_t offset) {
    const uint8_t* from = begin + (std::max(next_, offset) - offset);
    while (from < end) {
        const uint8_t* const match = search.find(from, end);
        if (match == nullptr) {
            break;
        }
        next_ = offset + static_cast<uint64_t>(match - begin) + search.size();
        if (!report(next_ - search.size(), std::nullopt)) {
            return false;
        }
        from = match + search.size();
    }
    return true;
}

Status Find::find_bytes(const ByteSearch& search) {
    const uint64_t overlap = search.size() - 1;
    RegionReader reader(session_.backend(), session_.scratch(), region_, overlap);
    // Inside a long hole only zeros can match.
    const uint64_t most = search.is_zero() ? RegionReader::piece_bytes : UINT64_MAX;
    uint64_t carried = 0; // bytes kept from the piece before, in which a match may start
    while (!reader.at_end()) {
        const RegionPiece piece = TRY(reader.next(most));
        uint8_t* const data = reader.data();
        const uint64_t in_memory = std::min(piece.bytes, RegionReader::piece_bytes);
        if (piece.data == nullptr) {
            memset(data, 0, in_memory);
        }
        if (!report_all(search, data - carried, data + in_memory, piece.offset - carried)) {
            return {};
        }
        done_ = reader.done();
        const uint64_t kept = std::min(overlap, carried + in_memory);
        memmove(data - kept, data + in_memory - kept, kept);
        carried = kept;
        if (!progress_.step(done_)) {
            return Status::from_errno(EINTR);
        }
    }
    return {};
}

bool Find::end_run() {
    const Region run = std::exchange(run_, {});
    return run.length == 0 || report(run.offset, run.length);
}

/// Adds blocks that follow those before. False if the first run is complete and no other is wanted.
bool Find::add_blocks(uint64_t offset, uint64_t bytes, bool is_match) {
    if (!is_match) {
        return end_run();
    }
    if (run_.length == 0) {
        run_.offset = offset;
    }
    run_.length += bytes;
    return true;
}

Status Find::find_blocks() {
    RegionReader reader(session_.backend(), session_.scratch(), region_);
    bool block_is_zero = true; // whether the block is zero so far; it may continue in the next piece
    while (!reader.at_end()) {
        const RegionPiece piece = TRY(reader.next());
        for (uint64_t done = 0; done < piece.bytes;) {
            const uint64_t position = piece.offset + done;
            const uint64_t in_block = (position - region_.offset) % block_bytes;
            const bool many = piece.data == nullptr && in_block == 0 && piece.bytes - done >= block_bytes;
            const uint64_t room = many ? (piece.bytes - done) / block_bytes * block_bytes : block_bytes - in_block;
            const uint64_t part = std::min(room, piece.bytes - done);
            block_is_zero = (in_block == 0 || block_is_zero) && (piece.data == nullptr || all_bytes_equal(piece.data + done, part, 0));
            done += part;
            const bool is_whole = part == room || piece.offset + done == region_.end();
            if (is_whole && !add_blocks(position - in_block, in_block + part, block_is_zero != options_.opposite)) {
                return {};
            }
        }
        done_ = reader.done();
        if (!progress_.step(done_)) {
            return Status::from_errno(EINTR);
        }
    }
    (void)end_run();
    return {};
}

/// True if the word is more likely a part of the text than a mistyped range.
bool starts_with_no_number(std::span<char* const> operands) {
    const std::string_view word = operands.empty() ? std::string_view() : std::string_view(operands[0]);
    return !word.empty() && (word[0] < '0' || word[0] > '9') && !word.starts_with("wp") && word != "all";
}

Outcome run_find(Session& session, const Command& command, const FindOptions& options, std::span<char*> operands) {
    if (options.bytes.has_value() == options.zeros || (options.opposite && !options.zeros)) {
        const bool is_missing = !options.bytes && !options.zeros;
        return session.out().error({FailureKind::usage}, is_missing ? "find: say what to find: -t TEXT, -x HEX, -z or -nz"
                                                             : "find: give one of -t TEXT, -x HEX, -z and -nz");
    }
    if (options.is_text && starts_with_no_number(operands)) {
        return session.out().error({FailureKind::usage}, fmt::format("find: '{}' is no offset; put quotes around a text with spaces: find -t 'two words'",
                                                              operands[0]));
    }
    const std::optional<Region> region = parse_region(session, command, operands);
    if (!region) {
        return Outcome::failed;
    }
    session.out().begin_list("matches");
    Find find(session, options, *region);
    const Status status = find.run();
    session.out().add("count", find.found());
    if (was_interrupted(status)) {
        return session.out().interrupted("find", region->offset, find.done(), region->length);
    }
    if (!status.ok()) {
        return command_failed(session, command, status);
    }
    if (find.found() > 0) {
        return Outcome::ok;
    }
    const std::string text = fmt::format("not found in {} at offset {}", bytes_text(region->length), region->offset);
    return command_failed(session, command, Status::error(ENOENT, text));
}

} // namespace

constexpr Command find_commands[] = {
    {.name = "find", .run = with_options<find_options, run_find>,
     .argmax = -1, .needs_image = true, .waits_for_aio = true, .is_ours = true,
     .operands = "[off [len]]",
     .oneline = "find bytes, a text, zeros or data in the image",
     .help =
         "Reports the offset of the first match in the range, or with -a of all matches, which do not overlap. Without LEN\n"
         "the range ends with the image; without OFF it is the whole image. Holes are not read. The command fails if\n"
         "nothing is found.\n"
         "\n"
         "Example: find -a -x 55aa 0 1M    places of the two bytes in the first MiB\n"
         "         find -nz                where the first data is\n",
     .options = option_table<find_options>(), .words = range_words},
};

} // namespace zoneio
