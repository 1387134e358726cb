// SPDX-License-Identifier: GPL-3.0-or-later
//
// The commands open, close, reopen and quit.
#include "commands/families.h"
#include "commands/image/image_open.h"
#include "commands/parse_options.h"

#include <unistd.h>

namespace zoneio {

namespace {

/// Reports an unknown mode of an option.
OptionStep check_mode(const GivenOption& given, bool is_known, std::string_view option) {
    if (is_known) {
        return OptionStep::next;
    }
    given.session.out().error({FailureKind::mode, given.word, option}, fmt::format("Invalid {} option: {}", option, given.word));
    return OptionStep::failed;
}

OptionStep take_no_cache(const GivenOption& /*given*/, OpenRequest& request) {
    request.flags.direct = true;
    request.writethrough = false;
    return OptionStep::next;
}

OptionStep take_native_aio(const GivenOption& /*given*/, OpenRequest& request) {
    request.aio = AioMode::native;
    return OptionStep::next;
}

OptionStep take_cache_mode(const GivenOption& given, OpenRequest& request) {
    return check_mode(given, parse_cache_mode(given.word, request.flags, request.writethrough), "cache");
}

OptionStep take_discard_mode(const GivenOption& given, OpenRequest& request) {
    return check_mode(given, parse_discard_mode(given.word, request.flags), "discard");
}

OptionStep take_aio_mode(const GivenOption& given, OpenRequest& request) {
    return check_mode(given, parse_aio_mode(given.word, request.aio), "aio");
}

OptionStep take_open_options(const GivenOption& given, OpenRequest& request) {
    if (given.session.image_opts) {
        given.session.out().complain("--image-opts and 'open -o' are mutually exclusive\n");
        return OptionStep::failed;
    }
    return take_option_string<&OpenRequest::options>(given, request);
}

constexpr OptionRow<OpenRequest> open_options[] = {
    {{.letter = 'r', .help = "open for reading only"}, set_flag_of<&OpenRequest::flags, &NodeFlags::read_only>},
    {{.letter = 's', .help = "write to a temporary overlay; the image does not change"}, set_flag<&OpenRequest::snapshot>},
    {{.letter = 'C', .help = "with -s: copy what is read into the overlay"}, set_flag_of<&OpenRequest::flags, &NodeFlags::copy_on_read>},
    {{.letter = 'n', .help = "bypass the page cache; short for -t none"}, take_no_cache},
    {{.letter = 't', .argument = "CACHE", .help = "cache mode: writethrough, writeback, none, directsync, unsafe",
      .fallback = "writethrough", .word = Word::cache_mode},
     take_cache_mode},
    {{.letter = 'd', .argument = "DISCARD", .help = "pass discards on (unmap) or ignore them (ignore)", .fallback = "unmap", .word = Word::discard_mode},
     take_discard_mode},
    {{.letter = 'i', .argument = "AIO", .help = "run asynchronous requests by threads, native (libaio) or io_uring", .fallback = "threads",
      .word = Word::aio_mode},
     take_aio_mode},
    {{.letter = 'k', .help = "short for -i native"}, take_native_aio},
    {{.letter = 'U', .help = "with -r: share the image with programs that write to it"}, set_flag<&OpenRequest::force_share>},
    {{.letter = 'o', .argument = "OPTIONS", .help = "driver options: key=value,key=value", .word = Word::open_options},
     take_open_options},
};

Outcome run_open(Session& session, const Command& command, OpenRequest& request, std::span<char*> operands) {
    if (operands.size() > 1) {
        return usage_error(session, command);
    }
    if (operands.size() == 1 && session.image_opts) {
        if (!add_option_string(session, operands[0], IdOption::refused, request.options)) {
            return Outcome::failed;
        }
    } else if (operands.size() == 1) {
        request.filename = operands[0];
    }
    return open_image(session, std::move(request));
}

Outcome run_close(Session& session, const Command& command, CommandLine /*line*/) {
    if (const Status status = session.exports().check_none(); !status.ok()) {
        return command_failed(session, command, status);
    }
    session.close();
    return Outcome::ok;
}

struct ReopenOptions {
    NodeFlags flags;
    bool writethrough = true;
    bool has_access = false; // -r or -w
    bool has_cache = false;  // -c
    Options options;         // -o
};

OptionStep take_reopen_cache(const GivenOption& given, ReopenOptions& reopen) {
    reopen.has_cache = true;
    const OptionStep step = check_mode(given, parse_cache_mode(given.word, reopen.flags, reopen.writethrough), "cache");
    if (step == OptionStep::failed) {
        given.session.reopen_leftovers = std::move(reopen.options);
    }
    return step;
}

template <bool ReadOnly>
OptionStep take_access(const GivenOption& given, ReopenOptions& reopen) {
    if (reopen.has_access) {
        given.session.out().error("Only one -r/-w option may be given");
        given.session.reopen_leftovers = std::move(reopen.options);
        return OptionStep::failed;
    }
    reopen.flags.read_only = ReadOnly;
    reopen.has_access = true;
    return OptionStep::next;
}

constexpr OptionRow<ReopenOptions> reopen_options[] = {
    {{.letter = 'r', .help = "open for reading only"}, take_access<true>},
    {{.letter = 'w', .help = "open for reading and writing; may ask first, like open"}, take_access<false>},
    {{.letter = 'c', .argument = "CACHE", .help = "cache mode, as for open", .word = Word::cache_mode}, take_reopen_cache},
    {{.letter = 'o', .argument = "OPTIONS", .help = "driver options: read-only, cache.*, discard, detect-zeroes, and offset and size of raw",
      .word = Word::reopen_options},
     take_option_string<&ReopenOptions::options>},
};

/// Empty after an error, which has been reported.
std::optional<ReopenOptions> parse_reopen(Session& session, const Command& command, CommandLine line) {
    ReopenOptions current;
    current.flags = session.backend().flags();
    current.writethrough = session.backend().writethrough();
    current.options = std::exchange(session.reopen_leftovers, {});
    std::optional<ReopenOptions> reopen = parse_options(session, command, line, reopen_options, std::move(current));
    if (reopen && !line.operands().empty()) {
        usage_error(session, command);
        return std::nullopt;
    }
    return reopen;
}

Outcome run_reopen(Session& session, const Command& command, CommandLine line) {
    std::optional<ReopenOptions> reopen = parse_reopen(session, command, line);
    if (!reopen) {
        return Outcome::failed;
    }
    if (const Status status = session.exports().check_none(); !status.ok()) {
        return command_failed(session, command, status);
    }
    if (reopen->has_access && reopen->options.contains("read-only")) {
        return session.out().error("Cannot set both -r/-w and 'read-only'");
    }
    if (reopen->has_cache && (reopen->options.contains("cache.direct") || reopen->options.contains("cache.no-flush"))) {
        return session.out().error("Cannot set both -c and the cache options");
    }
    const auto on_off = [](bool on) { return std::string(on ? "on" : "off"); };
    if (reopen->has_access) {
        // As an option, it also overrides the value with which the image was opened.
        reopen->options.set("read-only", on_off(reopen->flags.read_only));
    }
    if (reopen->has_cache) {
        reopen->options.set("cache.direct", on_off(reopen->flags.direct));
        reopen->options.set("cache.no-flush", on_off(reopen->flags.no_flush));
    }
    BlockBackend& backend = session.backend();
    session.aio().finish(backend);
    const bool gives_up_writing = reopen->has_access && reopen->flags.read_only;
    const unsigned held = backend.permissions();
    if (gives_up_writing) {
        backend.give_up(Permissions::write | Permissions::write_unchanged);
    }
    const Status status = backend.reopen(std::move(reopen->options), reopen->flags, reopen->writethrough);
    if (!status.ok()) {
        if (gives_up_writing) {
            // Takes the permissions back. If that fails, the next write tries again.
            (void)backend.require(held);
        }
        return session.out().error({FailureKind::open}, status);
    }
    return Outcome::ok;
}

Outcome run_quit(Session& session, const Command& command, CommandLine /*line*/) {
    if (const Status status = session.exports().check_all_unused(); !status.ok()) {
        return command_failed(session, command, status);
    }
    return Outcome::quit;
}

} // namespace

constexpr Command session_commands[] = {
    {.name = "close", .altname = "c", .run = run_close,
     .needs_image = true,
     .oneline = "close the image"},
    {.name = "open", .altname = "o", .run = with_options<open_options, run_open>,
     .argmin = 1, .argmax = -1,
     .args = "[-rsCnkU] [-t cache] [-d discard] [-o options] [path]",
     .oneline = "open an image",
     .help =
         "Opens the image named path, or the image that -o describes. On a terminal, asks before it opens a block device for\n"
         "writing that is in use or holds a file system or other known data.\n"
         "\n"
         "Example: open -n -o driver=raw /tmp/disk.img    open a raw file without the page cache\n",
     .options = option_table<open_options>(), .words = {Word::image}},
    {.name = "quit", .altname = "q", .run = run_quit,
     .argmax = -1,
     .oneline = "end the program"},
    {.name = "reopen", .run = run_reopen,
     .argmax = -1, .needs_image = true, .waits_for_aio = true,
     .args = "[(-r|-w)] [-c cache] [-o options]",
     .oneline = "change the settings of the open image",
     .help =
         "Changes access, cache mode and some driver options. Either all changes take effect or none.\n"
         "\n"
         "Example: reopen -r -c none    make it read-only, bypass the page cache\n",
     .options = option_table<reopen_options>()},
};

} // namespace zoneio
