// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/text/help_text.h"
#include "commands/text/wrapping.h"

#include <cstdint>
#include <gtest/gtest.h>

namespace zoneio {
namespace {

TEST(Wrapping, BreaksAfterTheLastWordThatFits) {
    EXPECT_EQ(wrapped("", 10, 2), "");
    EXPECT_EQ(wrapped("one two", 7, 2), "one two");
    EXPECT_EQ(wrapped("one two three", 7, 2), "one two\n  three");
    EXPECT_EQ(wrapped("one two three four", 9, 2), "one two\n  three\n  four");
    EXPECT_EQ(wrapped("one two three", SIZE_MAX, 2), "one two three");
}

TEST(Wrapping, KeepsWordsAndGapsWhole) {
    EXPECT_EQ(wrapped("a much-longer-word b", 5, 1), "a\n much-longer-word\n b");
    EXPECT_EQ(wrapped("much-longer-word", 5, 1), "much-longer-word");
    EXPECT_EQ(wrapped("a    b", 6, 0), "a    b");
    EXPECT_EQ(wrapped("aa    bbbb", 6, 0), "aa\nbbbb");
    EXPECT_EQ(wrapped("    word after", 8, 4), "    word\n    after");
    EXPECT_EQ(wrapped("a b", 1, 4), "a\n    b");
}

TEST(Wrapping, CountsCharactersNotBytes) {
    EXPECT_EQ(wrapped("äöü äöü", 7, 0), "äöü äöü");
    EXPECT_EQ(wrapped("äöü äöü", 6, 0), "äöü\näöü");
}

TEST(HelpText, IsSplitIntoParagraphsOptionsAndExamples) {
    const std::vector<HelpBlock> blocks = parse_help("First\nparagraph.\n\nExample: do it    now\n\n"
                                                     "  -P, --pattern BYTE   what to write,\n"
                                                     "                       again and again\n"
                                                     "  -q                   nothing\n\nLast.\n");
    ASSERT_EQ(blocks.size(), 5U);
    EXPECT_EQ(blocks[0].text, "First paragraph.");
    EXPECT_EQ(blocks[1].kind, HelpBlock::Kind::example);
    EXPECT_EQ(blocks[1].text, "do it    now");
    EXPECT_EQ(blocks[2].tag, "-P, --pattern BYTE");
    EXPECT_EQ(blocks[2].text, "what to write, again and again");
    EXPECT_EQ(blocks[2].text_column, 23U);
    EXPECT_FALSE(blocks[3].after_blank);
    EXPECT_EQ(blocks[4].text, "Last.");
    EXPECT_TRUE(blocks[4].after_blank);
}

} // namespace
} // namespace zoneio
