// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/report/json_record.h"

#include "block/base/utf8.h"
#include "commands/text/print.h"

#include <cassert>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>

namespace zoneio {

namespace {

/// Approximate limit of the memory for a record.
constexpr size_t buffer_size = 32768;

/// Name of an errno; null for 0.
const char* errno_name(int code) {
    return code == 0 ? nullptr : strerrorname_np(code);
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const std::optional<Utf8Character> character = first_character(text);
        const size_t length = character ? character->length : 0;
        const char first = text.front();
        if (length == 0) {
            out += "\xef\xbf\xbd";
        } else if (first == '"' || first == '\\') {
            out += '\\';
            out += first;
        } else if (first == '\n') {
            out += "\\n";
        } else if (length == 1 && (static_cast<unsigned char>(first) < 0x20 || first == 0x7f)) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(first));
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(std::max<size_t>(length, 1));
    }
    out += '"';
}

void JsonRecord::begin(std::string_view type, std::string_view command, uint64_t& lines) {
    lines_ = &lines;
    head_ = ",\"type\":";
    append_json_string(head_, type);
    head_ += ",\"command\":";
    append_json_string(head_, command);
    body_.clear();
    is_begun_ = false;
    last_ = '"';
    depth_ = 0;
    list_is_open_ = false;
    failure_.reset();
    explained_.reset();
    warnings_.clear();
    text_.clear();
}

void JsonRecord::add_hex(std::string_view name, const uint8_t* data, uint64_t length) {
    static constexpr char digits[] = "0123456789abcdef";
    begin_member(name);
    body_ += '"';
    for (uint64_t i = 0; i < length; i++) {
        body_ += digits[data[i] >> 4U];
        body_ += digits[data[i] & 0xfU];
        if (body_.size() >= buffer_size) {
            write_out();
        }
    }
    put_raw("\"");
}

void JsonRecord::begin_object(std::string_view name) {
    begin_member(name);
    put_raw("{");
    depth_++;
}

void JsonRecord::begin_list(std::string_view name) {
    begin_member(name);
    put_raw("[");
    list_is_open_ = true;
}

void JsonRecord::begin_element() {
    assert(list_is_open_);
    separate();
    put_raw("{");
    depth_++;
}

void JsonRecord::end() {
    put_raw("}");
    depth_--;
    if (body_.size() >= buffer_size) {
        write_out();
    }
}

void JsonRecord::add_failure(int code, std::string_view kind, std::string_view message, std::string_view reason) {
    message = without_newlines(message);
    if (failure_) {
        failure_->message += '\n';
        failure_->message += message;
        return;
    }
    failure_ = Failure{code, kind, std::string(message), std::string(without_newlines(reason))};
}

void JsonRecord::finish(bool ok) {
    while (depth_ > 0) {
        end();
    }
    close_list();
    add_outcome(ok);
    body_ += "}\n";
    write_out();
    fflush(stdout);
}

void JsonRecord::add_outcome(bool ok) {
    if (!ok && !failure_ && !text_.empty()) {
        // If nothing else was reported, the text is the error.
        add_failure(0, "failed", text_, text_);
        text_.clear();
    }
    if (!text_.empty()) {
        add("output", text_);
    }
    if (!warnings_.empty()) {
        begin_list("warnings");
        for (const std::string& warning : warnings_) {
            add_element(warning);
        }
        close_list();
    }
    add("status", ok ? "ok" : "error");
    if (ok) {
        return;
    }
    const Failure failure = failure_.value_or(Failure{0, "failed", "failed", "failed"});
    begin_object("error");
    const char* const name = errno_name(failure.code);
    name != nullptr ? add("errno", name) : add("errno", nullptr);
    add("kind", failure.kind);
    add("message", failure.message);
    add("reason", failure.reason);
    if (explained_) {
        add("cause", explained_->cause);
        add("explanation", explained_->explanation);
        if (explained_->more) {
            explained_->more(*this);
        }
    }
    end();
}

void JsonRecord::begin_member(std::string_view name) {
    if (depth_ == 0) {
        close_list();
    }
    separate();
    body_ += '"';
    body_ += name;
    put_raw("\":");
}

void JsonRecord::separate() {
    if (last_ != '{' && last_ != '[' && last_ != ':') {
        body_ += ',';
    }
}

void JsonRecord::close_list() {
    if (list_is_open_ && depth_ == 0) {
        put_raw("]");
        list_is_open_ = false;
    }
}

void JsonRecord::put(std::string_view text) {
    append_json_string(body_, text);
    last_ = '"';
}

void JsonRecord::put(double value) {
    body_ += fmt::format("{:.4f}", value);
    last_ = '0';
}

void JsonRecord::put(bool value) {
    put_raw(value ? "true" : "false");
}

void JsonRecord::put_number(uint64_t value) {
    body_ += fmt::format_int(value).str();
    last_ = '0';
}

void JsonRecord::put_signed(int64_t value) {
    body_ += fmt::format_int(value).str();
    last_ = '0';
}

void JsonRecord::put_raw(std::string_view json) {
    body_ += json;
    last_ = json.back();
}

void JsonRecord::write_out() {
    if (!is_begun_) {
        is_begun_ = true;
        print_to(stdout, "{{\"seq\":{}{}", ++*lines_, head_);
    }
    fwrite_unlocked(body_.data(), 1, body_.size(), stdout);
    body_.clear();
}

} // namespace zoneio
