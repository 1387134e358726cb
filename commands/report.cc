// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/report.h"

#include "block/size.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace zoneio {

namespace {

using Nanoseconds = std::chrono::nanoseconds;

double seconds(Nanoseconds elapsed) {
    // A clock that did not move still gives a finite rate.
    return std::max<double>(static_cast<double>(elapsed.count()), 1.0) / 1e9;
}

/// `h:mm:ss.ss`, or `00.00 sec` below a second where the short form is wanted.
void append_time(fmt::memory_buffer& out, Nanoseconds elapsed, bool allow_short) {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
    const double part = static_cast<double>((elapsed - std::chrono::seconds(whole)).count()) / 1e9;
    if (whole == 0 && allow_short) {
        fmt::format_to(fmt::appender(out), "{:05.2f} sec", part);
        return;
    }
    fmt::format_to(fmt::appender(out), "{}:{:02}:{:05.2f}", whole / 3600, whole / 60 % 60,
                   static_cast<double>(whole % 60) + part);
}

} // namespace

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
        fmt::format_to(fmt::appender(out), "{},1,", report.bytes);
        append_time(out, report.elapsed, false);
        fmt::format_to(fmt::appender(out), ",{:.3f},{:.3f}\n", rate, ops);
    } else {
        fmt::format_to(fmt::appender(out), "{} {}/{} bytes at offset {}\n{}, 1 ops; ", report.verb, report.bytes,
                       report.bytes, report.offset, format_size(static_cast<double>(report.bytes)));
        append_time(out, report.elapsed, true);
        fmt::format_to(fmt::appender(out), " ({}/sec and {:.4f} ops/sec)\n", format_size(rate), ops);
    }
    write({out.data(), out.size()});
}

void Reporter::request_without_times(const RequestReport& report, bool for_machines) {
    if (for_machines) {
        print("{},X,XX:XX:XX.X,XXX,XXX\n", report.bytes);
        return;
    }
    print("{} {}/{} bytes at offset {}\n{}, X ops; XX:XX:XX.X (XXX YYY/sec and XXX ops/sec)\n", report.verb, report.bytes,
          report.bytes, report.offset, format_size(static_cast<double>(report.bytes)));
}

void Reporter::mismatch(uint64_t offset, uint64_t bytes) {
    const std::string text = fmt::format("Pattern verification failed at offset {}, {} bytes\n", offset, bytes);
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
    fmt::memory_buffer out;
    for (uint64_t begin = 0; begin < length; begin += row) {
        const uint64_t count = std::min(row, length - begin);
        fmt::format_to(fmt::appender(out), "{:08x}:  ", offset + begin);
        for (uint64_t i = 0; i < count; i++) {
            fmt::format_to(fmt::appender(out), "{:02x} ", data[begin + i]);
        }
        out.push_back(' ');
        for (uint64_t i = 0; i < count; i++) {
            const uint8_t byte = data[begin + i];
            const bool plain = byte < 0x80 && std::isalnum(byte) != 0;
            out.push_back(plain ? static_cast<char>(byte) : '.');
        }
        out.push_back('\n');
        if (out.size() >= 4096) {
            write({out.data(), out.size()});
            out.clear();
        }
    }
    write({out.data(), out.size()});
}

} // namespace zoneio
