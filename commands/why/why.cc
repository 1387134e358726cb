// SPDX-License-Identifier: GPL-3.0-or-later
//
// Facts that the tables of causes use.
#include "commands/why/why.h"

#include "commands/command_table.h"
#include "commands/text/wrapping.h"
#include "commands/zones/filter.h"
#include "commands/zones/rules.h"

#include <algorithm>
#include <utility>

namespace zoneio {

namespace {

using Kind = FailedRequest::Kind;

/// True if a zone rule, other than a limit, forbids the write.
bool breaks_write_rule(const ZonePart& part) {
    const ZoneDescriptor& zone = part.zone;
    if (zone.type != ZoneType::sequential_required) {
        return zone.state == ZoneState::offline || zone.state == ZoneState::read_only;
    }
    return !has_write_pointer(zone) || part.offset != zone.write_pointer ||
           part.bytes > zone.start + zone.capacity - zone.write_pointer;
}

bool breaks_rule(const FailedRequest& request, const ZonePart& part) {
    switch (request.kind) {
    case Kind::read: return part.zone.state == ZoneState::offline;
    case Kind::manage: return !rule_against(request.op, part.zone).empty();
    case Kind::write:
    case Kind::append: return breaks_write_rule(part);
    default: return false;
    }
}

/// True if the zone looks as if this part had been written: other parts of a request are done even if one fails.
bool looks_written(const FailedRequest& request, const ZonePart& part) {
    const uint64_t end = part.offset + part.bytes;
    return request.kind == Kind::write && (part.zone.state == ZoneState::full ? end == part.zone.start + part.zone.capacity
                                                                              : end == part.zone.write_pointer);
}

/// Visits the causes of all tables in order.
template <typename Visit>
void for_each_cause(Visit&& visit) {
    for (const std::span<const CauseRow> table :
         {word_causes(), injected_causes(), log_causes(), nbd_causes(), open_causes(), zone_causes(), export_causes(), image_causes()}) {
        for (const CauseRow& cause : table) {
            if (visit(cause)) {
                return;
            }
        }
    }
}

/// True if the session would run the command now, whatever was the case when it failed.
bool may_run_now(Session& session, std::string_view line) {
    const std::string_view word = line.substr(0, line.find(' '));
    const Command* const command = find_command(word);
    if (command == nullptr || (word == "open" && session.is_open())) {
        return false;
    }
    const bool zoned = session.is_open() && session.backend().limits().zoned != ZonedModel::none;
    return (!command->needs_image || session.is_open()) && (zoned || !line.starts_with("zone_"));
}

/// A trial reopen would call the guard; it must not ask the user here.
class NoQuestions {
public:
    explicit NoQuestions(Session& session) : session_(session), guard_(std::exchange(session.guard, Guard::off)) {}
    ~NoQuestions() { session_.guard = guard_; }
    NoQuestions(const NoQuestions&) = delete;
    NoQuestions& operator=(const NoQuestions&) = delete;

private:
    Session& session_;
    Guard guard_;
};

} // namespace

void ZoneNumbers::add(uint64_t number) {
    count_++;
    if (!runs_.empty() && runs_.back().last + 1 == number) {
        runs_.back().last = number;
        told_++;
    } else if (runs_.size() < most_runs && told_ + 1 == count_) {
        runs_.push_back({number, number});
        told_++;
    }
}

std::string ZoneNumbers::text() const {
    std::string text = count_ == 1 ? "zone " : "zones ";
    for (size_t i = 0; i < runs_.size(); i++) {
        const Run& run = runs_[i];
        const bool is_last = i + 1 == runs_.size() && told_ == count_;
        text += i == 0 ? "" : is_last ? " and " : ", ";
        text += run.first == run.last ? fmt::format("{}", run.first) : fmt::format("{} to {}", run.first, run.last);
    }
    return told_ == count_ ? text : text + fmt::format(" and {} others", count_ - told_);
}

bool Evidence::may_be_zone_rule() const {
    // A zoned block device fails with the errno of a system call. Emulated zones are not involved in such an error.
    const bool is_file_of_emulation = is(Cause::file_error) && zoned() && session_.backend().emulates_zones();
    return !is_file_of_emulation && code() != ENOTSUP && code() != ENOSPC && code() != EDQUOT && code() != EFBIG;
}

std::unique_ptr<ZoneTrial> Evidence::trial() const {
    Result<std::unique_ptr<ZoneTrial>> made = session_.backend().zone_trial();
    return made.ok() ? std::move(*made) : nullptr;
}

bool Evidence::is_request() const {
    return failure_.kind == FailureKind::request && session_.is_open() && session_.image() == failure_.image;
}

bool Evidence::ends_outside() const {
    return is_request() && (request().offset > length() || request().bytes > length() - request().offset);
}

bool Evidence::writes() const {
    return wants(Kind::write) || wants(Kind::append);
}

const Limits& Evidence::limits() const {
    static const Limits none;
    return is_request() ? session_.backend().limits() : none;
}

uint64_t Evidence::length() const {
    const Result<uint64_t> length = session_.backend().length();
    return length.ok() ? *length : 0;
}

const ZonePart* Evidence::part() {
    if (looked_at_zones_ || !zoned() || limits().zone_size == 0 || request().offset >= length()) {
        return part_ ? &*part_ : nullptr;
    }
    looked_at_zones_ = true;
    const FailedRequest& failed = request();
    const uint64_t end = failed.offset + std::min(failed.bytes, length() - failed.offset);
    uint64_t number = failed.offset / limits().zone_size;
    const uint64_t zones = end == failed.offset ? 1 : (end - 1) / limits().zone_size - number + 1;
    int best = -1; // 1: breaks a rule; 0: breaks a rule, but may already be done; -1: breaks none
    const Result<uint64_t> seen = session_.backend().zone_report(failed.offset, zones, [&](const ZoneDescriptor& zone) {
        ZonePart part{number++, zone, std::max(failed.offset, zone.start), 0};
        part.bytes = std::min(end, zone.start + zone.length) - std::min(part.offset, end);
        if (failed.kind == Kind::append && has_write_pointer(zone)) {
            part.offset = zone.write_pointer;
        }
        const int rank = !breaks_rule(failed, part) ? -1 : looks_written(failed, part) ? 0 : 1;
        if (!part_ || rank > best) {
            part_ = part;
            best = rank;
        }
    });
    if (!seen.ok()) {
        part_.reset();
    }
    return part_ ? &*part_ : nullptr;
}

const ZoneHolders& Evidence::holders() {
    if (holders_) {
        return *holders_;
    }
    holders_.emplace();
    uint64_t most_closed = 0;
    uint64_t most_open = 0;
    const auto keep_fullest = [](uint64_t number, uint64_t written, uint64_t& most, std::optional<uint64_t>& fullest) {
        if (!fullest || written > most) {
            fullest = number;
            most = written;
        }
    };
    (void)visit_zones(session_.backend(), {}, {}, [&](uint64_t number, const ZoneDescriptor& zone) {
        holders_->tally.add(zone);
        const uint64_t written = written_bytes(zone).value_or(0);
        switch (zone.state) {
        case ZoneState::implicit_open: holders_->implicit.add(number); break;
        case ZoneState::explicit_open: holders_->explicitly.add(number); break;
        case ZoneState::closed: holders_->closed.add(number); break;
        case ZoneState::empty: holders_->empty = holders_->empty ? holders_->empty : number; break;
        default: break;
        }
        if (is_open(zone.state)) {
            keep_fullest(number, written, most_open, holders_->fullest_open);
            if (written == 0 && !holders_->unwritten_open) {
                holders_->unwritten_open = number;
            }
        } else if (zone.state == ZoneState::closed) {
            keep_fullest(number, written, most_closed, holders_->fullest_closed);
        }
    });
    return *holders_;
}

bool Evidence::is_open_limit_reached() {
    return limits().max_open_zones != 0 && holders().tally.open() >= limits().max_open_zones;
}

bool Evidence::is_active_limit_reached() {
    return limits().max_active_zones != 0 && holders().tally.active() >= limits().max_active_zones;
}

bool is_cause(std::string_view name) {
    bool found = false;
    for_each_cause([&](const CauseRow& cause) { return found = found || cause.name == name; });
    return found;
}

std::vector<std::string_view> cause_names() {
    std::vector<std::string_view> names;
    for_each_cause([&](const CauseRow& cause) {
        names.push_back(cause.name);
        return false;
    });
    return names;
}

Explanation explain(Evidence& evidence) {
    const NoQuestions no_questions(evidence.session());
    Explanation explanation;
    for_each_cause([&](const CauseRow& cause) {
        const bool applies = cause.applies(evidence);
        if (applies) {
            explanation = cause.explain != nullptr ? cause.explain(evidence)
                                                   : Explanation{evidence.failure().status.message(), lines_of(cause.more), std::string(cause.repair)};
            explanation.cause = cause.name;
            if (!may_run_now(evidence.session(), explanation.repair)) {
                explanation.repair.clear();
                explanation.note.clear();
            }
        }
        return applies;
    });
    return explanation;
}

std::optional<std::string> failure_hint(Session& session) {
    const Failure* const failure = session.failures().last();
    if (failure == nullptr) {
        return std::nullopt;
    }
    const Turn::Hold hold(session.turn());
    Evidence evidence(session, *failure);
    const Explanation explanation = explain(evidence);
    if (evidence.zoned() || explanation.cause == "past-end") {
        return explanation.first;
    }
    // The command has printed the first line already. The second one has the usage, the choices or the suggested name.
    const bool helps = explanation.cause == "word-count" || explanation.cause == "bad-mode" || explanation.cause == "no-such-file";
    const bool is_guess = explanation.cause != "no-such-file" || (!explanation.more.empty() && explanation.more.front().starts_with(guess));
    return helps && is_guess && !explanation.more.empty() ? std::optional(explanation.more.front()) : std::nullopt;
}

std::string exact_size(uint64_t bytes) {
    std::string_view suffixes = "kMGTPE";
    std::string suffix;
    for (; bytes != 0 && bytes % 1024 == 0; bytes /= 1024) {
        suffix = suffixes.front();
        suffixes.remove_prefix(1);
    }
    return fmt::format("{}{}", bytes, suffix);
}

std::string zone_address(const Limits& limits, uint64_t offset) {
    const uint64_t inside = offset % limits.zone_size;
    const std::string zone = fmt::format("{}z", offset / limits.zone_size);
    return inside == 0 ? zone : zone + '+' + exact_size(inside);
}

} // namespace zoneio
