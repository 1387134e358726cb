// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "block/base/cause.h"

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace zoneio {

/// Outcome of an operation: success, or an errno with an optional text for people and an optional cause for programs.
/// Success is 0 and a null pointer, so returning and testing it is cheap.
class [[nodiscard]] Status {
public:
    Status() = default;
    Status(Status&&) = default;
    Status& operator=(Status&&) = default;
    Status(const Status& other)
        : code_(other.code_), cause_(other.cause_), details_(other.details_ ? new Details(*other.details_) : nullptr) {}
    Status& operator=(const Status& other) { return *this = Status(other); }
    ~Status() = default;

    /// An error whose text is that of strerror(3). `code` is a positive errno.
    static Status from_errno(int code, Cause cause = Cause::none) {
        Status status;
        status.code_ = code;
        status.cause_ = cause;
        return status;
    }

    /// An error with its own text, which may have several lines. `code` is a positive errno.
    static Status error(int code, std::string text) {
        Status status = from_errno(code);
        status.details().text = std::move(text);
        return status;
    }

    /// EINVAL with its own text: what the user gave cannot be right.
    static Status invalid(std::string text) { return error(EINVAL, std::move(text)); }

    /// Adds the cause. Called where the error arises.
    Status because(Cause cause, CauseFacts facts) &&;
    Status because(Cause cause) &&;
    /// Replaces the text; code and cause stay.
    Status with_text(std::string text) &&;
    /// Puts `prefix` before the message of an error; code and cause stay. Does not change a success.
    Status prefixed(std::string_view prefix) &&;

    bool ok() const { return code_ == 0; }
    /// 0, or a positive errno.
    int code() const { return code_; }
    /// True if the text was given, false if it comes from strerror(3).
    bool has_text() const { return details_ != nullptr && details_->text.has_value(); }
    /// The text given, or that of strerror(3) for the code.
    std::string message() const;

    Cause cause() const { return cause_; }
    /// The facts of the cause; empty if none were given.
    const CauseFacts& facts() const;

    // As of a Result without a value, for TRY.
    Status status() && { return std::move(*this); }
    void value() && {}

private:
    struct Details {
        std::optional<std::string> text;
        CauseFacts facts;
    };

    Details& details() {
        if (!details_) {
            details_ = std::make_unique<Details>();
        }
        return *details_;
    }

    int code_ = 0;
    Cause cause_ = Cause::none;
    std::unique_ptr<Details> details_;
};

/// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
public:
    // Implicit, so that functions can `return value;` and `return status;`.
    Result(T value) : value_(std::move(value)) {}
    Result(Status status) : status_(std::move(status)) {}

    bool ok() const { return value_.has_value(); }
    T value() && { return std::move(*value_); }
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

/// The value of a Result; nothing for a Status. If it is an error, the function that TRY stands in returns it. For whole statements,
/// initializers and single arguments: `TRY(node.flush());`, `const uint64_t bytes = TRY(node.length());`.
#define TRY(expression)                          \
    ({                                           \
        auto&& tried = (expression);             \
        if (!tried.ok()) {                       \
            return std::move(tried).status();    \
        }                                        \
        std::move(tried).value();                \
    })

} // namespace zoneio
