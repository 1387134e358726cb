// SPDX-License-Identifier: GPL-3.0-or-later
//
// crash: runs a command on the states that power cuts may leave.
#include "block/export/export.h"
#include "commands/export/signals.h"
#include "commands/families.h"
#include "commands/log/check_program.h"
#include "commands/log/crash_states.h"
#include "commands/log/entries.h"
#include "commands/long_work.h"
#include "commands/text/wrapping.h"

#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <sys/stat.h>

namespace zoneio {

namespace {

struct CrashOptions {
    std::string at = "random";        // -a
    uint64_t states = 100;            // -k
    uint64_t seed = 1;                // -s
    std::optional<std::string> state; // --state
    std::optional<std::string> keep;  // --keep
    std::optional<std::string> served; // --export
};

template <uint64_t CrashOptions::*Member>
OptionStep take_number(const GivenOption& given, CrashOptions& parsed) {
    const std::optional<int64_t> number = parse_size_argument(given.session, given.word);
    parsed.*Member = static_cast<uint64_t>(number.value_or(0));
    return number ? OptionStep::next : OptionStep::failed;
}

constexpr OptionRow<CrashOptions> crash_options[] = {
    {{.letter = 'a', .name = "at", .argument = "WHERE",
      .help = "cut the power here: random, flush (before each flush, and at the end), end, after the\n"
              "entry with this number, or after this mark",
      .fallback = "random"},
     set_word<&CrashOptions::at>},
    {{.letter = 'k', .name = "states", .argument = "K",
      .help = "make at most K states of each cut; with --at random, make K cuts with one state each",
      .fallback = "100"},
     take_number<&CrashOptions::states>},
    {{.letter = 's', .name = "seed", .argument = "SEED", .help = "choose states by this seed", .fallback = "1"},
     take_number<&CrashOptions::seed>},
    {{.name = "state", .argument = "STATE", .help = "make this state only, by its name in a finding"}, set_word<&CrashOptions::state>},
    {{.name = "keep", .argument = "DIR", .help = "keep the images of findings in this folder", .word = Word::file}, set_word<&CrashOptions::keep>},
    {{.name = "export", .argument = "KIND",
      .help = "also export each state: vhost-user, at the socket $ZONEIO_SOCKET, or ublk, as $ZONEIO_DEVICE",
      .word = Word::export_kind},
     set_word<&CrashOptions::served>},
};

/// Exports a state of a crash by vhost-user or ublk while it exists. Front ends may write to it.
class ServedState {
public:
    /// `socket`: path of the socket to create, for vhost-user; empty: ublk.
    static Result<std::unique_ptr<ServedState>> create(std::unique_ptr<BlockBackend> image, const std::string& socket);
    /// Waits until nobody uses the device, and finishes requests in flight.
    ~ServedState() {
        if (export_ != nullptr) {
            export_->stop();
        }
    }
    /// Path of the socket or of the block device.
    const std::string& address() const { return export_->options().address; }
    ServedState(const ServedState&) = delete;
    ServedState& operator=(const ServedState&) = delete;

private:
    explicit ServedState(std::unique_ptr<BlockBackend> image) : image_(std::move(image)) {}

    std::unique_ptr<BlockBackend> image_;
    std::mutex turn_;
    std::unique_ptr<Export> export_;
};

Result<std::unique_ptr<ServedState>> ServedState::create(std::unique_ptr<BlockBackend> image, const std::string& socket) {
    TRY(image->require(Permissions::write));
    std::unique_ptr<ServedState> state(new ServedState(std::move(image)));
    ExportOptions options;
    options.name = "state";
    options.address = socket;
    Result<std::unique_ptr<Export>> served = socket.empty() ? export_ublk(*state->image_, state->turn_, std::move(options))
                                                            : export_vhost_user(*state->image_, state->turn_, std::move(options));
    if (!served.ok()) {
        return std::move(served).status();
    }
    state->export_ = std::move(*served);
    return state;
}

/// A state for which the command failed.
struct FindingFact {
    uint64_t number;
    uint64_t entry;
    const std::string& mark;
    std::string state;
    const CheckProgram::Answer& answer;
    std::optional<std::string> kept;

