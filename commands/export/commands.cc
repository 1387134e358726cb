// SPDX-License-Identifier: GPL-3.0-or-later
//
// The commands export, exports and unexport.
#include "commands/command.h"
#include "commands/export/record.h"
#include "commands/export/signals.h"
#include "commands/families.h"
#include "commands/parse_options.h"

#include <array>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr std::string_view vhost_user = "vhost-user";
constexpr std::string_view ublk_device = "ublk";

struct ExportRequest {
    bool wait = false;
    bool once = false;
    bool read_only = false;
    bool recover = false;
    std::optional<uint16_t> queues;
    std::optional<uint16_t> depth;
    const char* name = nullptr;
    std::string_view kind; ///< an operand
    const char* address = nullptr; ///< an operand; null: none
    std::optional<uint32_t> device; ///< ublk

    ExportOptions options(const Exports& exports) const {
        ExportOptions options;
        options.name = name != nullptr ? name : exports.free_name();
        options.address = kind == vhost_user ? address : "";
        options.read_only = read_only;
        options.once = once;
        options.queues = queues.value_or(options.queues);
        options.depth = depth.value_or(options.depth);
        options.device = device;
        options.recover = recover;
        return options;
    }
};

/// Parses a number from 0 to `most`. Empty for other texts.
std::optional<uint32_t> parse_number(const char* text, unsigned long most) {
    char* end = nullptr;
    errno = 0;
    const unsigned long value = strtoul(text, &end, 10);
    const bool is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
    return is_number && value <= most ? std::optional(static_cast<uint32_t>(value)) : std::nullopt;
}

template <auto Member, uint16_t Most>
OptionStep set_count(const GivenOption& given, ExportRequest& request) {
    const std::optional<uint32_t> value = parse_number(given.word, Most);
    if (!value || *value == 0) {
        return step_after(
            given, Status::invalid(fmt::format("--{} takes a number from 1 to {}, not '{}'", given.option.name, Most, given.word)));
    }
    request.*Member = static_cast<uint16_t>(*value);
    return OptionStep::next;
}

constexpr OptionRow<ExportRequest> export_options[] = {
    {{.letter = 'w', .name = "wait", .help = "serve until SIGINT or SIGTERM, then finish requests in flight and flush"},
     set_flag<&ExportRequest::wait>},
    {{.name = "once", .help = "vhost-user: end when the first front end disconnects"}, set_flag<&ExportRequest::once>},
    {{.letter = 'r', .name = "read-only", .help = "refuse writes"}, set_flag<&ExportRequest::read_only>},
    {{.letter = 'q', .name = "queues", .argument = "N", .help = "set the number of queues, 1 to 64", .fallback = "1"},
     set_count<&ExportRequest::queues, most_export_queues>},
    {{.letter = 'd', .name = "depth", .argument = "N", .help = "ublk: set the number of requests per queue, 1 to 4096", .fallback = "128"},
     set_count<&ExportRequest::depth, most_export_depth>},
    {{.name = "recover", .help = "ublk: take over the device of a zoneio that was killed"}, set_flag<&ExportRequest::recover>},
    {{.name = "name", .argument = "NAME", .help = "set the name for exports and unexport; its first 20 bytes are the guest's serial number", .fallback = "disk0"},
     set_word<&ExportRequest::name>},
};

Status check_vhost_user(ExportRequest& request) {
    if (request.recover || request.depth) {
        return Status::invalid(fmt::format("--{} is for ublk", request.recover ? "recover" : "depth"));
    }
    return {};
}

Status check_ublk(ExportRequest& request) {
    constexpr unsigned long most_devices = (1UL << 20) - 1;
    if (request.once) {
        return Status::invalid("--once is for vhost-user; ublk has no front end that disconnects");
    }
    if (request.address != nullptr) {
        request.device = parse_number(request.address, most_devices);
        if (!request.device) {
            return Status::invalid(fmt::format("'{}' is not the number of a device, such as 0 for /dev/ublkb0",
                                               request.address));
        }
    }
    if (request.recover && !request.device) {
        return Status::invalid("--recover needs the number of the device");
    }
    if (request.recover && (request.queues || request.depth)) {
        return Status::invalid("a device that is recovered keeps its queues; --queues and --depth are for new ones");
    }
    return {};
}

Status check_kind(ExportRequest& request) {
    if (request.kind == vhost_user) {
        return check_vhost_user(request);
    }
    if (request.kind == ublk_device) {
        return check_ublk(request);
    }
    return Status::invalid(fmt::format("'{}' is no kind of export; use vhost-user or ublk", request.kind));
}

