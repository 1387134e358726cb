// SPDX-License-Identifier: GPL-3.0-or-later
//
// Every repair that `why` suggests is run, in sessions of random commands on random devices: none may fail.
// Environment: ZONEIO_SESSIONS, number of sessions (20000 for the long run), and ZONEIO_SEED.
#include "commands/why/why.h"

#include "random_session.h"
#include "test_setting.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <map>

namespace zoneio {
namespace {

using testing::QuietSession;
using testing::RandomCommands;
using testing::setting;

constexpr unsigned commands_each = 16;

class RepairTest : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  fmt::format("zoneio-repair-{}-{}", getpid(), ::testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    /// Opens the device and runs the commands that `next` returns.
    template <typename Next>
    void run(unsigned long seed, std::vector<std::string> (RandomCommands::*open)(), Next next) {
        RandomCommands random(seed, folder_);
        QuietSession session;
        std::string history;
        for (const std::string& line : (random.*open)()) {
            history += line + '\n';
            (void)session.run(line);
        }
        for (unsigned i = 0; i < commands_each; i++) {
            const std::string line = next(random);
            history += line + '\n';
            if (!session.run(line) && session.session().failures().last() != nullptr) {
                run_repair(session, history, seed);
            }
        }
    }

    /// Prints how often each cause occurred, and how often it had a repair.
    void show() const {
        for (const auto& [cause, counts] : counts_) {
            fmt::print("{:24} {:8} {:8} repaired\n", cause, counts.first, counts.second);
        }
    }

    uint64_t repairs_ = 0;

private:
    void run_repair(QuietSession& session, std::string& history, unsigned long seed) {
        Evidence evidence(session.session(), *session.session().failures().last());
        const Explanation explanation = explain(evidence);
        auto& [failures, repaired] = counts_[std::string(explanation.cause)];
        failures++;
        if (explanation.repair.empty()) {
            return;
        }
        repaired++;
        repairs_++;
        EXPECT_TRUE(session.run(explanation.repair))
            << "seed " << seed << "\n" << history << "why: " << explanation.cause << ": " << explanation.first << "\nrepair: "
            << explanation.repair << "\n" << session.output();
        history += explanation.repair + '\n';
    }

    std::string folder_;
    std::map<std::string, std::pair<uint64_t, uint64_t>> counts_;
};

TEST_F(RepairTest, NoneFailsOnZonedDevices) {
    const unsigned long sessions = setting("ZONEIO_SESSIONS", 200);
    const unsigned long seed = setting("ZONEIO_SEED", 1);
    for (unsigned long i = 0; i < sessions && !HasFailure(); i++) {
        run(seed + i, &RandomCommands::open_zoned, [](RandomCommands& random) { return random.zone_command(); });
    }
    show();
    EXPECT_GT(repairs_, sessions) << "hardly anything was repaired";
}

TEST_F(RepairTest, NoneFailsOnOtherImages) {
    const unsigned long sessions = setting("ZONEIO_SESSIONS", 200) / 4;
    const unsigned long seed = setting("ZONEIO_SEED", 1);
    for (unsigned long i = 0; i < sessions && !HasFailure(); i++) {
        run(seed + i, &RandomCommands::open_raw, [](RandomCommands& random) { return random.raw_command(); });
    }
    show();
    EXPECT_GT(repairs_, sessions) << "hardly anything was repaired";
}

} // namespace
} // namespace zoneio
