// SPDX-License-Identifier: GPL-3.0-or-later
//
// A write log of a zoned device, replayed to each of its marks, gives the zones and data of a device on which the commands up to
// there were run. Random devices, commands and sessions. Environment: ZONEIO_LOG_SESSIONS, how many (1000 for the long run), and
// ZONEIO_SEED.
#include "random_session.h"
#include "test_setting.h"

#include <filesystem>
#include <gtest/gtest.h>

namespace zoneio {
namespace {

using testing::QuietSession;
using testing::RandomCommands;
using testing::setting;

constexpr unsigned marks = 10;

std::string zones_of(Session& session) {
    std::string zones;
    (void)session.backend().zone_report(0, UINT32_MAX, [&](const ZoneDescriptor& zone) {
        zones += fmt::format("{} {} {}\n", zone.start, static_cast<unsigned>(zone.state), zone.write_pointer);
    });
    return zones;
}

/// Zones that are offline have none.
std::vector<uint8_t> data_of(Session& session) {
    std::vector<ZoneDescriptor> zones;
    (void)session.backend().zone_report(0, UINT32_MAX, [&](const ZoneDescriptor& zone) { zones.push_back(zone); });
    std::vector<uint8_t> data;
    for (const ZoneDescriptor& zone : zones) {
        const size_t begin = data.size();
        data.resize(begin + zone.length);
        if (zone.state != ZoneState::offline) {
            const Status status = session.backend().execute(Request::read(zone.start, IoVec(&data[begin], zone.length)));
            EXPECT_TRUE(status.ok()) << status.message();
        }
    }
    return data;
}

class ReplayedSessions : public ::testing::Test {
protected:
    void SetUp() override { std::filesystem::create_directories(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string file(const std::string& name) const { return folder_ + '/' + name; }
    void copy(const std::string& from, const std::string& to) const {
        std::filesystem::copy_file(file(from), file(to), std::filesystem::copy_options::overwrite_existing);
    }
    void must(QuietSession& session, const std::string& line) {
        ASSERT_TRUE(session.run(line)) << line << ": " << session.output() << history_;
    }
    void run(uint64_t seed);
    void open_both(bool goes_on);
    void expect_same_at(unsigned mark, bool at_rest);

    std::string folder_ = std::filesystem::temp_directory_path() / fmt::format("zoneio-replay-{}", getpid());
    QuietSession logged_;
    QuietSession plain_; ///< runs the same commands without a log
    std::string history_;
};

void ReplayedSessions::open_both(bool goes_on) {
    must(logged_, fmt::format("open -o driver=blklogwrites,file.driver=zoned,file.filename={},log.driver=file,log.filename={},log-append={}",
                              file("logged"), file("log"), goes_on ? "on" : "off"));
    must(plain_, "open " + file("plain"));
    history_ += "(open)\n";
}

void ReplayedSessions::expect_same_at(unsigned mark, bool at_rest) {
    copy("before", "replayed");
    QuietSession replayed;
    must(replayed, "open " + file("replayed"));
    must(replayed, fmt::format("replay --to m{} {}", mark, file("log")));
    if (at_rest) {
        // The other two devices have been reopened, which closes open zones.
        must(replayed, "close");
        must(replayed, "open " + file("replayed"));
    }
    ASSERT_EQ(zones_of(logged_.session()), zones_of(plain_.session())) << "mark " << mark << '\n' << history_;
    ASSERT_EQ(zones_of(replayed.session()), zones_of(plain_.session())) << "mark " << mark << '\n' << history_;
    ASSERT_TRUE(data_of(replayed.session()) == data_of(plain_.session())) << "mark " << mark << '\n' << history_;
}

void ReplayedSessions::run(uint64_t seed) {
    std::mt19937_64 random(seed);
    RandomCommands commands(seed, folder_);
    QuietSession first;
    const std::string create = commands.create_zoned(file("before"));
    history_ = fmt::format("seed {}\n{}\n", seed, create);
    must(first, create);
    must(first, "open " + file("before"));
    for (uint64_t step = random() % 8; step > 0; step--) {
        const std::string line = commands.zone_command();
        history_ += line + '\n';
        (void)first.run(line);
    }
    (void)first.run("close");
    copy("before", "logged");
    copy("before", "plain");
    std::filesystem::remove(file("log"));
    must(first, "create -F " + file("log") + " 0");
    open_both(false);
    for (unsigned mark = 0; mark < marks && !HasFatalFailure(); mark++) {
        for (uint64_t step = random() % 6; step > 0; step--) {
            const std::string line = commands.zone_command();
            if (line.starts_with("reopen")) {
                continue;
            }
            history_ += line + '\n';
            const bool done = plain_.run(line);
            EXPECT_EQ(logged_.run(line), done) << line << '\n' << logged_.output() << history_;
        }
        must(logged_, fmt::format("mark m{}", mark));
        expect_same_at(mark, false);
        if (random() % 5 == 0 && !HasFatalFailure()) {
            (void)logged_.run("close");
            (void)plain_.run("close");
            open_both(true);
            expect_same_at(mark, true);
        }
    }
    (void)logged_.run("close");
    (void)plain_.run("close");
}

TEST_F(ReplayedSessions, EachMarkIsTheDeviceAsItWas) {
    const unsigned long sessions = setting("ZONEIO_LOG_SESSIONS", 40);
    const unsigned long seed = setting("ZONEIO_SEED", 1);
    for (unsigned long i = 0; i < sessions && !HasFailure(); i++) {
        run(seed + i);
    }
    printf("%lu sessions with %u marks passed\n", sessions, marks);
}

} // namespace
} // namespace zoneio
