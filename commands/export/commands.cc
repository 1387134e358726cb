// SPDX-License-Identifier: GPL-3.0-or-later
//
// export, exports and unexport.
#include "commands/export/record.h"
#include "commands/export/served.h"
#include "commands/families.h"
#include "commands/parse_options.h"

#include <bit>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// While it lives SIGINT and SIGTERM end a wait, and nothing else.
class EndSignals {
public:
    EndSignals() {
        event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        struct sigaction action{};
        action.sa_handler = [](int) {
            const int before = errno;
            const uint64_t one = 1;
            (void)!write(event, &one, sizeof(one));
            errno = before;
        };
        for (size_t i = 0; i < std::size(numbers); i++) {
            sigaction(numbers[i], &action, &before_[i]);
        }
    }
    ~EndSignals() {
        for (size_t i = 0; i < std::size(numbers); i++) {
            sigaction(numbers[i], &before_[i], nullptr);
        }
        close(event);
    }
    EndSignals(const EndSignals&) = delete;
    EndSignals& operator=(const EndSignals&) = delete;

    /// Readable when one came.
    int fd() const { return event; }

private:
    static constexpr int numbers[] = {SIGINT, SIGTERM};
    static inline int event = -1;
    struct sigaction before_[std::size(numbers)]{};
};

struct ExportRequest {
    bool wait = false;
    bool once = false;
    bool read_only = false;
    uint16_t queues = 1;
    const char* name = nullptr;
    const char* address = nullptr; ///< an operand

    ExportOptions options(const Exports& exports) const {
        return {name != nullptr ? name : exports.free_name(), address, read_only, once, queues};
    }
};

Outcome failed(Session& session, const Command& command, const Status& status) {
    session.out().error(status, fmt::format("{}: {}", command.name, status.message()));
    return Outcome::failed;
}

OptionStep set_queues(const GivenOption& given, ExportRequest& request) {
    char* end = nullptr;
    const unsigned long value = strtoul(given.word, &end, 10);
    if (end == given.word || *end != '\0' || given.word[0] == '-' || value == 0 || value > most_export_queues) {
        (void)failed(given.session, given.command,
                     Status::error(EINVAL, fmt::format("--queues takes a number from 1 to {}, not '{}'", most_export_queues,
                                                       given.word)));
        return OptionStep::failed;
    }
    request.queues = static_cast<uint16_t>(value);
    return OptionStep::next;
}

constexpr OptionRow<ExportRequest> export_options[] = {
    {{.letter = 'w', .name = "wait", .help = "serve until SIGINT or SIGTERM, then finish and flush what is under way"},
     set_flag<&ExportRequest::wait>},
    {{.name = "once", .help = "end when the first front end has left"}, set_flag<&ExportRequest::once>},
    {{.letter = 'r', .name = "read-only", .help = "refuse writes"}, set_flag<&ExportRequest::read_only>},
    {{.letter = 'q', .name = "queues", .argument = "N", .help = "queues that the front end may use, 1 to 64", .fallback = "1"},
     set_queues},
    {{.name = "name", .argument = "NAME", .help = "for exports, unexport, and the guest's serial number", .fallback = "disk0"},
     set_word<&ExportRequest::name>},
};

/// Nothing after an error, which was told.
std::optional<ExportRequest> parse_export(Session& session, const Command& command, CommandLine line) {
    std::optional<ExportRequest> request = parse_options(session, command, line, export_options);
    if (!request) {
        return std::nullopt;
    }
    const std::span<char*> operands = line.operands();
    if (operands.size() != 2) {
        usage_error(session, command);
        return std::nullopt;
    }
    if (std::string_view(operands[0]) != "vhost-user") {
        (void)failed(session, command,
                     Status::error(EINVAL, fmt::format("'{}' is no kind of export; there is vhost-user", operands[0])));
        return std::nullopt;
    }
    request->address = operands[1];
    return request;
}

