// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fmt/format.h>
#include <string>
#include <string_view>

namespace zoneio {

/// What there is to say about a finished request.
struct RequestReport {
    std::string_view verb;               ///< `read`, `wrote`, `discard`, `discarded `
    uint64_t offset = 0;                 ///< bytes
    uint64_t bytes = 0;                  ///< done; a request is never done in part
    std::chrono::nanoseconds elapsed{0};
};

/// Shows results and errors, byte for byte as qemu-io does.
///
/// Results go to stdout in its default buffering, errors of the kind that carries the program's name to stderr.
class Reporter {
public:
    explicit Reporter(std::string program) : program_(std::move(program)) {}

    /// The name in front of errors and in the prompt.
    const std::string& program() const { return program_; }

    /// Times and rates are shown as XX, in the form that golden files of QEMU's suites hold.
    void set_deterministic(bool deterministic) { deterministic_ = deterministic; }

    /// A piece of a result, on stdout.
    template <typename... Args>
    void print(fmt::format_string<Args...> format, Args&&... args) {
        fmt::memory_buffer text;
        fmt::format_to(fmt::appender(text), format, std::forward<Args>(args)...);
        write({text.data(), text.size()});
    }
    void write(std::string_view text) { fwrite_unlocked(text.data(), 1, text.size(), stdout); }

    /// `PROGRAM: TEXT` on stderr.
    void error(std::string_view text);
    /// `PROGRAM: warning: TEXT` on stderr.
    void warning(std::string_view text);
    /// A line on stderr as it is.
    void plain_error(std::string_view text);

    /// The two lines about a request, or its one line for machines (-C).
    void request(const RequestReport& report, bool for_machines);
    /// Bytes as hex and text, 16 a line; `offset` is that of the first.
    void dump(const uint8_t* data, uint64_t length, uint64_t offset);

    /// Makes everything said so far visible.
    void flush() { fflush(stdout); }

private:
    void request_without_times(const RequestReport& report, bool for_machines);

    std::string program_;
    bool deterministic_ = false;
};

} // namespace zoneio
