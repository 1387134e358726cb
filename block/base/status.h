// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace zoneio {

/// The outcome of an operation: success, or an errno with optional text for people.
/// Success is a zero and a null pointer, so returning and testing it costs nothing.
class [[nodiscard]] Status {
public:
    Status() = default;
    Status(Status&&) = default;
    Status& operator=(Status&&) = default;
    Status(const Status& other) : code_(other.code_), text_(other.text_ ? new std::string(*other.text_) : nullptr) {}
    Status& operator=(const Status& other) { return *this = Status(other); }
    ~Status() = default;

    /// A failure that strerror(3) describes well enough. `code` is a positive errno.
    static Status from_errno(int code) { return Status(code, nullptr); }

    /// A failure with its own text, which may have several lines. `code` is a positive errno.
    static Status error(int code, std::string text) {
        return Status(code, std::make_unique<std::string>(std::move(text)));
    }

    bool ok() const { return code_ == 0; }
    /// 0, or a positive errno.
    int code() const { return code_; }
    /// True when the text was given, not derived from the errno.
    bool has_text() const { return text_ != nullptr; }
    /// The text given, else strerror of the code.
    std::string message() const;

private:
    Status(int code, std::unique_ptr<std::string> text) : code_(code), text_(std::move(text)) {}

    int code_ = 0;
    std::unique_ptr<std::string> text_;
};

/// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
public:
    // Implicit on purpose: `return value;` and `return status;` both read naturally.
    Result(T value) : value_(std::move(value)) {}
    Result(Status status) : status_(std::move(status)) {}

    bool ok() const { return value_.has_value(); }
    T& value() { return *value_; }
    const T& value() const { return *value_; }
    T& operator*() { return *value_; }
    const T& operator*() const { return *value_; }
    T* operator->() { return &*value_; }
    const T* operator->() const { return &*value_; }
    const Status& status() const& { return status_; }
    Status status() && { return std::move(status_); }

private:
    std::optional<T> value_;
    Status status_;
};

} // namespace zoneio
