// SPDX-License-Identifier: GPL-3.0-or-later
//
// Explanations of failures. Tables list the known causes, each with a predicate and a text. The first cause whose predicate
// holds gives the explanation.
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
    std::string first;             ///< the failure in one line; also the hint on a terminal
    std::vector<std::string> more = {}; ///< the rule that was broken, and the state of the zone or file
    std::string repair = {};       ///< a command that repairs it, or a step towards that, and does not fail; may be empty
    std::string note = {};         ///< remark on that command; may be empty
    std::string_view cause = {};   ///< name of the cause, for programs; see CauseRow
};

/// Zone numbers as a text: `zones 0 to 3, 7 and 20 others`.
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
    /// The first ranges, at most six.
    const std::vector<Run>& runs() const { return runs_; }

private:
    static constexpr size_t most_runs = 6;

    std::vector<Run> runs_;
    uint64_t count_ = 0;
    uint64_t told_ = 0; ///< number of zones in runs_
};

/// The open and active zones of the device.
struct ZoneHolders {
    ZoneTally tally;
    ZoneNumbers implicit;
    ZoneNumbers explicitly;
    ZoneNumbers closed;
    std::optional<uint64_t> fullest_closed; ///< the one that wastes least if it is finished
    std::optional<uint64_t> fullest_open;
    std::optional<uint64_t> unwritten_open; ///< an open zone without data: closing makes it empty
    std::optional<uint64_t> empty; ///< first empty zone
};

/// The part of a request that lies in one zone; offset in the device and length in bytes.
struct ZonePart {
    uint64_t number = 0;
    ZoneDescriptor zone;
    uint64_t offset = 0;
    uint64_t bytes = 0;
};

/// The facts about a failure. Zones are read from the device on demand, so they are as they are now.
class Evidence {
public:
    Evidence(Session& session, const Failure& failure) : session_(session), failure_(failure) {}

    Session& session() const { return session_; }
    const Failure& failure() const { return failure_; }
    bool is(FailureKind kind) const { return failure_.kind == kind; }
    int code() const { return failure_.status.code(); }
    bool is(Cause cause) const { return failure_.status.cause() == cause; }
    const CauseFacts& facts() const { return failure_.status.facts(); }
    /// The file, device, driver or option that the error names; otherwise the name of the image.
    std::string name() const { return facts().name.empty() ? failure_.word : facts().name; }
    /// True when a rule of zones may be the cause; false if the file of an emulated device failed.
    bool may_be_zone_rule() const;

    /// True when the failure is about a request to the image that is open now.
    bool is_request() const;
    const FailedRequest& request() const { return *failure_.request; }
    bool wants(FailedRequest::Kind kind) const { return is_request() && request().kind == kind; }
    /// True when the request ends after the end of the image.
    bool ends_outside() const;
    /// True for writes and appends.
    bool writes() const;
    bool zoned() const { return is_request() && limits().zoned != ZonedModel::none; }
    /// Limits of the device; default values if the failure is not about a request.
    const Limits& limits() const;
    uint64_t length() const;

    /// The part of the request that breaks a rule, otherwise its first part; null if none lies on the device. A part that
    /// seems to be already done is chosen last.
    const ZonePart* part();
    const ZoneHolders& holders();
    /// A copy of the zones as they are now, to try commands on; null if the device cannot be read.
    std::unique_ptr<ZoneTrial> trial() const;
    /// True when no other zone can become open, or active.
    bool is_open_limit_reached();
    bool is_active_limit_reached();

private:
    Session& session_;
    const Failure& failure_;
    std::optional<ZonePart> part_;
    bool looked_at_zones_ = false;
    std::optional<ZoneHolders> holders_;
};

/// A cause: its predicate and its text.
struct CauseRow {
    std::string_view name; ///< name in records; documented in json.md, never changed
    bool (*applies)(Evidence& evidence);
    Explanation (*explain)(Evidence& evidence); ///< null: the message of the failure, and then:
    std::string_view more = {};                 ///< lines
    std::string_view repair = {};
};

/// The failure arose from one of these causes.
template <Cause... causes>
bool arose_from(Evidence& evidence) {
    return (evidence.is(causes) || ...);
}
/// It is of this kind.
template <FailureKind kind>
bool is_kind(Evidence& evidence) {
    return evidence.is(kind);
}

/// The tables, in the order of search.
std::span<const CauseRow> word_causes();
std::span<const CauseRow> injected_causes();
std::span<const CauseRow> nbd_causes();
std::span<const CauseRow> open_causes();
std::span<const CauseRow> zone_causes();
std::span<const CauseRow> export_causes();
std::span<const CauseRow> log_causes();
std::span<const CauseRow> image_causes();

/// The causes about zone limits.
inline constexpr std::string_view active_limit_cause = "active-limit";
inline constexpr std::string_view open_limit_cause = "open-limit";

/// True when `name` is the name of a cause.
bool is_cause(std::string_view name);
/// The names of all causes.
std::vector<std::string_view> cause_names();

/// The explanation of a failure. Never fails.
Explanation explain(Evidence& evidence);

/// The explanation as lines for this descriptor: the failure, then the rule and the state; without the repair.
std::vector<std::string> explanation_lines(const Explanation& explanation, int fd);

/// Explains the last failure where it is reported: in its record or, with `prints`, in a line on stderr with the place
/// in the script and the cause. For Reporter::set_explainer().
void explain_failed_command(Session& session, JsonRecord* record, bool prints);

/// Start of a line that suggests a name.
inline constexpr std::string_view guess = "did you mean ";

/// On a terminal, the line of the explanation of a command that has just failed that says more than the command did.
std::optional<std::string> failure_hint(Session& session);

/// A size as a short exact text: `4k`, `3M`, or the plain number.
std::string exact_size(uint64_t bytes);
/// An offset as an address in zones: `5z`, `5z+4k`.
std::string zone_address(const Limits& limits, uint64_t offset);

} // namespace zoneio
