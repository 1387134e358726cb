// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/links.h"

#include <functional>
#include <gtest/gtest.h>

namespace zoneio {
namespace {

NbdExport usual() {
    NbdExport made;
    made.size = 1048576;
    made.can_flush = true;
    made.can_multi_conn = true;
    return made;
}

TEST(NbdDifference, NothingBetweenEqualExports) {
    EXPECT_EQ(nbd_difference(usual(), usual()), "");
}

/// Each fact of an export is compared, and named when it differs.
TEST(NbdDifference, NamesTheFactThatDiffers) {
    struct Row {
        std::function<void(NbdExport&)> change;
        const char* text;
    };
    const Row rows[] = {
        {[](NbdExport& one) { one.size = 512; }, "its size is 512 bytes, not 1048576"},
        {[](NbdExport& one) { one.block_sizes.minimum = 512; }, "its minimum block size is 512 bytes, not 1"},
        {[](NbdExport& one) { one.block_sizes.preferred = 512; }, "its preferred block size is 512 bytes, not 4096"},
        {[](NbdExport& one) { one.block_sizes.maximum = 65536; }, "its maximum block size is 65536 bytes, not 4294967295"},
        {[](NbdExport& one) { one.read_only = true; }, "it does not support writes"},
        {[](NbdExport& one) { one.can_flush = false; }, "it does not support flush"},
        {[](NbdExport& one) { one.can_fua = true; }, "it supports FUA"},
        {[](NbdExport& one) { one.can_trim = true; }, "it supports trim"},
        {[](NbdExport& one) { one.can_zero = true; }, "it supports write zeroes"},
        {[](NbdExport& one) { one.can_fast_zero = true; }, "it supports fast zeroes"},
        {[](NbdExport& one) { one.can_multi_conn = false; }, "it does not support several connections"},
        {[](NbdExport& one) { one.has_context = true; }, "it supports block status"},
    };
    for (const Row& row : rows) {
        NbdExport other = usual();
        row.change(other);
        EXPECT_EQ(nbd_difference(usual(), other), row.text);
    }
}

TEST(NbdLinks, WithoutConnectionsNoneIsUsable) {
    const NbdLinks links;
    EXPECT_EQ(links.usable(), 0U);
    EXPECT_EQ(links.least_busy(), nullptr);
    EXPECT_EQ(links.first_usable(), nullptr);
}

} // namespace
} // namespace zoneio
