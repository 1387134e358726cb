// SPDX-License-Identifier: GPL-3.0-or-later
//
// zone_apply --dry-run predicts exactly what the run does: zones, refusals and counts, for random devices and
// operations. Environment: ZONEIO_SESSIONS, number of sessions (20000 for the long run), and ZONEIO_SEED.
#include "random_session.h"
#include "test_setting.h"

#include <filesystem>
#include <gtest/gtest.h>

namespace zoneio {
namespace {

using testing::QuietSession;
using testing::RandomCommands;
using testing::setting;

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

std::vector<std::string> split(const std::string& text, std::string_view separator) {
    std::vector<std::string> parts;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + separator.size();
    }
    return parts;
}

/// The text expected from the run, derived from the dry run: `zone 3 not opened: ...`, `opened 2 of 8 zones`.
std::string promised_text(const std::string& dry) {
    std::string promised;
    for (const std::string& line : split(dry, "\n")) {
        const size_t would = line.find(" would ");
        if (line.find(" would not be ") != std::string::npos) {
            promised += replaced(line, " would not be ", " not ") + '\n';
        } else if (!line.starts_with("zone ") && would != std::string::npos) {
            promised += line.substr(line.rfind(' ') + 1) + ' ' + line.substr(0, would) + '\n';
        }
    }
    return promised;
}

/// The zones of a record that refused, and the record's counts.
std::string refusals_of(const std::string& record) {
    const size_t begin = record.find("\"zones\":[");
    const size_t end = record.find(']', begin);
    std::string found;
    for (const std::string& zone : split(record.substr(begin + 9, end - begin - 9), "},{")) {
        if (!zone.empty() && zone.find("\"refusal\":null") == std::string::npos) {
            found += replaced(replaced(zone, "{", ""), "}", "") + '\n';
        }
    }
    return found + record.substr(end + 1, record.find(",\"dry_run\"") - end - 1);
}

std::string zones_of(Session& session) {
    std::string zones;
    (void)session.backend().zone_report(0, UINT32_MAX, [&](const ZoneDescriptor& zone) {
        zones += fmt::format("{} {} {}\n", zone.start, static_cast<unsigned>(zone.state), zone.write_pointer);
    });
    return zones;
}

void run_sessions(bool json) {
    const std::string folder = std::filesystem::temp_directory_path() / fmt::format("zoneio-dry-run-{}-{}", getpid(), json);
    std::filesystem::create_directories(folder);
    const unsigned long sessions = setting("ZONEIO_SESSIONS", 200);
    const unsigned long seed = setting("ZONEIO_SEED", 1);
    uint64_t refusals = 0;
    for (unsigned long i = 0; i < sessions && !::testing::Test::HasFailure(); i++) {
        RandomCommands random(seed + i, folder);
        QuietSession session(json);
        std::string history;
        for (const std::string& line : random.open_zoned()) {
            history += line + '\n';
            (void)session.run(line);
        }
        for (unsigned step = 0; step < 12 && session.session().is_open(); step++) {
            const std::string line = random.zone_command();
            history += line + '\n';
            (void)session.run(line);
            const std::string bulk = random.bulk_operation();
            const std::string before = zones_of(session.session());
            EXPECT_TRUE(session.run("za -n " + bulk)) << history << bulk;
            const std::string dry = session.output();
            EXPECT_EQ(zones_of(session.session()), before) << "seed " << seed + i << "\n" << history << bulk;
            const bool worked = session.run("za " + bulk);
            history += "za " + bulk + '\n';
            const std::string wet = session.output();
            refusals += worked ? 0 : 1;
            EXPECT_EQ(json ? refusals_of(dry) : promised_text(dry), json ? refusals_of(wet) : wet)
                << "seed " << seed + i << "\n" << history << before << dry;
        }
    }
    EXPECT_GT(refusals, sessions) << "hardly anything was refused";
    std::filesystem::remove_all(folder);
}

TEST(DryRun, PrintsWhatTheRunPrints) {
    run_sessions(false);
}

TEST(DryRun, HasTheZonesAndCountsOfTheRecord) {
    run_sessions(true);
}

} // namespace
} // namespace zoneio
