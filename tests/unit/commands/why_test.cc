// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/why/why.h"

#include "commands/command_table.h"
#include "random_session.h"

#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

namespace zoneio {
namespace {

/// Names of causes are an interface for programs.
TEST(Causes, NamesAreUniqueAndDocumented) {
    std::ifstream file(ZONEIO_SOURCE_DIR "/docs/json.md");
    std::stringstream text;
    text << file.rdbuf();
    std::set<std::string_view> names;
    for (const std::span<const CauseRow> table : {word_causes(), open_causes(), zone_causes(), image_causes()}) {
        for (const CauseRow& cause : table) {
            EXPECT_TRUE(names.insert(cause.name).second) << cause.name;
            EXPECT_NE(text.str().find(fmt::format("`{}`", cause.name)), std::string::npos) << cause.name << " is not in json.md";
        }
    }
}

/// The answer of `why` for a failed request, or for a failure noted by the Reporter.
class Explained : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(quiet_.run("open -o driver=zoned,size=4M,zone.size=1M")); }

    Explanation request(FailedRequest::Kind kind, Status status) {
        session().failures().begin("write 0 4k");
        session().failures().finish(find_command("write"), FailedRequest{kind, {}, 0, 4096, std::move(status)});
        return last();
    }
    Explanation last() {
        Evidence evidence(session(), *session().failures().last());
        return explain(evidence);
    }
    Session& session() { return quiet_.session(); }

    testing::QuietSession quiet_;
};

/// A zoned device has its own rules for EIO; errors of the file below it are not due to these.
TEST_F(Explained, ErrorsOfTheFileBelowZonesNameTheFile) {
    struct Case {
        int code;
        const char* cause;
    };
    for (const auto& [code, cause] : {Case{ENOSPC, "no-space"}, Case{EDQUOT, "quota-used-up"}, Case{EFBIG, "file-too-large"},
                                      Case{EIO, "file-failed"}}) {
        for (const FailedRequest::Kind kind : {FailedRequest::Kind::write, FailedRequest::Kind::append, FailedRequest::Kind::manage}) {
            const Explanation told = request(kind, Status::from_errno(code).because(Cause::file_error, {.name = "/disk/z.img"}));
            EXPECT_EQ(told.cause, cause);
            EXPECT_NE(told.first.find("'/disk/z.img'"), std::string::npos) << told.first;
            EXPECT_EQ(told.repair, "");
        }
    }
}

/// With the same errno, a refusal by the rules is about the zone.
TEST_F(Explained, RefusalsOfZonesAreNotErrorsOfTheFile) {
    EXPECT_EQ(request(FailedRequest::Kind::write, Status::from_errno(EIO, Cause::zone_rule)).cause, "nothing-wrong");
}

TEST_F(Explained, AnInterruptedCommandIsNotAFailureOfTheImage) {
    session().failures().begin("read 0 2M");
    (void)quiet_.run("read -q 0 4k");
    session().failures().begin("read 0 2M");
    session().failures().note({FailureKind::interrupted}, Status::error(EINTR, "read interrupted: 1024/2048 bytes at offset 0"));
    session().failures().finish(find_command("read"), std::nullopt);
    EXPECT_EQ(last().cause, "interrupted");
}

/// A failed asynchronous request is not a failure of the running command, and vice versa.
TEST_F(Explained, CompletionsAreSeparateFromTheRunningCommand) {
    FailureLog& log = session().failures();
    log.begin("flush");
    log.note({FailureKind::usage}, Status::from_errno(EINVAL));
    {
        FailureLog::Completion completion(log);
        log.note({}, Status::from_errno(EIO));
        completion.finish(FailedRequest{FailedRequest::Kind::read, {}, 0, 512, Status::from_errno(EIO)});
    }
    EXPECT_EQ(log.last()->kind, FailureKind::request);
    EXPECT_EQ(log.last()->line, "");
    log.finish(find_command("flush"), std::nullopt);
    EXPECT_EQ(log.last()->kind, FailureKind::usage);
}

} // namespace
} // namespace zoneio
