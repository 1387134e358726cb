// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/why/why.h"

#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

namespace zoneio {
namespace {

/// The names of causes are an interface: programs go by them.
TEST(Causes, EachHasANameOfItsOwnThatIsDocumented) {
    std::ifstream file(ZONEIO_SOURCE_DIR "/docs/json.md");
    std::stringstream text;
    text << file.rdbuf();
    std::set<std::string_view> names;
    for (const std::span<const Cause> table : {word_causes(), open_causes(), zone_causes(), image_causes()}) {
        for (const Cause& cause : table) {
            EXPECT_TRUE(names.insert(cause.name).second) << cause.name;
            EXPECT_NE(text.str().find(fmt::format("`{}`", cause.name)), std::string::npos) << cause.name << " is not in json.md";
        }
    }
}

} // namespace
} // namespace zoneio
