// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sessions of random commands on random devices, for tests of their output.
#pragma once

#include "commands/session.h"

#include <random>
#include <string>
#include <vector>

namespace zoneio::testing {

/// Runs command lines in its own session. Their output is captured.
class QuietSession {
public:
    explicit QuietSession(bool json = false);
    ~QuietSession();
    QuietSession(const QuietSession&) = delete;
    QuietSession& operator=(const QuietSession&) = delete;

    /// True if neither the command nor an asynchronous request that it started failed.
    bool run(std::string line);
    /// Output of the last command on stdout and stderr.
    const std::string& output() const { return output_; }
    Session& session() { return session_; }

private:
    Session session_;
    std::string output_;
};

/// Random devices and commands for them.
class RandomCommands {
public:
    /// `folder`: for the files of devices.
    RandomCommands(uint64_t seed, std::string folder) : random_(seed), folder_(std::move(folder)) {}

    /// Commands that create and open a zoned device or a raw image.
    std::vector<std::string> open_zoned();
    std::vector<std::string> open_raw();
    /// A command that makes a zoned device in this file.
    std::string create_zoned(const std::string& file);
    /// A command for the device opened last, which may make sense or not.
    std::string zone_command();
    std::string raw_command();
    /// A random operation with options for zone_apply.
    std::string bulk_operation();

private:
    uint64_t below(uint64_t end) { return random_() % end; }
    bool one_in(uint64_t count) { return below(count) == 0; }
    std::string pick(std::initializer_list<const char*> words) { return words.begin()[below(words.size())]; }
    /// The options of a random device. Sets size_.
    std::string geometry();
    std::string offset();
    std::string length();
    std::string range() { return offset() + ' ' + length(); }
    std::string zones() { return std::to_string(below(zones_ + 1)) + "z " + std::to_string(1 + below(one_in(3) ? zones_ : 2)) + 'z'; }

    std::mt19937_64 random_;
    std::string folder_;
    uint64_t zones_ = 1;
    uint64_t zone_size_ = 1;
    uint64_t size_ = 0;
    uint64_t block_ = 512;
};

} // namespace zoneio::testing
