// SPDX-License-Identifier: GPL-3.0-or-later
//
// qemu-io's six zone commands.
#include "commands/families.h"
#include "block/base/size.h"
#include "commands/long_work.h"
#include "commands/parse_options.h"
#include "commands/zones/record.h"

#include <unistd.h>

namespace zoneio {

namespace {

Outcome failed(Session& session, std::string_view what, const Status& status) {
    return session.out().fail_explained(fmt::format("zone {}", what), status);
}

/// A zone of a report.
struct ZoneFact {
    const ZoneDescriptor& zone;

    void text(Reporter& out) const {
        const bool has_pointer = zone.write_pointer != no_write_pointer;
        out.print("start: {:#x}, len {:#x}, cap {:#x}, wptr {:#x}, zcond:{}, [type: {}]\n", zone.start / sector_size,
                  zone.length / sector_size, zone.capacity / sector_size,
                  has_pointer ? zone.write_pointer / sector_size : no_write_pointer, static_cast<unsigned>(zone.state),
                  static_cast<unsigned>(zone.type));
    }
    void json(JsonRecord& record) const {
        add_zone(record, zone);
    }
};

/// Offset of appended data, in bytes.
struct AppendedFact {
    uint64_t position;
    bool is_asked_for; ///< -p; JSON always has the offset

