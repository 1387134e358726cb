// SPDX-License-Identifier: GPL-3.0-or-later
//
// dump: shows a range as hexadecimal numbers and text.
#include "commands/families.h"
#include "commands/parse_options.h"
#include "commands/region/range.h"
#include "commands/region/reader.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace zoneio {

namespace {

constexpr uint64_t row_bytes = 16;
constexpr uint64_t usual_bytes = 16 * row_bytes;
/// Output is collected up to this size, in bytes.
constexpr size_t batch_bytes = 64U << 10;

struct DumpOptions {
    std::optional<int64_t> rows; // -n
};

constexpr OptionRow<DumpOptions> dump_options[] = {
    {{.letter = 'n', .argument = "ROWS", .help = "show at most this many lines; without LEN, of the rest of the image"},
     set_length<&DumpOptions::rows>},
};

/// Consecutive rows, none of which repeats the one before.
struct RowsFact {
    uint64_t offset;
    std::string_view text_lines;
    std::span<const uint8_t> bytes;

    void text(Reporter& out) const { out.write(text_lines); }
    void json(JsonRecord& record) const {
        record.add("offset", offset);
        record.add("bytes", uint64_t{bytes.size()});
        record.add_hex("hex", bytes.data(), bytes.size());
    }
};

/// Rows that are all equal to the one before.
struct RepeatFact {
    uint64_t offset;
    uint64_t bytes;
    std::span<const uint8_t> row;

    /// Text printed its `*` when the repeat started, because the end may be far away.
    void text(Reporter& /*out*/) const {}
    void json(JsonRecord& record) const {
        record.add("offset", offset);
        record.add("bytes", bytes);
        record.add_hex("repeats", row.data(), row.size());
    }
};

/// Forms rows from data in pieces of any length.
class RowWriter {
public:
    RowWriter(Reporter& out, uint64_t offset, uint64_t most_lines) : out_(out), offset_(offset), lines_left_(most_lines) {}

    /// Adds data. False if enough lines are shown.
    bool add(const uint8_t* data, uint64_t bytes);
    bool add_zeros(uint64_t bytes);
    void finish();

private:
    bool is_full() const { return lines_left_ == 0; }
    void put(const uint8_t* row, uint64_t bytes);
    void append_line(const uint8_t* row, uint64_t bytes);
    bool is_repeat(const uint8_t* row) const { return has_last_ && memcmp(row, last_.data(), row_bytes) == 0; }
    void begin_repeat();
    void end_repeat();
    void flush();

