// SPDX-License-Identifier: GPL-3.0-or-later
//
// zone_apply: runs one operation on all zones that a filter selects.
#include "block/base/size.h"
#include "commands/families.h"
#include "commands/long_work.h"
#include "commands/zones/filter_options.h"
#include "commands/zones/filter.h"
#include "commands/zones/record.h"
#include "commands/zones/rules.h"

#include <algorithm>
#include <vector>

namespace zoneio {

namespace {

/// Number of zones that are reported at a time, because a device may have millions.
constexpr uint64_t batch_zones = 4096;

/// A zone whose operation failed; with --dry-run, each zone tried. Other zones are not reported.
struct AppliedFact {
    ZoneOperation operation;
    uint64_t number;
    const ZoneDescriptor& zone;
    std::optional<std::string> refusal;
    bool dry_run;

    void text(Reporter& out) const {
        if (refusal) {
            out.print("zone {} {}not {}{}: {}\n", number, dry_run ? "would " : "", dry_run ? "be " : "", operation.done, *refusal);
            return;
        }
        const std::optional<uint64_t> written = written_bytes(zone);
        out.print("zone {} would be {}: {}{}\n", number, operation.done, state_text(zone.state),
                  written ? fmt::format(", {} written", format_size(*written)) : "");
    }
    void json(JsonRecord& record) const {
        record.add("zone", number);
        add_zone(record, zone);
        record.add("refusal", refusal);
    }
};

/// Sum over all zones. In text mode, failures are reported as an error instead, except with --dry-run.
struct SumFact {
    ZoneOperation operation;
    bool dry_run;
    uint64_t taken;
    uint64_t failed;

    void text(Reporter& out) const {
        if (dry_run) {
            out.print("{}{} would be {}\n", failed == 0 ? "" : fmt::format("{} of ", taken - failed), zones_text(taken), operation.done);
        } else if (failed == 0) {
            out.print("{} {}\n", operation.done, zones_text(taken));
        }
    }
    void json(JsonRecord& record) const {
        record.add("taken", taken);
        record.add("refused", failed);
        record.add("dry_run", dry_run);
    }
};

class BulkOperation {
public:
    /// With `trial`, operates on it instead of on the device.
    BulkOperation(Session& session, const ZoneOperation& operation, std::unique_ptr<ZoneTrial> trial)
        : session_(session), operation_(operation), trial_(std::move(trial)) {}

    /// Operates on all selected zones. Failures of single zones are reported and counted.
    Status run(const ZoneFilter& filter) {
        const uint64_t zones = session_.backend().limits().nr_zones;
        const uint64_t last = zones == 0 ? 0 : std::min(filter.range().last, zones - 1);
        LongWork work("zone_apply", zones, LongWork::Unit::zones);
        for (uint64_t first = filter.range().first; first <= last && first < zones; first += batch_zones) {
            batch_.clear();
            const Span span{first, first + batch_zones - 1};
            const auto keep = [&](uint64_t number, const ZoneDescriptor& zone) { batch_.push_back({number, zone}); };
            const Result<uint64_t> found = trial_ ? visit_zones(*trial_, filter, span, keep)
                                                  : visit_zones(session_.backend(), filter, span, keep);
            if (!found.ok()) {
                return found.status();
            }
            for (const NumberedZone& zone : batch_) {
                // A dry run prints line by line, so it shows no progress line.
                if (trial_ ? InterruptEndsCommand::is_requested() : !work.step(zone.number)) {
                    return Status::from_errno(EINTR);
                }
                apply_to(zone);
            }
        }
        return {};
    }

    Outcome sum_up() const {
        session_.out().tell(SumFact{operation_, trial_ != nullptr, taken_, failed_});
        if (failed_ == 0 || trial_) {
            return Outcome::ok;
        }
        return session_.out().fail(Status::error(EIO, fmt::format("zones not {}: {}", operation_.done, failed_)), "{} {} of {}\n",
                            operation_.done, taken_ - failed_, zones_text(taken_));
    }

private:
    struct NumberedZone {
        uint64_t number;
        ZoneDescriptor zone;
    };

    void apply_to(const NumberedZone& taken) {
        taken_++;
        const Status status = trial_ ? trial_->manage(operation_.op, taken.zone.start, taken.zone.length)
                                     : session_.backend().execute(Request::zone_manage(operation_.op, taken.zone.start, taken.zone.length));
        std::optional<std::string> refusal;
        if (!status.ok()) {
            failed_++;
            refusal = refusal_text(operation_.op, taken.zone, status);
        }
        if (trial_ || refusal) {
            session_.out().tell_element(AppliedFact{operation_, taken.number, taken.zone, std::move(refusal), trial_ != nullptr});
        }
    }

    Session& session_;
    ZoneOperation operation_;
    std::unique_ptr<ZoneTrial> trial_;
    uint64_t taken_ = 0;
    uint64_t failed_ = 0;
    std::vector<NumberedZone> batch_;
};

struct ApplyOptions {
    ZoneFilter filter;
    bool dry_run = false; // -n
};

constexpr OptionRow<ApplyOptions> apply_options[] = {
    {{.letter = 's', .name = "state", .argument = "STATES", .help = "select zones in these states, as for zone_list", .word = Word::zone_states},
     set_filter<&ZoneFilter::set_states>},
    zone_range_row<ApplyOptions>,
    zone_fill_row<ApplyOptions>,
    {{.letter = 'n', .name = "dry-run", .help = "change nothing; run on a copy of the zone states and report the result for each zone"}, set_flag<&ApplyOptions::dry_run>},
};

Outcome run_zone_apply(Session& session, const Command& command, const ApplyOptions& options, std::span<char*> operands) {
    ZoneOperation operation{};
    if (operands.size() != 1 || !parse_enum(zone_operation_words, operands[0], operation).ok()) {
        return usage_error(session, command);
    }
    if (!options.filter.is_set()) {
        return long_command_failed(
            session, command, Status::invalid("select zones with --state, --range or --fill; --range 0- selects all"));
    }
    std::unique_ptr<ZoneTrial> trial;
    if (options.dry_run) {
        Result<std::unique_ptr<ZoneTrial>> made = session.backend().zone_trial();
        if (!made.ok()) {
            return long_command_failed(session, command, made.status());
        }
        trial = std::move(*made);
    }
    BulkOperation bulk(session, operation, std::move(trial));
    session.out().begin_list("zones");
    const Status status = bulk.run(options.filter);
    if (was_interrupted(status)) {
        (void)bulk.sum_up();
        return session.out().interrupted("zone_apply interrupted");
    }
    return status.ok() ? bulk.sum_up() : long_command_failed(session, command, status);
}

} // namespace

constexpr Command zone_apply_commands[] = {
    {.name = "zone_apply", .altname = "za", .run = with_options<apply_options, run_zone_apply>,
     .argmin = 1, .argmax = -1, .needs_image = true, .needs_zones = true, .waits_for_aio = true, .is_ours = true,
     .operands = "open|close|finish|reset",
     .oneline = "run one operation on all selected zones",
     .help =
         "Opens, closes, finishes or resets every zone that the options select. Several options narrow the selection; at\n"
         "least one is required. If a zone refuses, reports why and continues with the others; the command then fails.\n"
         "\n"
         "Example: zone_apply reset --state full --range 100-    empty all full zones from zone 100 on\n",
     .options = option_table<apply_options>(), .words = {Word::zone_operation}},
};

} // namespace zoneio
