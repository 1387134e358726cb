// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/image/image_open.h"

#include "block/host/device_facts.h"
#include "block/host/device_use.h"
#include "block/node/open_context.h"
#include "commands/session.h"
#include "commands/text/safe_text.h"

#include <fmt/ranges.h>

namespace zoneio {

namespace {

// The guard protects data on devices against mistyped names.

Status declined(const std::string& filename) {
    return Status::error(ECANCELED, fmt::format("'{}' was not opened for writing, because you did not answer yes; use -r to open it read-only", filename))
        .because(Cause::write_declined, {.name = filename});
}

Status ask_to_write(Session& session, const std::string& filename, const std::vector<std::string>& uses) {
    session.out().flush();
    print_error_line(session.out().program(), ": ", fmt::format("writing to '{}' may destroy data:", filename));
    if (const DeviceFacts facts = device_facts(filename); facts.is_device) {
        print_error_line("  ", "", facts.text(filename));
    }
    for (const std::string& use : uses) {
        print_error_line("  ", "", use);
    }
    switch (session.ask != nullptr ? session.ask("Open it for writing?", "[y]es, [r]ead-only, [N]o", "yr") : '\0') {
    case 'y': return {};
    case 'r': session.wants_read_only = true; break;
    default: break;
    }
    return declined(filename);
}

Status refuse(const std::string& filename, const std::vector<std::string>& uses) {
    return Status::error(EBUSY, fmt::format("'{}' was not opened for writing, which may destroy data: {}; use -r to open it read-only",
                                            filename, fmt::join(uses, "; ")))
        .because(Cause::write_declined, {.name = filename});
}

/// The write guard that a session's settings require; empty if none.
WriteGuard write_guard(Session& session) {
    if (session.guard == Guard::off) {
        return {};
    }
    return [&session](const std::string& filename) {
        const std::vector<std::string> uses = path_uses(filename);
        if (uses.empty()) {
            return Status();
        }
        if (session.guard == Guard::ask) {
            return ask_to_write(session, filename, uses);
        }
        if (session.guard == Guard::refuse) {
            return refuse(filename, uses);
        }
        session.out().warning(fmt::format("writing to '{}' may destroy data: {}", filename, fmt::join(uses, "; ")));
        return Status();
    };
}

/// Name of the image according to its options; empty if they have none.
std::string option_name(const Options& options) {
    for (const char* const key : {"filename", "file.filename"}) {
        if (const std::string* const name = options.find_text(key)) {
            return *name;
        }
    }
    return {};
}

Result<std::unique_ptr<BlockBackend>> open_backend(Session& session, const OpenRequest& request, std::vector<Notice>& notices) {
    return BlockBackend::open({request.filename, request.options, request.flags, request.aio, request.snapshot, write_guard(session)},
                              request.writethrough, notices);
}

} // namespace

bool parse_cache_mode(std::string_view word, NodeFlags& flags, bool& writethrough) {
    CacheMode mode;
    if (!parse_enum(cache_mode_words, word, mode).ok()) {
        return false;
    }
    flags.direct = mode.direct;
    flags.no_flush = mode.no_flush;
    writethrough = mode.writethrough;
    return true;
}

bool parse_discard_mode(std::string_view word, NodeFlags& flags) {
    return parse_enum(discard_mode_words, word, flags.unmap).ok();
}

bool parse_aio_mode(std::string_view word, AioMode& aio) {
    AioMode asked = AioMode::threads;
    if (!parse_enum(aio_mode_words, word, asked).ok()) {
        return false;
    }
    // Of several -i options, `native` wins over `io_uring`, and both over `threads`.
    if (asked == AioMode::native || (asked == AioMode::io_uring && aio == AioMode::threads)) {
        aio = asked;
    }
    return true;
}

bool add_option_string(Session& session, std::string_view text, IdOption id, Options& options) {
    OptionString parsed = parse_option_string(text);
    Status status;
    if (parsed.id && id == IdOption::refused) {
        status = Status::invalid("Invalid parameter 'id'");
    } else if (parsed.id) {
        status = check_identifier("id", *parsed.id);
    }
    if (!status.ok()) {
        session.out().error({FailureKind::open}, status);
        return false;
    }
    for (KeyValue& pair : parsed.pairs) {
        if (!pair.warning.empty()) {
            session.out().warning(pair.warning);
        }
        options.set(std::move(pair.key), std::move(pair.value));
    }
    return true;
}

std::optional<NamedFile> parse_image_file(Session& session, const std::string& name) {
    Options options;
    if (session.image_opts && !add_option_string(session, name, IdOption::refused, options)) {
        return std::nullopt;
    }
    Result<NamedFile> file = session.image_opts ? named_file(std::move(options)) : named_file(name);
    if (!file.ok()) {
        session.out().error({FailureKind::open, name}, file.status());
        return std::nullopt;
    }
    return std::move(*file);
}

Outcome open_image(Session& session, OpenRequest request) {
    if (session.is_open()) {
        return session.out().error({FailureKind::already_open}, "file open already, try 'help close'");
    }
    if (request.force_share) {
        const std::string* given = request.options.find_text("force-share");
        if (given != nullptr && *given != "on") {
            return session.out().error("-U conflicts with image options");
        }
        request.options.set("force-share", true);
    }
    const std::string name = request.filename.value_or(option_name(request.options));
    const std::string subject = request.filename ? " device " + *request.filename : std::string();
    std::vector<Notice> notices;
    session.wants_read_only = false;
    Result<std::unique_ptr<BlockBackend>> backend = open_backend(session, request, notices);
    if (!backend.ok() && session.wants_read_only) {
        request.flags.read_only = true;
        request.options.set("read-only", "on");
        backend = open_backend(session, request, notices);
    }
    for (const Notice& notice : notices) {
        notice.is_warning ? session.out().warning(notice.text) : session.out().plain_notice(notice.text);
    }
    if (!backend.ok()) {
        return session.out().error({FailureKind::open, name}, backend.status(), fmt::format("can't open{}: {}", subject, backend.status().message()));
    }
    session.attach(std::move(*backend));
    return Outcome::ok;
}

} // namespace zoneio