    void text(Reporter& out) const {
        if (is_asked_for) {
            out.print("After zap done, the append sector is {:#x}\n", position / sector_size);
        }
    }
    void json(JsonRecord& record) const { record.add("position", position); }
};

Outcome run_zone_report(Session& session, const Command& /*command*/, CommandLine line) {
    constexpr int64_t most_zones = UINT32_MAX;
    const std::optional<int64_t> offset = parse_offset(session, line.argv[1]);
    const std::optional<int64_t> count = offset ? parse_zone_count(session, line.argv[2]) : std::nullopt;
    if (!count) {
        return Outcome::failed;
    }
    if (*count > most_zones) {
        return session.out().complain("Number of zones must be less than 2^32\n");
    }
    session.out().begin_list("zones");
    uint64_t shown = 0;
    const Status status = report_in_pieces(session.backend(), static_cast<uint64_t>(*offset), static_cast<uint64_t>(*count),
                                           [&](const ZoneDescriptor& zone) { session.out().tell_element(ZoneFact{zone}); }, shown);
    if (was_interrupted(status)) {
        return session.out().interrupted(fmt::format("zone report interrupted after {} zones", shown));
    }
    return status.ok() ? Outcome::ok : failed(session, "report", status);
}

Outcome run_zone_mgmt(Session& session, CommandLine line, ZoneOp op) {
    const std::optional<RangeArgument> asked = parse_range(session, line.argv[1], line.argv[2]);
    if (!asked) {
        return Outcome::failed;
    }
    const Status status = session.backend().execute(Request::zone_manage(op, asked->offset, asked->length));
    return status.ok() ? Outcome::ok : failed(session, zone_op_name(op), status);
}

template <ZoneOp Op>
Outcome run_zone_mgmt(Session& session, const Command& /*command*/, CommandLine line) {
    return run_zone_mgmt(session, line, Op);
}

struct AppendOptions {
    bool show_position = false; // -p
};

constexpr OptionRow<AppendOptions> append_options[] = {
    {{.letter = 'p', .help = "show where the data was written, in sectors of 512 bytes"}, set_flag<&AppendOptions::show_position>},
};

Outcome run_zone_append(Session& session, const Command& command, CommandLine line) {
    // As in QEMU, only the first option is parsed, and any option asks for the position.
    const bool show_position = next_option(command, line) != -1;
    // Options count as words, so the three required words may include no operand.
    const std::optional<VectorArgument> vector = parse_vector(session, line.operands());
    if (!vector) {
        return Outcome::failed;
    }
    IoVec iov;
    if (const Status status = make_iov(session, session.scratch(), vector->lengths, Sharing::all, iov); !status.ok()) {
        return failed(session, "append", status);
    }
    fill_iov(iov, default_byte);
    Request request = Request::zone_append(vector->offset, iov, vector->lengths);
    if (const Status status = session.backend().execute(request); !status.ok()) {
        return failed(session, "append", status);
    }
    session.out().tell(AppendedFact{request.offset, show_position});
    return Outcome::ok;
}

} // namespace

constexpr Command zone_commands[] = {
    {.name = "zone_append", .altname = "zap", .run = run_zone_append,
     .argmin = 3, .argmax = 4, .needs_image = true, .waits_for_aio = true,
     .args = "offset len [len..]",
     .oneline = "append data at the write pointer of a zone; takes -p or two lengths",
     .manual =
         "Writes len bytes of 0xcd, from one buffer or two, at the write pointer of the zone that starts at offset. The\n"
         "command takes three or four words, counting its name and -p.\n"
         "\n"
         "Example: zone_append -p 4M 64k\n",
     .options = option_table<append_options>(), .words = vector_words},
    {.name = "zone_close", .altname = "zc", .run = run_zone_mgmt<ZoneOp::close>,
     .argmin = 2, .argmax = 2, .needs_image = true, .waits_for_aio = true, .takes_zone_alone = true,
     .args = "offset len",
     .oneline = "close the zones of a range",
     .manual =
         "Closed zones keep their data and no longer count towards the open-zone limit. They still count as active.\n"
         "\n"
         "Example: zone_close 4M 8M    close the zones from 4 MiB to 12 MiB\n",
     .words = range_words},
    {.name = "zone_finish", .altname = "zf", .run = run_zone_mgmt<ZoneOp::finish>,
     .argmin = 2, .argmax = 2, .needs_image = true, .waits_for_aio = true, .takes_zone_alone = true,
     .args = "offset len",
     .oneline = "finish the zones of a range: make them full",
     .manual =
         "A finished zone keeps its data and takes no writes until it is reset.\n"
         "\n"
         "Example: zone_finish 4M 4M\n",
     .words = range_words},
    {.name = "zone_open", .altname = "zo", .run = run_zone_mgmt<ZoneOp::open>,
     .argmin = 2, .argmax = 2, .needs_image = true, .waits_for_aio = true, .takes_zone_alone = true,
     .args = "offset len",
     .oneline = "open the zones of a range explicitly",
     .manual =
         "An explicitly open zone stays open until it is closed, finished, reset or full. The device limits the number of\n"
         "open zones; zone_info shows the limit.\n"
         "\n"
         "Example: zone_open 4M 4M\n",
     .words = range_words},
    {.name = "zone_report", .altname = "zrp", .run = run_zone_report,
     .argmin = 2, .argmax = 2, .needs_image = true, .waits_for_aio = true, .takes_zone_alone = true,
     .args = "offset number",
     .oneline = "list zones with their write pointers",
     .manual =
         "Lists number zones, starting with the zone that contains offset: start, length, capacity and write pointer in\n"
         "sectors of 512 bytes, state (zcond) and type. States: 0 conventional, 1 empty, 2 implicitly open, 3 explicitly\n"
         "open, 4 closed, 13 read-only, 14 full, 15 offline. Types: 1 conventional, 2 sequential write required,\n"
         "3 sequential write preferred.\n"
         "\n"
         "Example: zone_report 0 10\n",
     .words = {Word::offset, Word::count}},
    {.name = "zone_reset", .altname = "zrs", .run = run_zone_mgmt<ZoneOp::reset>,
     .argmin = 2, .argmax = 2, .needs_image = true, .waits_for_aio = true, .takes_zone_alone = true,
     .args = "offset len",
     .oneline = "reset the zones of a range: empty them",
     .manual =
         "The data of the zones is lost, and their write pointers return to their starts.\n"
         "\n"
         "Example: zone_reset 4M 4M\n",
     .words = range_words},
};

} // namespace zoneio
