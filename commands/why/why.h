// SPDX-License-Identifier: GPL-3.0-or-later
//
// Why something failed, in words. What is known of causes stands in tables, one for each field; a cause is a predicate over
// what is known of the failure, and words. The first that applies is the answer.
#pragma once

#include "commands/report/failure.h"
#include "commands/session.h"
#include "commands/zones/tally.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zoneio {

struct Explanation {
    std::string first;             ///< what was wrong, in a line; also the hint at a terminal
    std::vector<std::string> more; ///< the rule behind it, and how things are
    std::string repair;            ///< a command that mends it, or comes near, and does not fail; may be empty
    std::string note = {};         ///< what to know of that command; may be empty
    std::string_view cause = {};   ///< which it was, for programs: see CauseRow
};

/// Zones that are in some condition, told in a line: `zones 0 to 3, 7 and 20 others`.
class ZoneNumbers {
public:
    void add(uint64_t number);
    uint64_t count() const { return count_; }
    std::string text() const;
    uint64_t first() const { return runs_.front().first; }

    struct Run {
        uint64_t first;
        uint64_t last;
    };
    /// The first of them, without gaps between.
    const std::vector<Run>& runs() const { return runs_; }

private:
    static constexpr size_t most_runs = 6;

    std::vector<Run> runs_;
    uint64_t count_ = 0;
    uint64_t told_ = 0; ///< in runs_
};

/// Who has the device's places for open and active zones.
struct ZoneHolders {
    ZoneTally tally;
    ZoneNumbers implicit;
    ZoneNumbers explicitly;
    ZoneNumbers closed;
    std::optional<uint64_t> fullest_closed; ///< the one that loses least by being finished
    std::optional<uint64_t> fullest_open;
    std::optional<uint64_t> unwritten_open; ///< an open one that holds nothing: closing makes it empty
    std::optional<uint64_t> empty; ///< the first
};

/// The piece of a request that lies in one zone. Bytes, the offset from the begin of the device.
struct ZonePart {
    uint64_t number = 0;
    ZoneDescriptor zone;
    uint64_t offset = 0;
    uint64_t bytes = 0;
};

/// What is known of a failure. The device is asked when something of it is wanted, so zones are seen as they are now.
class Evidence {
public:
    Evidence(Session& session, const Failure& failure) : session_(session), failure_(failure) {}

    Session& session() const { return session_; }
    const Failure& failure() const { return failure_; }
    bool is(FailureKind kind) const { return failure_.kind == kind; }
    int code() const { return failure_.status.code(); }
    bool is(Cause cause) const { return failure_.status.cause() == cause; }
    const CauseFacts& facts() const { return failure_.status.facts(); }
    /// What the error is about: the file, device, driver or option that it names, else the image that was asked for.
    std::string name() const { return facts().name.empty() ? failure_.word : facts().name; }
    /// Can the error come from the rules of zones? Not where the file of an emulated device failed.
    bool may_be_zone_rule() const;

    /// Is this about a request to the image that is open now?
    bool is_request() const;
    const FailedRequest& request() const { return *failure_.request; }
    bool wants(FailedRequest::Kind kind) const { return is_request() && request().kind == kind; }
    /// A write of any kind, an append too.
    bool writes() const;
    bool zoned() const { return is_request() && limits().zoned != ZonedModel::none; }
    /// Of the device; those of none where no request to it is in question.
    const Limits& limits() const;
    uint64_t length() const;

    /// The piece of the request that breaks a rule, or else the first; null when there is none on the device. One that looks
    /// as if this request had been done there comes last.
    const ZonePart* part();
    const ZoneHolders& holders();
    /// The zones as they are now, to try something on; null when the device cannot be asked.
    std::unique_ptr<ZoneTrial> trial() const;
    /// Is there no room for `state` to become open, or active?
    bool is_open_limit_reached();
    bool is_active_limit_reached();

private:
    Session& session_;
    const Failure& failure_;
    std::optional<ZonePart> part_;
    bool looked_at_zones_ = false;
    std::optional<ZoneHolders> holders_;
};

/// A cause that `why` knows: when it applies, and the words for it.
struct CauseRow {
    std::string_view name; ///< in records: documented in json.md, and never changed
    bool (*applies)(Evidence& evidence);
    Explanation (*explain)(Evidence& evidence);
};

/// The tables, in the order in which they are asked.
std::span<const CauseRow> word_causes();
std::span<const CauseRow> open_causes();
std::span<const CauseRow> zone_causes();
std::span<const CauseRow> export_causes();
std::span<const CauseRow> image_causes();

/// Those that are about the device's limits.
inline constexpr std::string_view active_limit_cause = "active-limit";
inline constexpr std::string_view open_limit_cause = "open-limit";

/// Always finds something to say.
Explanation explain(Evidence& evidence);

/// At a terminal: the first line of that, for a command that failed on a zoned device just now.
std::optional<std::string> failure_hint(Session& session);

/// `4k`, `3M`, or the plain number: short, and exact.
std::string exact_size(uint64_t bytes);
/// `5z`, `5z+4k`
std::string zone_address(const Limits& limits, uint64_t offset);

} // namespace zoneio