    void text(Reporter& out) const {
        out.print("finding {}: entry {}, state {}: exit status {}{}\n", number, entry, state, answer.status,
                  mark.empty() ? "" : fmt::format(", after mark {}", mark));
        for (const std::string& line : lines_of(answer.said)) {
            out.print("    {}\n", line);
        }
        out.print("  again: crash --at {} --state {} ...\n", entry, state);
        if (kept) {
            out.print("  kept: {}\n", *kept);
        }
    }
    void json(JsonRecord& record) const {
        record.add("entry", entry);
        record.add("state", state);
        record.add("mark", mark.empty() ? std::optional<std::string>() : std::optional(mark));
        record.add("exit_status", answer.status);
        record.add("said", answer.said);
        record.add("kept", kept);
    }
};

struct CrashSumFact {
    uint64_t states;
    uint64_t cuts;
    uint64_t findings;

    std::string words() const {
        return fmt::format("{} state{} of {} power cut{}", states, states == 1 ? "" : "s", cuts, cuts == 1 ? "" : "s");
    }
    void text(Reporter& out) const {
        if (findings == 0) {
            out.print("{}: no findings\n", words());
        }
    }
    void json(JsonRecord& record) const {
        record.add("states", states);
        record.add("cuts", cuts);
        record.add("found", findings);
    }
};

class Crash {
public:
    Crash(Session& session, const CrashOptions& options, CrashStates& states, CheckProgram program)
        : session_(session), options_(options), states_(states), program_(std::move(program)) {}

    Status run(const std::vector<uint64_t>& cuts, bool one_each) {
        const uint64_t per_cut = one_each || options_.state ? 1 : options_.states;
        LongWork work("crash", cuts.size() * per_cut, LongWork::Unit::states);
        for (size_t i = 0; i < cuts.size(); i++) {
            Status status = states_.go_to(cuts[i]);
            const uint64_t all = states_.cut().count();
            const uint64_t count = std::min(all, per_cut);
            for (uint64_t number = 0; status.ok() && number < count; number++) {
                const bool counted = !one_each && all <= per_cut;
                status = check_state(cuts[i], {counted, counted ? number : options_.seed + (one_each ? i : number)});
                // If a cut has fewer states, the progress jumps.
                if (status.ok() && (!work.step(i * per_cut + number + 1) || is_termination_wanted())) {
                    status = Status::from_errno(EINTR);
                }
            }
            if (!status.ok()) {
                return status;
            }
            cuts_++;
        }
        return {};
    }

    bool has_checked() const { return checked_ > 0; }
    Outcome sum_up() const {
        const CrashSumFact sum{checked_, cuts_, findings_};
        session_.out().tell(sum);
        if (findings_ == 0) {
            return Outcome::ok;
        }
        return session_.out().fail(Status::error(EUCLEAN, fmt::format("findings: {}", findings_)), "{}: {} finding{}\n", sum.words(), findings_,
                            findings_ == 1 ? "" : "s");
    }

private:
    Status check_state(uint64_t entry, PowerCut::StateId id) {
        if (options_.state) {
            const PowerCut::StateId asked = TRY(PowerCut::StateId::parse(*options_.state));
            if (asked.counted && asked.number >= states_.cut().count()) {
                return Status::invalid(fmt::format("a cut after entry {} has no state {}: it has {} states", entry, *options_.state,
                                                   states_.cut().count()));
            }
            id = asked;
        }
        TRY(states_.make(id));
        const CheckProgram::Answer answer = TRY(run_program(entry, id));
        checked_++;
        return answer.is_good() ? Status() : tell_finding(entry, id, answer);
    }

    Result<CheckProgram::Answer> run_program(uint64_t entry, const PowerCut::StateId& id) {
        std::vector<std::string> variables{"ZONEIO_IMAGE=" + states_.image_path(), fmt::format("ZONEIO_ENTRY={}", entry),
                                           "ZONEIO_STATE=" + id.text(), "ZONEIO_MARK=" + states_.mark()};
        if (!options_.served) {
            return program_.run(variables);
        }
        std::unique_ptr<BlockBackend> image = TRY(states_.open_image());
        const bool by_socket = *options_.served == "vhost-user";
        const std::string socket = by_socket ? states_.socket_path() : std::string();
        const std::unique_ptr<ServedState> served = TRY(ServedState::create(std::move(image), socket));
        variables.push_back((by_socket ? "ZONEIO_SOCKET=" : "ZONEIO_DEVICE=") + served->address());
        return program_.run(variables);
    }