    Reporter& out_;
    uint64_t offset_; ///< offset of the next row
    uint64_t lines_left_;
    std::array<uint8_t, row_bytes> part_{}; ///< an incomplete row
    uint64_t part_bytes_ = 0;
    std::array<uint8_t, row_bytes> last_{};
    bool has_last_ = false;
    uint64_t repeated_ = 0; ///< length of the current repeat, in bytes
    std::string lines_;
    std::vector<uint8_t> bytes_; ///< bytes of the lines, for JSON
    uint64_t lines_offset_ = 0;
};

void RowWriter::append_line(const uint8_t* row, uint64_t bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<char, 32 + 4 * row_bytes + 2> line;
    char* end = line.data();
    unsigned places = 8;
    while (places < 16 && offset_ >> (4 * places) != 0) {
        places++;
    }
    for (unsigned i = places; i-- > 0;) {
        *end++ = digits[(offset_ >> (4 * i)) & 0xf];
    }
    *end++ = ':';
    *end++ = ' ';
    *end++ = ' ';
    for (uint64_t i = 0; i < bytes; i++) {
        *end++ = digits[row[i] >> 4];
        *end++ = digits[row[i] & 0xf];
        *end++ = ' ';
    }
    end = std::fill_n(end, 3 * (row_bytes - bytes) + 1, ' ');
    for (uint64_t i = 0; i < bytes; i++) {
        *end++ = row[i] >= 0x20 && row[i] < 0x7f ? static_cast<char>(row[i]) : '.';
    }
    *end++ = '\n';
    lines_.append(line.data(), static_cast<size_t>(end - line.data()));
}

void RowWriter::flush() {
    if (!bytes_.empty()) {
        out_.tell_element(RowsFact{lines_offset_, lines_, bytes_});
    }
    lines_.clear();
    bytes_.clear();
}

void RowWriter::begin_repeat() {
    lines_left_--;
    if (!out_.is_json()) {
        out_.write("*\n");
        out_.flush();
    }
}

void RowWriter::end_repeat() {
    if (repeated_ > 0) {
        out_.tell_element(RepeatFact{offset_ - repeated_, repeated_, last_});
        repeated_ = 0;
    }
}

void RowWriter::put(const uint8_t* row, uint64_t bytes) {
    if (bytes == row_bytes && is_repeat(row)) {
        if (repeated_ == 0) {
            flush();
            begin_repeat();
        }
        repeated_ += bytes;
        offset_ += bytes;
        return;
    }
    end_repeat();
    if (bytes_.empty()) {
        lines_offset_ = offset_;
    }
    if (!out_.is_json()) {
        append_line(row, bytes);
    }
    bytes_.insert(bytes_.end(), row, row + bytes);
    lines_left_--;
    offset_ += bytes;
    has_last_ = bytes == row_bytes;
    memcpy(last_.data(), row, bytes);
    if (bytes_.size() >= batch_bytes / 4) {
        flush();
    }
}

bool RowWriter::add(const uint8_t* data, uint64_t bytes) {
    while (bytes > 0) {
        uint64_t taken = std::min(bytes, row_bytes - part_bytes_);
        if (taken == row_bytes) {
            if (is_full() && !(repeated_ > 0 && is_repeat(data))) {
                return false;
            }
            put(data, row_bytes);
        } else {
            memcpy(part_.data() + part_bytes_, data, taken);
            part_bytes_ += taken;
            if (part_bytes_ == row_bytes) {
                if (is_full() && !(repeated_ > 0 && is_repeat(part_.data()))) {
                    part_bytes_ = 0;
                    return false;
                }
                put(part_.data(), row_bytes);
                part_bytes_ = 0;
            }
        }
        data += taken;
        bytes -= taken;
    }
    return true;
}

bool RowWriter::add_zeros(uint64_t bytes) {
    static constexpr std::array<uint8_t, 4 * row_bytes> zeros{};
    // After these, all remaining rows repeat the one before.
    const uint64_t first = std::min<uint64_t>(bytes, zeros.size());
    if (!add(zeros.data(), first)) {
        return false;
    }
    const uint64_t whole = (bytes - first) / row_bytes * row_bytes;
    offset_ += whole;
    repeated_ += whole;
    return add(zeros.data(), bytes - first - whole);
}

/// If the range ends in a repeat, its end offset is shown, as in hexdump(1).
void RowWriter::finish() {
    if (part_bytes_ > 0 && !is_full()) {
        put(part_.data(), part_bytes_);
    }
    flush();
    const bool ends_repeated = repeated_ > 0;
    end_repeat();
    if (ends_repeated && !out_.is_json()) {
        out_.print("{:08x}:\n", offset_);
    }
}

Outcome run_dump(Session& session, const Command& command, const DumpOptions& options, std::span<char*> operands) {
    if (operands.empty()) {
        return usage_error(session, command);
    }
    const std::optional<Region> region = parse_region(session, command, operands, options.rows ? UINT64_MAX : usual_bytes);
    if (!region) {
        return Outcome::failed;
    }
    session.out().begin_list("data");
    RegionReader reader(session.backend(), session.scratch(), *region);
    RegionProgress progress("dump", region->length, true);
    RowWriter rows(session.out(), region->offset, options.rows ? static_cast<uint64_t>(*options.rows) : UINT64_MAX);
    Status status;
    bool wants_more = true;
    while (wants_more && status.ok() && !reader.at_end()) {
        const Result<RegionPiece> piece = reader.next();
        if (!piece.ok()) {
            status = piece.status();
            break;
        }
        wants_more = piece->data == nullptr ? rows.add_zeros(piece->bytes) : rows.add(piece->data, piece->bytes);
        status = progress.step(reader.done()) ? Status() : Status::from_errno(EINTR);
    }
    progress.end();
    rows.finish();
    if (was_interrupted(status)) {
        return session.out().interrupted("dump", region->offset, reader.done(), region->length);
    }
    return status.ok() ? Outcome::ok : command_failed(session, command, status);
}

} // namespace

constexpr Command dump_commands[] = {
    {.name = "dump", .run = with_options<dump_options, run_dump>,
     .argmin = 1, .argmax = -1, .needs_image = true, .waits_for_aio = true, .is_ours = true,
     .operands = "off [len]",
     .oneline = "show the data of a range as hex and text",
     .help =
         "Shows 16 bytes per line, as hexadecimal numbers and as text. Without LEN, shows 256 bytes, or a whole zone if OFF is\n"
         "a zone such as 5z. A * replaces lines that equal the line before.\n"
         "\n"
         "Example: dump -n 20 1M    the first 20 lines from 1 MiB on\n",
     .options = option_table<dump_options>(), .words = range_words},
};

} // namespace zoneio
