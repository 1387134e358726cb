// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/report/report.h"

#include "block/base/decimal.h"
#include "block/base/size.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/compile.h>
#include <stdio_ext.h>
#include <unistd.h>

namespace zoneio {

namespace {

using Nanoseconds = std::chrono::nanoseconds;

double seconds(Nanoseconds elapsed) {
    // At least 1 ns, so that the rate is finite.
    return std::max<double>(static_cast<double>(elapsed.count()), 1.0) / 1e9;
}

void append(fmt::memory_buffer& out, std::string_view text) {
    out.append(text.data(), text.data() + text.size());
}

/// `h:mm:ss.ss`, or `00.00 sec` below one second if `allow_short` is set.
void append_time(fmt::memory_buffer& out, Nanoseconds elapsed, bool allow_short) {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
    const double part = static_cast<double>((elapsed - std::chrono::seconds(whole)).count()) / 1e9;
    if (whole == 0 && allow_short) {
        append_fixed(out, part, 2, 5);
        append(out, " sec");
        return;
    }
    append_text(out, "{}:{:02}:", whole / 3600, whole / 60 % 60);
    append_fixed(out, static_cast<double>(whole % 60) + part, 2, 5);
}

} // namespace

int Reporter::lost_output() {
    flush();
    return lost_output_;
}

void Reporter::note_lost_output() {
    if ((holds_own_ || is_json()) && lost_output_ == 0) {
        lost_output_ = errno != 0 ? errno : EIO;
    }
}

void Reporter::write_now(std::string_view text) {
    if (__fpending(stdout) == 0) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        text.remove_prefix(static_cast<size_t>(std::max<ssize_t>(written, 0)));
        if (text.empty()) {
            return;
        }
    }
    write(text);
    flush();
}

void Reporter::request(const RequestReport& report, bool for_machines) {
    if (JsonRecord* const record = json_record()) {
        record_request(*record, report);
        return;
    }
    if (deterministic_) {
        request_without_times(report, for_machines);
        return;
    }
    const double time = seconds(report.elapsed);
    const double rate = static_cast<double>(report.bytes) / time;
    const double ops = 1.0 / time;
    fmt::memory_buffer out;
    if (for_machines) {
        const fmt::format_int bytes(report.bytes);
        append(out, {bytes.data(), bytes.size()});
        append(out, ",1,");
        append_time(out, report.elapsed, false);
        append(out, ",");
        append_fixed(out, rate, 3);
        append(out, ",");
        append_fixed(out, ops, 3);
        append(out, "\n");
    } else {
        fmt::format_to(fmt::appender(out), FMT_COMPILE("{} {}/{} bytes at offset {}\n"), report.verb, report.bytes,
                       report.bytes, report.offset);
        append_size(out, static_cast<double>(report.bytes));
        append(out, ", 1 ops; ");
        append_time(out, report.elapsed, true);
        append(out, " (");
        append_size(out, rate);
        append(out, "/sec and ");
        append_fixed(out, ops, 4);
        append(out, " ops/sec)\n");
    }
    write({out.data(), out.size()});
}

void Reporter::request_without_times(const RequestReport& report, bool for_machines) {
    if (for_machines) {
        print("{},X,XX:XX:XX.X,XXX,XXX\n", report.bytes);
        return;
    }
    print("{} {}/{} bytes at offset {}\n{}, X ops; XX:XX:XX.X (XXX YYY/sec and XXX ops/sec)\n", report.verb, report.bytes,
          report.bytes, report.offset, format_size(report.bytes));
}

void Reporter::mismatch(const DataMismatch& mismatch) {
    if (failures_ != nullptr) {
        failures_->note(mismatch);
    }
    const std::string text = fmt::format("Pattern verification failed at offset {}, {} bytes\n", mismatch.compared_offset,
                                         mismatch.compared_bytes);
    if (record_failure(Kind::mismatch, 0, text, "the data differs from the pattern")) {
        return;
    }
    write(text);
}

void Reporter::dump(const uint8_t* data, uint64_t length, uint64_t offset) {
    if (JsonRecord* const record = json_record()) {
        record->begin_object("data");
        record->add("offset", offset);
        record->add_hex("hex", data, length);
        record->end();
        return;
    }
    constexpr uint64_t row = 16;
    constexpr std::string_view digits = "0123456789abcdef";
    fmt::memory_buffer out;
    for (uint64_t begin = 0; begin < length; begin += row) {
        const uint64_t count = std::min(row, length - begin);
        fmt::format_to(fmt::appender(out), FMT_COMPILE("{:08x}:  "), offset + begin);
        std::array<char, 4 * row + 2> text;
        char* end = text.data();
        for (uint64_t i = 0; i < count; i++) {
            const uint8_t byte = data[begin + i];
            *end++ = digits[byte >> 4];
            *end++ = digits[byte & 0xf];
            *end++ = ' ';
        }
        *end++ = ' ';
        for (uint64_t i = 0; i < count; i++) {
            const uint8_t byte = data[begin + i];
            const bool plain = byte < 0x80 && std::isalnum(byte) != 0;
            *end++ = plain ? static_cast<char>(byte) : '.';
        }
        *end++ = '\n';
        out.append(text.data(), end);
        if (out.size() >= 4096) {
            write({out.data(), out.size()});
            out.clear();
        }
    }
    write({out.data(), out.size()});
}

} // namespace zoneio
