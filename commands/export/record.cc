// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/export/record.h"

#include "block/base/size.h"

namespace zoneio {

namespace {

void add_settings(JsonRecord& record, const Export& served) {
    record.add("name", served.options().name);
    record.add("kind", served.kind());
    record.add("address", served.options().address);
    record.add("read_only", served.options().read_only);
    record.add("queues", unsigned{served.options().queues});
    if (served.kind() == "ublk") {
        record.add("depth", unsigned{served.options().depth});
    }
}

std::string_view connection_words(const Export& served, const ExportState& state) {
    if (state.has_ended) {
        return "ended";
    }
    if (served.kind() == "ublk") {
        return state.takes_zones ? "ready, zoned" : "ready";
    }
    if (!state.is_connected) {
        return "waiting for a front end";
    }
    return state.takes_zones ? "connected, zoned" : "connected";
}

std::string plural(uint64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

} // namespace

void ServedFact::text(Reporter& out) const {
    const ExportOptions& options = served.options();
    out.print("{}: {} at {}{}\n", options.name, served.kind(), options.address, options.read_only ? ", read-only" : "");
}

void ServedFact::json(JsonRecord& record) const {
    record.begin_object("export");
    add_settings(record, served);
    record.end();
}

void ExportFact::text(Reporter& out) const {
    const ExportOptions& options = served.options();
    const ExportState state = served.state();
    out.print("{}: {} at {}{}, {}, {}\n", options.name, served.kind(), options.address,
              options.read_only ? ", read-only" : "", plural(options.queues, "queue"), connection_words(served, state));
    for (size_t i = 0; i < served_kinds; i++) {
        const ServedCount count = served.counters().get(static_cast<ServedKind>(i));
        if (count.requests == 0) {
            continue;
        }
        const std::string bytes = count.bytes > 0 ? ", " + format_size(count.bytes) : std::string();
        const std::string errors = count.errors > 0 ? ", " + plural(count.errors, "error") : std::string();
        out.print("  {:<13}{}{}{}\n", served_kind_names.at(i), plural(count.requests, "request"), bytes, errors);
    }
    if (state.problems > 0) {
        out.print("  {} {}: {}\n", served.kind() == "ublk" ? "trouble with the kernel" : "front end broke the protocol",
                  plural(state.problems, "time"), state.last_problem);
    }
}

void ExportFact::json(JsonRecord& record) const {
    const ExportState state = served.state();
    add_settings(record, served);
    record.add("connected", state.is_connected);
    record.add("takes_zones", state.takes_zones);
    record.add("connections", state.connections);
    record.begin_object("requests");
    for (size_t i = 0; i < served_kinds; i++) {
        const ServedCount count = served.counters().get(static_cast<ServedKind>(i));
        record.begin_object(served_kind_names.at(i));
        record.add("count", count.requests);
        record.add("bytes", count.bytes);
        record.add("errors", count.errors);
        record.end();
    }
    record.end();
    record.add("problems", state.problems);
    if (state.problems > 0) {
        record.add("last_problem", state.last_problem);
    }
}

} // namespace zoneio
