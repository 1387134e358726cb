// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/base/status.h"

#include <gtest/gtest.h>

namespace zoneio {
namespace {

TEST(Status, KeepsItsCauseWithAnotherText) {
    Status status = Status::error(EAGAIN, "locked").because(Cause::image_locked, {.name = "a.img"});
    const Status copy = status;
    status = std::move(status).with_text("Could not open: locked");
    EXPECT_EQ(status.message(), "Could not open: locked");
    EXPECT_EQ(status.code(), EAGAIN);
    EXPECT_EQ(status.cause(), Cause::image_locked);
    EXPECT_EQ(status.facts().name, "a.img");
    EXPECT_EQ(copy.message(), "locked");
    EXPECT_EQ(copy.facts().name, "a.img");
}

TEST(Status, HasACauseWithoutText) {
    const Status status = Status::from_errno(EIO).because(Cause::file_error, {.name = "a.img"});
    EXPECT_FALSE(status.has_text());
    EXPECT_EQ(status.message(), Status::from_errno(EIO).message());
    EXPECT_EQ(status.facts().name, "a.img");
    EXPECT_EQ(Status().cause(), Cause::none);
}

} // namespace
} // namespace zoneio