/// What guests are known not to take.
void warn_of_zones(Session& session, const Command& command) {
    const Limits& limits = session.backend().limits();
    if (limits.zoned != ZonedModel::none && !std::has_single_bit(limits.zone_size)) {
        session.out().warning(fmt::format("{}: zones of {} bytes: Linux guests take zone sizes only that are powers of two",
                                          command.name, limits.zone_size));
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

/// Until the export has ended, or the user wants its end.
void wait_for_end(Session& session, const Export& served) {
    const EndSignals signals;
    session.out().flush();
    while (true) {
        pollfd events[] = {{signals.fd(), POLLIN, 0}, {served.ended_fd(), POLLIN, 0}, {session.news_fd(), POLLIN, 0}};
        {
            const Turn::Pause pause(session.turn());
            (void)poll(events, std::size(events), -1);
        }
        if (events[2].revents != 0) {
            session.tell_news();
            session.out().flush();
        }
        if (events[0].revents != 0 || events[1].revents != 0) {
            return;
        }
    }
}

/// What a guest has written is on the medium then, or it is told that it is not.
Outcome end_export(Session& session, const Command& command, Export& served) {
    session.exports().stop(served);
    const Status status = session.backend().execute(Request::flush());
    return status.ok() ? Outcome::ok : failed(session, command, status);
}

Outcome run_export(Session& session, const Command& command, CommandLine line) {
    std::optional<ExportRequest> request = parse_export(session, command, line);
    if (!request) {
        return Outcome::failed;
    }
    ExportOptions options = request->options(session.exports());
    if (session.exports().find(options.name) != nullptr) {
        return failed(session, command,
                      Status::error(EEXIST, fmt::format("'{}' is served already; give another --name", options.name)));
    }
    if (const Status status = take_permission(session, *request); !status.ok()) {
        session.out().error({FailureKind::permission}, status, fmt::format("{}: {}", command.name, status.message()));
        return Outcome::failed;
    }
    (void)session.news_fd(); // from here on other threads may have news
    Result<std::unique_ptr<Export>> made =
        export_vhost_user(session.backend(), session.turn().share(), std::move(options));
    if (!made.ok()) {
        return failed(session, command, made.status());
    }
    Export& served = **made;
    session.exports().add(std::move(*made));
    session.out().tell(ServedFact{served});
    warn_of_zones(session, command);
    if (!request->wait) {
        return Outcome::ok;
    }
    wait_for_end(session, served);
    return end_export(session, command, served);
}

Outcome run_exports(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    session.out().begin_list("exports");
    for (const std::unique_ptr<Export>& served : session.exports().all()) {
        session.out().tell(ExportFact{*served});
    }
    return Outcome::ok;
}

Outcome run_unexport(Session& session, const Command& command, CommandLine line) {
    Exports& exports = session.exports();
    if (line.argc == 1 && exports.all().size() != 1) {
        return failed(session, command,
                      Status::error(ENOENT, exports.empty() ? "nothing is served" : "several are served: name one of them")
                          .because(Cause::not_served));
    }
    Export* const served = line.argc > 1 ? exports.find(line.argv[1]) : exports.all().front().get();
    if (served == nullptr) {
        return failed(session, command,
                      Status::error(ENOENT, fmt::format("nothing is served under the name '{}'", line.argv[1]))
                          .because(Cause::not_served));
    }
    return end_export(session, command, *served);
}

constexpr Word export_operands[] = {Word::export_kind, Word::file};
constexpr Word unexport_operands[] = {Word::export_name};

constexpr Command commands[] = {
    {.name = "export", .run = run_export,
     .argmin = 2, .argmax = -1, .needs_image = true, .is_ours = true,
     .operands = "vhost-user socket",
     .oneline = "serves the open image to a virtual machine",
     .help =
         "Serves the image as a virtio disk at the Unix socket SOCKET, for QEMU and other programs that speak vhost-user.\n"
         "The prompt goes on meanwhile, and every command works on the same image. A zoned device is a zoned disk for front\n"
         "ends that pass zones on.\n"
         "\n"
         "Example: export vhost-user /tmp/disk.sock\n",
     .options = export_options, .words = {.operands = export_operands}},
    {.name = "exports", .run = run_exports,
     .is_ours = true,
     .oneline = "lists what is served",
     .help =
         "For each export its name, kind, address and front end, the requests and bytes that were served of each kind, the\n"
         "errors among them, and how a front end broke the protocol.\n"},
    {.name = "unexport", .run = run_unexport,
     .argmax = 1, .is_ours = true,
     .operands = "[name]",
     .oneline = "ends an export",
     .help = "Finishes the requests that are under way, flushes the image, and removes the socket. NAME may be left out where\n"
             "there is one export only.\n",
     .words = {.operands = unexport_operands}},
};

} // namespace

bool is_refused_while_served(Session& session, const Command& command) {
    if (session.exports().empty()) {
        return false;
    }
    const std::string& name = session.exports().all().front()->options().name;
    (void)failed(session, command,
                 Status::error(EBUSY, fmt::format("the image is served as '{}'; 'unexport' ends that", name))
                     .because(Cause::image_served, {.name = name}));
    return true;
}

std::span<const Command> export_commands() {
    return commands;
}

} // namespace zoneio
