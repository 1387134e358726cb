// SPDX-License-Identifier: GPL-3.0-or-later
//
// Incomplete messages of a server during negotiation. The golden test compat/nbd/errors has the texts.
#include "block/nbd/handshake.h"

#include <gtest/gtest.h>

namespace zoneio {
namespace {

std::string number(uint64_t value, size_t bytes) {
    std::string text;
    for (size_t i = bytes; i-- > 0;) {
        text.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
    }
    return text;
}

std::string reply(uint32_t option, uint32_t type, const std::string& data) {
    return number(0x3e889045565a9, 8) + number(option, 4) + number(type, 4) + number(data.size(), 4) + data;
}

const std::string greeting = "NBDMAGICIHAVEOPT" + number(3, 2);
const std::string export_info = number(0, 2) + number(1 << 20, 8) + number(1, 2);
const std::string block_sizes = number(3, 2) + number(512, 4) + number(4096, 4) + number(65536, 4);
constexpr uint32_t go = 7;
constexpr std::string_view context = "base:allocation";

TEST(NbdHandshake, ReadsBlockSizes) {
    const std::string bytes = greeting + reply(go, 3, block_sizes) + reply(go, 3, export_info) + reply(go, 1, "");
    const NbdHandshake handshake = read_nbd_handshake(bytes, false, context);
    ASSERT_TRUE(handshake.failure.ok()) << handshake.failure.message();
    ASSERT_TRUE(handshake.block_sizes);
    EXPECT_EQ(handshake.block_sizes->minimum, 512U);
    EXPECT_EQ(handshake.block_sizes->preferred, 4096U);
    EXPECT_EQ(handshake.block_sizes->maximum, 65536U);
}

TEST(NbdHandshake, AnIncompleteMessageIsNoFailure) {
    const std::string bytes = greeting + reply(go, 3, block_sizes) + reply(go, 3, export_info) + reply(go, 1, "");
    for (size_t length = 0; length < bytes.size(); length++) {
        const NbdHandshake handshake = read_nbd_handshake(std::string_view(bytes).substr(0, length), false, context);
        EXPECT_TRUE(handshake.failure.ok()) << length << " bytes: " << handshake.failure.message();
    }
}

TEST(NbdHandshake, AClosedConnectionNamesTheMissingPart) {
    const auto failure = [](const std::string& bytes) { return read_nbd_handshake(bytes, true, context).failure.message(); };
    const std::string end = ": Unexpected end-of-file before all data were read";
    EXPECT_EQ(failure("NBDM"), "Failed to read initial magic" + end);
    EXPECT_EQ(failure("NBDMAGICIHAVE"), "Failed to read server magic" + end);
    EXPECT_EQ(failure("NBDMAGICIHAVEOPT"), "Failed to read server flags" + end);
    EXPECT_EQ(failure(greeting + reply(go, 3, export_info).substr(0, 25)), "Failed to read option reply" + end);
}

TEST(NbdHandshake, RefusesOtherRepliesThanOnesToStarttlsByTheirHeaders) {
    const auto failure = [](uint32_t option, uint32_t type, uint64_t length) {
        const std::string header = number(0x3e889045565a9, 8) + number(option, 4) + number(type, 4) + number(length, 4);
        return read_nbd_handshake(greeting + header, false, context, true).failure.message();
    };
    const std::string none = Status().message();
    EXPECT_EQ(failure(go, 1, 0), "Unexpected option type 7 (go), expected 5 (starttls)");
    EXPECT_EQ(failure(4, 1, UINT32_MAX), "Unexpected option type 4 (<unknown>), expected 5 (starttls)");
    EXPECT_EQ(failure(99, 1, 0), "Unexpected option type 99 (<unknown>), expected 5 (starttls)");
    EXPECT_EQ(failure(5, 1, UINT32_MAX), "Option 5 ('starttls') response length is 4294967295 (it should be zero)");
    EXPECT_EQ(failure(5, 0x80000002, 32 << 20), none);
    EXPECT_EQ(failure(5, 0x80000002, (32 << 20) + 1), "server error 2147483650 (denied by policy) message is too long");
    EXPECT_EQ(failure(5, 0x8000000b, UINT32_MAX), "server error 2147483659 (<unknown>) message is too long");
}

TEST(NbdHandshake, KeepsTheCauseOfARefusal) {
    const auto cause = [](uint32_t code) {
        return read_nbd_handshake(greeting + reply(go, 0x80000000U + code, "text"), false, context).failure.cause();
    };
    EXPECT_EQ(cause(5), Cause::tls_required);
    EXPECT_EQ(cause(6), Cause::no_such_export);
    EXPECT_EQ(cause(2), Cause::none);
}

TEST(NbdHandshake, StopsWhereTlsBegins) {
    const NbdHandshake handshake = read_nbd_handshake(greeting + reply(5, 1, "") + "\x16\x03\x01", true, context);
    EXPECT_TRUE(handshake.is_encrypted);
    EXPECT_TRUE(handshake.failure.ok());
}

} // namespace
} // namespace zoneio