    Status tell_finding(uint64_t entry, const PowerCut::StateId& id, const CheckProgram::Answer& answer) {
        findings_++;
        std::optional<std::string> kept;
        Status status;
        if (options_.keep) {
            kept = fmt::format("{}/entry-{}-{}.img", *options_.keep, entry, id.counted ? fmt::format("n{}", id.number) : id.text());
            // The command may have changed the state that it was given.
            status = states_.make(id);
            status = status.ok() ? states_.keep(*kept) : std::move(status);
        }
        session_.out().tell_element(FindingFact{findings_, entry, states_.mark(), id.text(), answer, std::move(kept)});
        return status;
    }

    Session& session_;
    const CrashOptions& options_;
    CrashStates& states_;
    CheckProgram program_;
    uint64_t checked_ = 0;
    uint64_t cuts_ = 0;
    uint64_t findings_ = 0;
};

/// The entries after which to cut, by the argument of --at.
Result<std::vector<uint64_t>> cuts_of(LogReader& reader, const CrashOptions& options) {
    if (options.at == "flush" || options.at == "end" || options.at == "random") {
        const CutPlaces places = options.at == "flush" ? CutPlaces::flushes : options.at == "end" ? CutPlaces::end : CutPlaces::random;
        return find_cuts(reader, places, options.state ? 1 : options.states, options.seed);
    }
    const LogEntry entry = TRY(find_entry(reader, options.at));
    return std::vector<uint64_t>{entry.number};
}

Status check_export(const std::optional<std::string>& kind) {
    return !kind || *kind == "vhost-user" || *kind == "ublk"
               ? Status()
               : Status::invalid(fmt::format("'{}' is no kind of export; use vhost-user or ublk", *kind));
}

Status prepare_folder(const std::optional<std::string>& folder) {
    if (folder && mkdir(folder->c_str(), 0755) < 0 && errno != EEXIST) {
        return Status::error(errno, fmt::format("'{}': {}", *folder, strerror(errno)));
    }
    return {};
}

Outcome run_crash(Session& session, const Command& command, const CrashOptions& options, std::span<char*> operands) {
    if (operands.size() < 2) {
        return usage_error(session, command);
    }
    std::optional<OpenLog> log = open_log_argument(session, command, operands[0]);
    if (!log) {
        return Outcome::failed;
    }
    if (const Status status = check_export(options.served); !status.ok()) {
        return long_command_failed(session, command, status);
    }
    log->reader->read_headers_only();
    const Result<std::vector<uint64_t>> cuts = cuts_of(*log->reader, options);
    Status status = cuts.ok() ? prepare_folder(options.keep) : cuts.status();
    if (!status.ok()) {
        return long_command_failed(session, command, status);
    }
    Result<std::unique_ptr<CrashStates>> states = CrashStates::create(session.backend(), operands[0]);
    if (!states.ok()) {
        return long_command_failed(session, command, states.status());
    }
    Crash crash(session, options, **states, CheckProgram(session.text_from(operands[1])));
    session.out().begin_list("findings");
    if (options.served == "ublk") {
        delay_termination();
    }
    status = crash.run(*cuts, options.at == "random");
    if (options.served == "ublk" && session.exports().empty()) {
        stop_delaying_termination();
    }
    const Outcome outcome = status.ok() || crash.has_checked() ? crash.sum_up() : Outcome::failed;
    return status.ok() ? outcome : long_command_failed(session, command, status);
}

} // namespace

constexpr Command crash_commands[] = {
    {.name = "crash", .run = with_options<crash_options, run_crash>,
     .argmin = 2, .argmax = -1, .needs_image = true, .waits_for_aio = true, .is_ours = true,
     .operands = "file command",
     .oneline = "run a command on the states that power cuts may leave",
     .help =
         "Creates the states that a power cut may leave of the image, from the write log in FILE, and runs a shell command on\n"
         "each. Put -- before the command. The open image must be as it was at the start of the log, and is only read: each\n"
         "state is in its own file, $ZONEIO_IMAGE. $ZONEIO_ENTRY is the last entry before the cut, $ZONEIO_MARK the last mark,\n"
         "$ZONEIO_STATE the name of the state. An exit status other than 0 is a finding; crash then fails.\n"
         "\n"
         "Example: crash --at flush --states 20 writes.log -- ./check-store $ZONEIO_IMAGE\n",
     .options = option_table<crash_options>(), .words = {Word::file}},
};

} // namespace zoneio
