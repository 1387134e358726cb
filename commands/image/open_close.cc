// SPDX-License-Identifier: GPL-3.0-or-later
//
// open, close, reopen and quit.
#include "commands/families.h"
#include "commands/image/image_open.h"

#include <unistd.h>

namespace zoneio {

namespace {

/// Tells of a word that is no mode of an option.
bool check_mode(Session& session, bool is_known, std::string_view option, const char* word) {
    if (!is_known) {
        session.failures().note(FailureKind::mode, word, {}, option);
        session.out().error(fmt::format("Invalid {} option: {}", option, word));
    }
    return is_known;
}

bool take_options(Session& session, const char* text, OpenRequest& request) {
    if (session.image_opts) {
        session.out().complain("--image-opts and 'open -o' are mutually exclusive\n");
        return false;
    }
    return add_option_string(session, text, IdOption::refused, request.options);
}

/// Parses the options of open; nothing after an error, which was told.
std::optional<OpenRequest> parse_open(Session& session, const Command& command, CommandLine line) {
    OpenRequest request;
    bool valid = true;
    int c = 0;
    while (valid && (c = next_option(command, line)) != -1) {
        switch (c) {
        case 's': request.snapshot = true; break;
        case 'n':
            request.flags.direct = true;
            request.writethrough = false;
            break;
        case 'C': request.flags.copy_on_read = true; break;
        case 'r': request.flags.read_only = true; break;
        case 'k': request.aio = AioMode::native; break;
        case 't':
            valid = check_mode(session, parse_cache_mode(optarg, request.flags, request.writethrough), "cache", optarg);
            break;
        case 'd': valid = check_mode(session, parse_discard_mode(optarg, request.flags), "discard", optarg); break;
        case 'i': valid = check_mode(session, parse_aio_mode(optarg, request.aio), "aio", optarg); break;
        case 'o': valid = take_options(session, optarg, request); break;
        case 'U': request.force_share = true; break;
        default: usage_error(session, command); valid = false;
        }
    }
    return valid ? std::optional(std::move(request)) : std::nullopt;
}

Outcome run_open(Session& session, const Command& command, CommandLine line) {
    std::optional<OpenRequest> request = parse_open(session, command, line);
    if (!request) {
        return Outcome::failed;
    }
    const std::span<char*> operands = line.operands();
    if (operands.size() > 1) {
        return usage_error(session, command);
    }
    if (operands.size() == 1 && session.image_opts) {
        if (!add_option_string(session, operands[0], IdOption::refused, request->options)) {
            return Outcome::failed;
        }
    } else if (operands.size() == 1) {
        request->filename = operands[0];
    }
    return open_image(session, std::move(*request));
}

Outcome run_close(Session& session, const Command& /*command*/, CommandLine /*line*/) {
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

/// Parses the options of reopen; nothing after an error, which was told.
std::optional<ReopenOptions> parse_reopen(Session& session, const Command& command, CommandLine line) {
    ReopenOptions reopen;
    reopen.flags = session.backend().flags();
    reopen.writethrough = session.backend().writethrough();
    int c = 0;
    while ((c = next_option(command, line)) != -1) {
        switch (c) {
        case 'c':
            if (!check_mode(session, parse_cache_mode(optarg, reopen.flags, reopen.writethrough), "cache", optarg)) {
                return std::nullopt;
            }
            reopen.has_cache = true;
            break;
        case 'o':
            if (!add_option_string(session, optarg, IdOption::refused, reopen.options)) {
                return std::nullopt;
            }
            break;
        case 'r':
        case 'w':
            if (reopen.has_access) {
                session.out().error("Only one -r/-w option may be given");
                return std::nullopt;
            }
            reopen.flags.read_only = c == 'r';
            reopen.has_access = true;
            break;
        default: usage_error(session, command); return std::nullopt;
        }
    }
    if (!line.operands().empty()) {
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
    if (reopen->has_access && reopen->options.contains("read-only")) {
        session.out().error("Cannot set both -r/-w and 'read-only'");
        return Outcome::failed;
    }
    if (reopen->has_cache && (reopen->options.contains("cache.direct") || reopen->options.contains("cache.no-flush"))) {
        session.out().error("Cannot set both -c and the cache options");
        return Outcome::failed;
    }
    const auto on_off = [](bool on) { return std::string(on ? "on" : "off"); };
    if (reopen->has_access) {
        // As an option it also wins over what the image was opened with.
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
            // What was given up a moment ago is still to be had, or the next write will ask for it again.
            (void)backend.require(held);
        }
        session.failures().note(FailureKind::open, {}, status);
        session.out().error(status);
        return Outcome::failed;
    }
    return Outcome::ok;
}

Outcome run_quit(Session& /*session*/, const Command& /*command*/, CommandLine /*line*/) {
    return Outcome::quit;
}

constexpr Word open_operands[] = {Word::image};
constexpr OptionWord open_options[] = {
    {'o', Word::open_options}, {'t', Word::cache_mode}, {'d', Word::discard_mode}, {'i', Word::aio_mode}};
constexpr OptionWord reopen_options[] = {{'o', Word::reopen_options}, {'c', Word::cache_mode}};

constexpr Command commands[] = {
    {.name = "close", .altname = "c", .run = run_close,
     .needs_image = true,
     .oneline = "closes the image"},
    {.name = "open", .altname = "o", .run = run_open,
     .argmin = 1, .argmax = -1,
     .args = "[-rsCnkU] [-t cache] [-d discard] [-o options] [path]",
     .oneline = "opens an image",
     .help =
         "Opens the image at PATH, or the one that options describe. At a terminal you are asked before a block device is\n"
         "opened for writing that is in use or holds data of others, such as a file system.\n"
         "\n"
         "Example: open -n -o driver=raw /tmp/disk.img    opens a raw file without the page cache\n"
         "\n"
         "  -r           for reading only\n"
         "  -s           write to a temporary overlay; the image stays as it is\n"
         "  -C           copy on read\n"
         "  -n           bypass the page cache, the same as -t none\n"
         "  -t MODE      cache mode: none, directsync, writeback, unsafe or writethrough (the default)\n"
         "  -d MODE      discards: unmap (the default) or ignore\n"
         "  -i MODE      asynchronous I/O by threads (the default), native or io_uring\n"
         "  -k           the same as -i native\n"
         "  -U           share the image with programs that write to it (with -r)\n"
         "  -o OPTIONS   driver options, key=value with commas in between\n",
     .options = "snCro:ki:t:d:U", .words = {.operands = open_operands, .options = open_options}},
    {.name = "quit", .altname = "q", .run = run_quit,
     .argmax = -1,
     .oneline = "ends the program"},
    {.name = "reopen", .run = run_reopen,
     .argmax = -1, .needs_image = true, .waits_for_aio = true,
     .args = "[(-r|-w)] [-c cache] [-o options]",
     .oneline = "changes how the open image is used",
     .help =
         "Changes settings of the open image. Either all of them take effect, or none.\n"
         "\n"
         "Example: reopen -r -c none    makes it read-only, and bypasses the page cache\n"
         "\n"
         "  -r           for reading only\n"
         "  -w           for reading and writing; of a device in use after a question, see open\n"
         "  -c MODE      cache mode, see open\n"
         "  -o OPTIONS   read-only, cache.*, discard, detect-zeroes, and size and offset of raw\n",
     .options = "c:o:rw", .words = {.options = reopen_options}},
};

} // namespace

std::span<const Command> session_commands() {
    return commands;
}

} // namespace zoneio