/// A warning that `why` explains.
void warn(Session& session, const Command& command, const Status& status) {
    session.out().warning(fmt::format("{}: {}", command.name, status.message()));
    session.failures().note({}, status);
    session.failures().finish(&command, std::nullopt);
}

/// Warns about geometries that Linux does not support or show.
void warn_of_zones(Session& session, const Command& command, const ExportRequest& request) {
    const Limits& limits = session.backend().limits();
    if (limits.zoned == ZonedModel::none) {
        return;
    }
    if (request.kind == vhost_user && !std::has_single_bit(limits.zone_size)) {
        const std::string text = fmt::format("zones of {} bytes: Linux guests accept only zone sizes that are powers of two", limits.zone_size);
        warn(session, command, Status::invalid(text).because(Cause::guest_zone_size, {.limit = limits.zone_size}));
    }
    const Result<uint64_t> length = session.backend().length();
    const uint64_t last_zone = length.ok() ? *length % limits.zone_size : 0;
    if (request.kind == ublk_device && limits.zoned == ZonedModel::host_managed && last_zone != 0) {
        warn(session, command,
             Status::invalid("the last zone is shorter than the others: the kernel does not show it")
                 .because(Cause::ublk_short_zone, {.limit = last_zone}));
    }
}

Status take_permission(Session& session, const ExportRequest& request) {
    if (request.read_only) {
        return {};
    }
    Status status = session.backend().require(Permissions::write);
    if (status.ok()) {
        return status;
    }
    const std::string text = fmt::format("{}; 'export -r' serves it read-only", status.message());
    return std::move(status).with_text(text);
}

int signal_event = -1;

void note_signal(int /*number*/) {
    const int before = errno;
    const uint64_t one = 1;
    (void)!write(signal_event, &one, sizeof(one));
    errno = before;
}

/// While it exists, SIGINT and SIGTERM end wait_for_end() instead of the program, also if they come before it.
class EndSignals {
public:
    EndSignals() {
        signal_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        struct sigaction action{};
        action.sa_handler = note_signal;
        action.sa_flags = SA_RESTART;
        for (size_t i = 0; i < numbers.size(); i++) {
            sigaction(numbers[i], &action, &before_[i]);
        }
    }
    ~EndSignals() {
        for (size_t i = 0; i < numbers.size(); i++) {
            sigaction(numbers[i], &before_[i], nullptr);
        }
        close(signal_event);
    }
    EndSignals(const EndSignals&) = delete;
    EndSignals& operator=(const EndSignals&) = delete;

private:
    static constexpr std::array numbers{SIGINT, SIGTERM};
    std::array<struct sigaction, numbers.size()> before_{};
};

/// Waits until the export has ended, for one of the EndSignals, or for the termination of the program.
void wait_for_end(Session& session, const Export& served) {
    session.out().flush();
    while (true) {
        pollfd events[] = {{signal_event, POLLIN, 0}, {served.ended_fd(), POLLIN, 0}, {termination_fd(), POLLIN, 0},
                           {session.news_fd(), POLLIN, 0}};
        {
            const Turn::Pause pause(session.turn());
            (void)poll(events, std::size(events), -1);
        }
        if (events[3].revents != 0) {
            session.tell_news();
            session.out().flush();
        }
        if (events[0].revents != 0 || events[1].revents != 0 || events[2].revents != 0) {
            return;
        }
    }
}

/// Ends an export and flushes the image: its writes are on the medium then, or the command fails.
Outcome end(Session& session, const Command& command, Export& served) {
    session.wait_until_unused(served);
    session.exports().stop(served);
    const Status status = session.backend().execute(Request::flush());
    if (session.exports().empty()) {
        stop_delaying_termination();
    }
    return status.ok() ? Outcome::ok : command_failed(session, command, status);
}

Result<std::unique_ptr<Export>> make_export(Session& session, const ExportRequest& request, ExportOptions options) {
    std::mutex& turn = session.turn().share();
    if (request.kind == vhost_user) {
        return export_vhost_user(session.backend(), turn, std::move(options));
    }
    const Turn::Pause pause(session.turn());
    return export_ublk(session.backend(), turn, std::move(options));
}

