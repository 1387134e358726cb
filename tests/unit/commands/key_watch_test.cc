// SPDX-License-Identifier: GPL-3.0-or-later
//
// Waiting for a key on a terminal, which is stdin during the test.
#include "block/base/file_descriptor.h"
#include "commands/text/key_watch.h"

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

namespace zoneio {
namespace {

class KeyWatching : public ::testing::Test {
protected:
    void SetUp() override {
        int keyboard = -1;
        int screen = -1;
        ASSERT_EQ(openpty(&keyboard, &screen, nullptr, nullptr, nullptr), 0);
        keyboard_ = FileDescriptor(keyboard);
        const FileDescriptor terminal(screen);
        stdin_ = FileDescriptor(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
        ASSERT_EQ(dup2(screen, STDIN_FILENO), STDIN_FILENO);
        // If nothing ends the wait, the test fails.
        alarm(20);
    }
    void TearDown() override {
        alarm(0);
        dup2(stdin_.get(), STDIN_FILENO);
    }

    static constexpr std::chrono::hours ever{1};
    FileDescriptor keyboard_;
    FileDescriptor stdin_;
};

TEST_F(KeyWatching, EndsWithAKey) {
    KeyWatch keys;
    ASSERT_EQ(write(keyboard_.get(), "q", 1), 1);
    EXPECT_TRUE(keys.wait(ever));
}

TEST_F(KeyWatching, SeesANewSizeThatCameBeforeTheWait) {
    KeyWatch keys;
    raise(SIGWINCH);
    EXPECT_FALSE(keys.wait(ever));
}

TEST_F(KeyWatching, LeavesSignalsAsTheyWere) {
    sigset_t before;
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    { const KeyWatch keys; }
    pthread_sigmask(SIG_SETMASK, nullptr, &after);
    EXPECT_EQ(sigismember(&before, SIGWINCH), 0);
    EXPECT_EQ(sigismember(&after, SIGWINCH), 0);
}

} // namespace
} // namespace zoneio
