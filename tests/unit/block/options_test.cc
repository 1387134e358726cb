// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/chain/open.h"
#include "block/options/options.h"

#include "failing_allocation.h"

#include <gtest/gtest.h>
#include <new>

namespace zoneio {
namespace {

std::string json_error(const char* json) {
    const Result<Options> options = parse_json_options(json);
    return options.ok() ? "" : options.status().message();
}

std::string text_at(const Options& options, const char* key) {
    const OptionValue* value = options.find(key);
    return value == nullptr ? "absent" : option_text(*value).value_or("empty");
}

TEST(OptionString, PairsCommasAndFlags) {
    const OptionString parsed = parse_option_string("driver=raw,file.filename=a,,b,nofoo,bar");
    ASSERT_EQ(parsed.pairs.size(), 4U);
    EXPECT_EQ(parsed.pairs[1].value, "a,b");
    EXPECT_EQ(parsed.pairs[2].key, "foo");
    EXPECT_EQ(parsed.pairs[2].value, "off");
    EXPECT_EQ(parsed.pairs[3].value, "on");
    EXPECT_EQ(parsed.pairs[2].warning, "short-form boolean option 'nofoo' deprecated\nPlease use foo=off instead");
}

TEST(OptionString, TheImpliedKeyAppliesToTheFirstWordOnly) {
    const OptionString parsed = parse_option_string("a*,file=x", "enable");
    ASSERT_EQ(parsed.pairs.size(), 2U);
    EXPECT_EQ(parsed.pairs[0].key, "enable");
    EXPECT_EQ(parsed.pairs[0].value, "a*");
}

TEST(Options, SubtreeIsTakenWithoutItsPrefix) {
    Options options;
    options.set("file.driver", "file");
    options.set("file.cache.direct", true);
    options.set("filename", "x");
    const Options file = options.take_subtree("file");
    EXPECT_EQ(text_at(file, "driver"), "file");
    EXPECT_EQ(text_at(file, "cache.direct"), "on");
    EXPECT_TRUE(options.contains("filename"));
    EXPECT_FALSE(options.contains("file.driver"));
}

TEST(Options, KeysKeepTheirOrder) {
    Options options;
    for (const char* const key : {"b", "a.b", "a", "a-b", "ab", "a.a", ""}) {
        options.set(key, std::string(key));
    }
    options.set_default("a", std::string("another"));
    options.erase("a-b");
    options.erase("nothing");
    std::string keys;
    for (const auto& [key, value] : options.all()) {
        keys += key + ',';
        EXPECT_EQ(option_text(value), key);
    }
    EXPECT_EQ(keys, ",a,a.a,a.b,ab,b,");
    EXPECT_EQ(options.first_with("a."), "a.a");
    EXPECT_EQ(options.first_with("c"), std::nullopt);
    EXPECT_EQ(options.take("a.a"), "a.a");
    EXPECT_EQ(options.size(), 5U);
    Options more;
    more.set("a", std::string("another"));
    more.set("z", std::string("z"));
    options.merge_missing(more);
    EXPECT_EQ(text_at(options, "a"), "a");
    EXPECT_EQ(text_at(options, "z"), "z");
}

/// Bytes allocated while the options of a chain of `nodes` nodes are passed down.
size_t bytes_for_chain(size_t nodes) {
    Options options;
    std::string prefix;
    for (size_t i = 0; i < nodes; i++) {
        options.set(prefix + "driver", std::string("raw"));
        prefix += "file.";
    }
    const size_t before = testing::allocated_bytes;
    for (size_t i = 0; i < nodes; i++) {
        const Options given = options;
        Options below = options.take_subtree("file");
        EXPECT_EQ(given.size(), nodes - i);
        EXPECT_EQ(text_at(options, "driver"), "raw");
        options = std::move(below);
    }
    EXPECT_TRUE(options.empty());
    return testing::allocated_bytes - before;
}

TEST(Options, ALongChainSharesItsKeys) {
    // Twice as many nodes need four times the memory, because each node passes on the keys of the others. Copying the
    // keys would need eight times.
    EXPECT_LT(bytes_for_chain(400), 5 * bytes_for_chain(200));
}

TEST(Options, CopyWithoutMemory) {
    Options options;
    options.set("a key that is longer than short strings are", "a value that is longer than short strings are");
    bool copied = false;
    for (long fails_after = 0; !copied; fails_after++) {
        testing::allocations_left = fails_after;
        try {
            const Options copy = options; // NOLINT(performance-unnecessary-copy-initialization)
            copied = true;
        } catch (const std::bad_alloc&) {
        }
        testing::allocations_left = -1;
    }
    EXPECT_TRUE(copied);
}

TEST(Options, TheErrorThatQemuReportsIsReturned) {
    Options options;
    options.set("read-only", "x");
    options.set("cache.direct", "y");
    std::optional<bool> read_only;
    std::optional<bool> direct;
    const Status status = options.take_all({{"cache.direct", direct}, {"read-only", read_only}});
    EXPECT_EQ(status.message(), "Parameter 'read-only' expects 'on' or 'off'");
}

TEST(JsonOptions, NestedAndDottedKeysMix) {
    const Result<Options> options =
        parse_json_options(R"({"driver": "raw", "file": {"filename": "a", "x": [1, {"y": null}]}, "file.locking": "on"})");
    ASSERT_TRUE(options.ok());
    EXPECT_EQ(text_at(*options, "file.filename"), "a");
    EXPECT_EQ(text_at(*options, "file.locking"), "on");
    EXPECT_EQ(text_at(*options, "file.x.0"), "1");
    EXPECT_EQ(text_at(*options, "file.x.1.y"), "empty");
}

TEST(JsonOptions, NestedWinsOverDotted) {
    const Result<Options> options = parse_json_options(R"({"file": {"filename": "a"}, "file.filename": "b"})");
    ASSERT_TRUE(options.ok());
    EXPECT_EQ(text_at(*options, "file.filename"), "a");
}

TEST(JsonOptions, OptionsBelowFileOverrideAnUnusableValue) {
    std::vector<Notice> notices;
    ImageSpec spec;
    spec.filename = R"(json:{"driver": "raw", "file": 1, "file.driver": "null-co"})";
    EXPECT_TRUE(open_image(std::move(spec), notices).ok());
}

TEST(JsonOptions, NumbersKeepTheirType) {
    const Result<Options> options =
        parse_json_options(R"({"a": -1, "b": 18446744073709551615, "c": 1e3, "d": 18446744073709551616})");
    ASSERT_TRUE(options.ok());
    EXPECT_EQ(text_at(*options, "a"), "-1");
    EXPECT_EQ(text_at(*options, "b"), "18446744073709551615");
    EXPECT_EQ(text_at(*options, "c"), "1000");
    EXPECT_EQ(text_at(*options, "d"), "1.8446744073709552e+19");
}

TEST(JsonOptions, StringsAreDecoded) {
    const Result<Options> options = parse_json_options(R"({'a': 'x\'\u004d\ud83d\ude00\n'})");
    ASSERT_TRUE(options.ok());
    EXPECT_EQ(text_at(*options, "a"), "x'M\xF0\x9F\x98\x80\n");
}

TEST(JsonOptions, Errors) {
    const std::string prefix = "Could not parse the JSON options: ";
    EXPECT_EQ(json_error(""), prefix + "Expecting a JSON value");
    EXPECT_EQ(json_error("[]"), "Invalid JSON object given");
    EXPECT_EQ(json_error("{} {}"), prefix + "Expecting at most one JSON value");
    EXPECT_EQ(json_error("{} @"), prefix + "Expecting at most one JSON value");
    EXPECT_EQ(json_error("{"), prefix + "1:2: JSON parse error, premature end of input");
    EXPECT_EQ(json_error("}"), prefix + "1:1: JSON parse error, expecting value");
    EXPECT_EQ(json_error(R"({"a"})"), prefix + "1:5: JSON parse error, expecting ':'");
    EXPECT_EQ(json_error(R"({"a":1 "b":2})"), prefix + "1:8: JSON parse error, expected ',' or '}'");
    EXPECT_EQ(json_error(R"({"a":[1 2]})"), prefix + "1:9: JSON parse error, expected ',' or ']'");
    EXPECT_EQ(json_error(R"({"a":[1,]})"), prefix + "1:9: JSON parse error, expecting value");
    EXPECT_EQ(json_error(R"({"a":1,"a":2})"), prefix + "1:12: JSON parse error, duplicate key");
    EXPECT_EQ(json_error(R"({1:2})"), prefix + "1:2: JSON parse error, expecting key");
    EXPECT_EQ(json_error(R"({"a":tru})"), prefix + "1:6: JSON parse error, invalid keyword 'tru'");
    EXPECT_EQ(json_error(R"({"a":01})"), prefix + "1:6: JSON parse error, stray '01'");
    EXPECT_EQ(json_error(R"({"a":-})"), prefix + "1:6: JSON parse error, stray '-}'");
    EXPECT_EQ(json_error(R"({"a":"\x"})"), prefix + "1:6: JSON parse error, invalid escape sequence in string");
    EXPECT_EQ(json_error(R"({"a":"\ud800"})"), prefix + "1:6: JSON parse error, \\ud800 is not a valid Unicode character");
    EXPECT_EQ(json_error(R"({"a":"\u12"})"), prefix + "1:6: JSON parse error, \\u12\" is not a valid Unicode character");
    EXPECT_EQ(json_error("{\"a\":\"\x80\"}"), prefix + "1:6: JSON parse error, invalid UTF-8 sequence in string");
    EXPECT_EQ(json_error("{\"a\":\"\xfe\"}"), prefix + "1:6: JSON parse error, stray '\"\xfe'");
    EXPECT_EQ(json_error(std::string(2000, '[').c_str()), prefix + "JSON nesting depth limit exceeded");
}

TEST(JsonOptions, ErrorsHaveLineAndColumn) {
    const std::string prefix = "Could not parse the JSON options: ";
    EXPECT_EQ(json_error("{\n \"a\": @"), prefix + "2:7: JSON parse error, stray '@'");
    EXPECT_EQ(json_error("{\"\xc3\xa9\":1,,"), prefix + "1:9: JSON parse error, expecting key");
    EXPECT_EQ(json_error("{\"a\":1,\"a\":{\n}"), prefix + "2:1: JSON parse error, duplicate key");
    // QEMU counts the character that ends a number or word twice, so the column is one too large.
    EXPECT_EQ(json_error("{\"a\":1]"), prefix + "1:8: JSON parse error, expected ',' or '}'");
    EXPECT_EQ(json_error("{\"a\":1 ]"), prefix + "1:8: JSON parse error, expected ',' or '}'");
    EXPECT_EQ(json_error("{\"a\":true"), prefix + "1:11: JSON parse error, premature end of input");
    EXPECT_EQ(json_error("{\"a\":\"x\""), prefix + "1:9: JSON parse error, premature end of input");
}

} // namespace
} // namespace zoneio