Outcome run_export(Session& session, const Command& command, ExportRequest& request, std::span<char*> operands) {
    request.kind = operands.empty() ? "" : operands[0];
    if (operands.empty() || operands.size() > 2 || (operands.size() == 1 && request.kind == vhost_user)) {
        return usage_error(session, command);
    }
    request.address = operands.size() > 1 ? operands[1] : nullptr;
    if (const Status status = check_kind(request); !status.ok()) {
        return command_failed(session, command, status);
    }
    ExportOptions options = request.options(session.exports());
    if (options.name.empty()) {
        return command_failed(session, command, Status::invalid("the name is empty; omit --name to get one"));
    }
    if (session.exports().find(options.name) != nullptr) {
        return command_failed(session, command,
                              Status::error(EEXIST, fmt::format("'{}' already exists; give another --name", options.name)));
    }
    if (const Status status = take_permission(session, request); !status.ok()) {
        return session.out().error({FailureKind::permission}, status, fmt::format("{}: {}", command.name, status.message()));
    }
    (void)session.news_fd(); // other threads may add news from here on
    if (request.kind == vhost_user) {
        options.on_problem = [&session, name = options.name](const std::string& problem) {
            session.add_news(name, "the front end broke the protocol: " + problem);
        };
    }
    delay_termination();
    // Before the export: its user may see the device, and end this program, before make_export() returns.
    std::optional<EndSignals> signals;
    if (request.wait) {
        signals.emplace();
    }
    Result<std::unique_ptr<Export>> made = make_export(session, request, std::move(options));
    if (!made.ok()) {
        if (session.exports().empty()) {
            stop_delaying_termination();
        }
        return command_failed(session, command, made.status());
    }
    Export& served = **made;
    session.exports().add(std::move(*made));
    session.out().tell(ServedFact{served});
    warn_of_zones(session, command, request);
    if (!request.wait) {
        return Outcome::ok;
    }
    wait_for_end(session, served);
    session.tell_news();
    signals.reset();
    return end(session, command, served);
}

Outcome run_exports(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    session.out().begin_list("exports");
    for (const std::unique_ptr<Export>& served : session.exports().all()) {
        session.out().tell_element(ExportFact{*served});
    }
    return Outcome::ok;
}

Outcome run_unexport(Session& session, const Command& command, CommandLine line) {
    Exports& exports = session.exports();
    if (line.argc == 1 && exports.all().size() != 1) {
        return command_failed(session, command,
                              Status::error(ENOENT, exports.empty() ? "nothing is served" : "there are several exports; name one of them")
                                  .because(Cause::not_served));
    }
    Export* const served = line.argc > 1 ? exports.find(line.argv[1]) : exports.all().front().get();
    if (served == nullptr) {
        return command_failed(session, command,
                              Status::error(ENOENT, fmt::format("there is no export '{}'", line.argv[1]))
                                  .because(Cause::not_served));
    }
    if (const Status status = exports.check_unused(*served); !status.ok()) {
        return command_failed(session, command, status);
    }
    return end(session, command, *served);
}

} // namespace

constexpr Command export_commands[] = {
    {.name = "export", .run = with_options<export_options, run_export>,
     .argmin = 1, .argmax = -1, .needs_image = true, .is_ours = true,
     .operands = "vhost-user socket | ublk [number]",
     .oneline = "serve the open image to a virtual machine or to this kernel",
     .help =
         "vhost-user: exports the image as a virtio disk at the Unix socket SOCKET, for QEMU and other programs that speak\n"
         "vhost-user. ublk: exports it as the block device /dev/ublkbNUMBER of the running kernel; requires root, or for plain\n"
         "images a udev rule. The prompt stays usable, and every command works on the same image. A zoned device is a zoned\n"
         "disk for the kernel, and for front ends that pass zones on.\n"
         "\n"
         "Example: export vhost-user /tmp/disk.sock\n",
     .options = option_table<export_options>(), .words = {Word::export_kind, Word::file}},
    {.name = "exports", .run = run_exports,
     .is_ours = true,
     .oneline = "list the exports",
     .help =
         "Shows for each export its name, kind, address and front end, the number of requests, bytes and errors of each kind\n"
         "of request, and protocol errors of the front end.\n"},
    {.name = "unexport", .run = run_unexport,
     .argmax = 1, .is_ours = true,
     .operands = "[name]",
     .oneline = "end an export",
     .help = "Finishes requests in flight, flushes the image, and removes the socket or the block device. A device that is mounted\n"
             "or otherwise in use stays. NAME may be omitted if there is only one export.\n",
     .words = {Word::export_name}},
};

} // namespace zoneio
