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

TEST(Status, TakesAPrefixOnlyIfItIsAnError) {
    const Status status = Status::from_errno(EIO).because(Cause::file_error, {.name = "a.img"}).prefixed("Error flushing: ");
    EXPECT_EQ(status.message(), "Error flushing: " + Status::from_errno(EIO).message());
    EXPECT_EQ(status.code(), EIO);
    EXPECT_EQ(status.facts().name, "a.img");
    EXPECT_TRUE(Status().prefixed("Error flushing: ").ok());
}

Result<std::unique_ptr<int>> doubled(Result<std::unique_ptr<int>> number, Status status, bool& was_reached) {
    TRY(std::move(status));
    std::unique_ptr<int> taken = TRY(std::move(number));
    was_reached = true;
    *taken *= 2;
    return taken;
}

TEST(Try, GivesTheValueOrReturnsTheError) {
    bool was_reached = false;
    EXPECT_EQ(doubled(Status::invalid("no number"), {}, was_reached).status().message(), "no number");
    EXPECT_EQ(doubled(std::make_unique<int>(1), Status::from_errno(EIO), was_reached).status().code(), EIO);
    EXPECT_FALSE(was_reached);
    EXPECT_EQ(**doubled(std::make_unique<int>(21), {}, was_reached), 42);
    EXPECT_TRUE(was_reached);
}

} // namespace
} // namespace zoneio
