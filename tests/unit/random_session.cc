// SPDX-License-Identifier: GPL-3.0-or-later
#include "random_session.h"

#include "commands/dispatch.h"

#include <cstdio>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

namespace zoneio::testing {

namespace {

/// Captures stdout and stderr while it exists.
class Captured {
public:
    Captured() : file_(memfd_create("output", MFD_CLOEXEC)), stdout_(dup(STDOUT_FILENO)), stderr_(dup(STDERR_FILENO)) {
        fflush(stdout);
        dup2(file_, STDOUT_FILENO);
        dup2(file_, STDERR_FILENO);
    }
    Captured(const Captured&) = delete;
    Captured& operator=(const Captured&) = delete;
    ~Captured() {
        fflush(stdout);
        dup2(stdout_, STDOUT_FILENO);
        dup2(stderr_, STDERR_FILENO);
        for (const int fd : {file_, stdout_, stderr_}) {
            close(fd);
        }
    }

    std::string text() const {
        fflush(stdout);
        std::string text(static_cast<size_t>(lseek(file_, 0, SEEK_END)), '\0');
        const ssize_t read = pread(file_, text.data(), text.size(), 0);
        text.resize(static_cast<size_t>(std::max<ssize_t>(read, 0)));
        return text;
    }

private:
    int file_;
    int stdout_;
    int stderr_;
};

} // namespace

QuietSession::QuietSession(bool json) : session_("zoneio") {
    if (json) {
        session_.out().use_json();
    }
}

QuietSession::~QuietSession() {
    const Captured captured;
    session_.close();
}

bool QuietSession::run(std::string line) {
    const Captured captured;
    const uint64_t failures = session_.aio().failures();
    const bool ok = run_line(session_, line.data()) != Outcome::failed;
    if (session_.is_open() && !session_.aio().empty()) {
        session_.aio().finish(session_.backend());
    }
    output_ = captured.text();
    return ok && session_.aio().failures() == failures;
}

std::string RandomCommands::geometry() {
    block_ = one_in(4) ? 4096 : 512;
    zone_size_ = (1 + below(16)) * 16 * block_;
    zones_ = 1 + below(8);
    const uint64_t rest = one_in(4) ? below(zone_size_ / block_) * block_ : 0;
    const uint64_t conventional = one_in(3) && zones_ > 1 ? below(zones_) : 0;
    std::string text = fmt::format("zone.size={}", zone_size_);
    text += block_ == 512 ? "" : ",logical_block_size=4096";
    text += one_in(2) ? fmt::format(",zone.capacity={}", (1 + below(zone_size_ / block_)) * block_) : "";
    text += conventional > 0 ? fmt::format(",zone.conventional_zones={}", conventional) : "";
    text += one_in(2) ? fmt::format(",zone.max_open_zones={}", 1 + below(3)) : "";
    text += one_in(2) ? fmt::format(",zone.max_active_zones={}", 1 + below(4)) : "";
    text += one_in(4) ? fmt::format(",zone.max_append_bytes={}", (1 + below(16)) * block_) : "";
    if (one_in(4) && conventional + 1 < zones_) {
        text += fmt::format(",zone.{}={}", pick({"readonly", "offline"}), conventional + below(zones_ - conventional));
    }
    size_ = zones_ * zone_size_ + rest;
    return text;
}

std::vector<std::string> RandomCommands::open_zoned() {
    const std::string shape = geometry();
    if (!one_in(4)) {
        return {fmt::format("open {}-o driver=zoned,size={},{}", one_in(8) ? "-r " : "", size_, shape)};
    }
    const std::string file = folder_ + "/zones";
    return {fmt::format("create -F -f zoned -o {} {} {}", shape, file, size_), fmt::format("open {}{}", pick({"", "", "-r ", "-s ", "-n ", "-i io_uring "}), file)};
}

std::string RandomCommands::create_zoned(const std::string& file) {
    const std::string shape = geometry();
    return fmt::format("create -F -f zoned -o {} {} {}", shape, file, size_);
}

std::vector<std::string> RandomCommands::open_raw() {
    const std::string file = folder_ + "/raw";
    zone_size_ = 64U << 10;
    zones_ = 16;
    block_ = 512;
    return {fmt::format("create -F {} 1M", file),
            fmt::format("open {}-o driver=raw,file.driver=file,file.filename={}{}", pick({"", "-r ", "-s ", "-n ", "-U -r ", "-i io_uring "}),
                        file, pick({"", "", ",size=512k", ",offset=4k", ",offset=64k,size=64k"}))};
}

std::string RandomCommands::offset() {
    switch (below(8)) {
    case 0: return fmt::format("{}", below((zones_ + 1) * zone_size_ / block_) * block_);
    case 1: return fmt::format("{}", below((zones_ + 1) * zone_size_));
    case 2: return fmt::format("{}z", below(zones_ + 2));
    case 3: return fmt::format("{}z+{}", below(zones_), below(zone_size_ / block_) * block_);
    default: return fmt::format("{}z+wp", below(zones_));
    }
}

std::string RandomCommands::length() {
    switch (below(6)) {
    case 0: return fmt::format("{}", below(2 * zone_size_));
    case 1: return fmt::format("{}z", 1 + below(2));
    case 2: return fmt::format("{}", below(3) * zone_size_ / 2);
    default: return fmt::format("{}", below(zone_size_ / block_ + 2) * block_);
    }
}

std::string RandomCommands::bulk_operation() {
    const std::string filter = one_in(2) ? fmt::format("-r {}-", below(zones_))
                               : one_in(2) ? fmt::format("-r -{} -s {}", below(zones_ + 1), pick({"empty", "open", "active", "empty,open", "full"}))
                                           : "-s " + pick({"empty", "closed", "full", "implicit,empty", "active,full", "open,readonly"});
    return pick({"open", "close", "finish", "reset", "open", "close"}) + ' ' + filter;
}

std::string RandomCommands::zone_command() {
    switch (below(20)) {
    case 0: return "write -z " + range();
    case 1: return "writev " + range() + ' ' + length();
    case 2: return "aio_write -q " + range();
    case 3: return "aio_write -z " + range();
    case 4: return fmt::format("read -q{} {}", one_in(2) ? " -P 205" : "", range());
    case 5: return "aio_read -q -P 0 " + range();
    case 6: return fmt::format("zcond {} {}", zones(), pick({"readonly", "offline", "empty"}));
    case 7: return "za " + bulk_operation();
    case 8: return pick({"reopen -r", "reopen -w", "truncate 1M", "discard 0 64k", "flush", "zrp 99z 1", "zl -s nonsense", "map", "info",
                         "write 0", "nonsense", "read -P 300 0 1", "write -P x 0 1", "read -l 2k -P 1 0 1k", "zone_info", "reopen -c none"});
    case 9: return fmt::format("{} {}", pick({"zo", "zc", "zf", "zrs"}), range());
    case 10:
    case 11:
    case 12: return "write -q " + range();
    case 13:
    case 14:
    case 15: return fmt::format("zap -p {} {}", one_in(8) ? offset() : std::to_string(below(zones_ + 1)) + 'z', length());
    default: return fmt::format("{} {}", pick({"zo", "zo", "zc", "zf", "zrs"}), zones());
    }
}

std::string RandomCommands::raw_command() {
    const std::string file = folder_ + '/';
    switch (below(12)) {
    case 0: return "truncate " + pick({"64k", "4M", "8E", "7E"});
    case 1: return pick({"reopen -r", "reopen -w", "reopen -c none", "reopen -o size=64k", "reopen -o nonsense=1"});
    case 2: return pick({"close", "zrp 0 1", "zmap", "zap -p 0 4k", "wp", "read 5z 1z", "write -z -n 0 4k", "write -c 0 64k", "read -b 0 4k",
                         "write -b 0 4k", "discard 0 7E", "read 0 3G", "read x 1", "write -s /nonexistent 0 4k"});
    case 3: return "open " + file + pick({"missing", "raw", "zones", "no/such", "", "with space"});
    case 4: return fmt::format("open -o driver={},filename={}raw", pick({"zoned", "nonsense", "raw", "null-co", "file"}), file);
    case 5: return fmt::format("open -o {}", pick({"driver=zoned", "driver=zoned,size=x", "driver=null-co,size=1M,nonsense=1",
                                                   "driver=null-co,size=1M,read-only=maybe", "driver=zoned,size=1M,zone.offline=a"}));
    case 6: return "create " + file + pick({"raw 1M", "made 1M", "no/such 1M", "made x", "-f nonsense made 1M"});
    case 7: return fmt::format("read -q -P {} {} {}", below(3), below(1U << 20), below(1U << 17));
    case 8: return fmt::format("aio_write -q {} {}", below(1U << 21), below(1U << 17));
    default: return fmt::format("{} {} {}", pick({"write -q", "write -q", "discard -q", "read -q", "write -z"}), below(1U << 21), below(1U << 17));
    }
}

} // namespace zoneio::testing
