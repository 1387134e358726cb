// SPDX-License-Identifier: GPL-3.0-or-later
//
// status: shows the open image and what is in progress.
#include "block/base/size.h"
#include "commands/families.h"

#include <algorithm>
#include <fmt/ranges.h>

namespace zoneio {

namespace {

std::string_view cache_word(const NodeFlags& flags, bool writethrough) {
    if (flags.direct) {
        return writethrough ? "directsync" : "none";
    }
    if (flags.no_flush) {
        return "unsafe";
    }
    return writethrough ? "writethrough" : "writeback";
}

/// `2 of 4`, and why there are not more.
std::string connections_text(const RemoteConnections& connections) {
    const unsigned possible = connections.only_one ? 1 : connections.wanted;
    std::string text = fmt::format("{} of {}", connections.usable, connections.wanted);
    if (connections.only_one && connections.wanted > 1) {
        text += "; the server allows one only (no NBD_FLAG_CAN_MULTI_CONN)";
    }
    return connections.usable < possible ? text + "; broken" : text;
}

struct StatusFact {
    Session& session;
    std::optional<uint64_t> length;

    void text(Reporter& out) const {
        if (!session.is_open()) {
            out.write("no image is open\n");
            return;
        }
        const BlockBackend& backend = session.backend();
        const std::string name = backend.filename();
        const auto row = [&](std::string_view what, const std::string& value) { out.print("{:<13}{}\n", what, value); };
        row("image", name.empty() ? "(no file)" : name);
        row("drivers", fmt::format("{}", fmt::join(backend.drivers(), " over ")));
        row("access", backend.flags().read_only ? "read-only" : "read-write");
        row("cache", std::string(cache_word(backend.flags(), backend.writethrough())));
        row("aio", std::string(word_for(aio_mode_words, backend.aio())));
        if (length) {
            row("length", fmt::format("{} ({} bytes)", format_size(*length), *length));
        }
        row("block size", fmt::format("{} bytes", block_size()));
        if (const std::optional<RemoteConnections> connections = backend.remote_connections()) {
            row("connections", connections_text(*connections));
        }
        row("in flight", fmt::format("{} requests", backend.in_flight()));
        row("exports", names(export_names()));
        row("breakpoints", names(tags(false)));
        row("held", names(tags(true)));
    }
    void json(JsonRecord& record) const {
        record.add("open", session.is_open());
        if (!session.is_open()) {
            return;
        }
        const BlockBackend& backend = session.backend();
        const std::string name = backend.filename();
        record.add("image", name.empty() ? std::nullopt : std::optional(name));
        add_list(record, "drivers", backend.drivers());
        record.add("read_only", backend.flags().read_only);
        record.add("cache", cache_word(backend.flags(), backend.writethrough()));
        record.add("aio", word_for(aio_mode_words, backend.aio()));
        record.add("length", length);
        record.add("block_size", uint64_t{block_size()});
        record.add("in_flight", uint64_t{backend.in_flight()});
        if (const std::optional<RemoteConnections> connections = backend.remote_connections()) {
            record.add("connections", uint64_t{connections->usable});
            record.add("connections_wanted", uint64_t{connections->wanted});
            record.add("one_connection_only", connections->only_one);
        }
        add_list(record, "exports", export_names());
        add_list(record, "breakpoints", tags(false));
        add_list(record, "held", tags(true));
    }

private:
    uint32_t block_size() const { return std::max(session.backend().limits().request_alignment, session.backend().limits().write_granularity); }
    std::vector<std::string> export_names() const {
        std::vector<std::string> list;
        for (const std::unique_ptr<Export>& served : session.exports().all()) {
            list.push_back(served->options().name);
        }
        return list;
    }
    std::vector<std::string> tags(bool held) const {
        const Breakpoints* const breakpoints = session.backend().breakpoints();
        return breakpoints != nullptr ? breakpoints->tags(held) : std::vector<std::string>();
    }
    static std::string names(const std::vector<std::string>& list) {
        return list.empty() ? "none" : fmt::format("{}", fmt::join(list, ", "));
    }
    template <typename List>
    static void add_list(JsonRecord& record, const char* name, const List& list) {
        record.begin_list(name);
        for (const auto& element : list) {
            record.add_element(std::string_view(element));
        }
    }
};

Outcome run_status(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    const Result<uint64_t> length = session.is_open() ? session.backend().length() : Result<uint64_t>(0);
    session.out().tell(StatusFact{session, length.ok() ? std::optional(*length) : std::nullopt});
    return Outcome::ok;
}

} // namespace

constexpr Command status_commands[] = {
    {.name = "status", .run = run_status,
     .is_ours = true,
     .oneline = "show the open image and requests in flight",
     .help =
         "Shows the open image, its drivers from the top, access, cache and aio mode, length, the block size of requests,\n"
         "connections to the server of an NBD image, the number of requests in flight, exports, breakpoints and held requests.\n"},
};

} // namespace zoneio
