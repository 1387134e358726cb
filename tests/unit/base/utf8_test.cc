// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/utf8.h"

#include <gtest/gtest.h>

namespace zoneio {
namespace {

TEST(Utf8, ReadsCharactersOfEachLength) {
    const auto is = [](std::string_view text, char32_t code, size_t length) {
        const std::optional<Utf8Character> found = first_character(text);
        return found && found->code == code && found->length == length;
    };
    EXPECT_TRUE(is("ab", 'a', 1));
    EXPECT_TRUE(is("\xc2\x80", 0x80, 2));
    EXPECT_TRUE(is("\xdf\xbf", 0x7ff, 2));
    EXPECT_TRUE(is("\xe0\xa0\x80", 0x800, 3));
    EXPECT_TRUE(is("\xef\xbf\xbfx", 0xffff, 3));
    EXPECT_TRUE(is("\xf0\x90\x80\x80", 0x10000, 4));
    EXPECT_TRUE(is("\xf4\x8f\xbf\xbf", 0x10ffff, 4));
}

TEST(Utf8, RefusesWhatIsNone) {
    for (const std::string_view text : {
             "", "\x80", "\xbf", "\xc2", "\xc2x", "\xe0\xa0", "\xf0\x90\x80", "\xff", "\xf8\x88\x80\x80\x80",
             "\xc0\x9b",         // overlong forms: they could hide control characters
             "\xe0\x82\x9b",     //
             "\xf0\x80\x82\x9b", //
             "\xed\xa0\x80",     // a surrogate
             "\xf4\x90\x80\x80", // above the last code point
         }) {
        EXPECT_FALSE(first_character(text)) << testing::PrintToString(text);
    }
}

} // namespace
} // namespace zoneio
