// SPDX-License-Identifier: GPL-3.0-or-later
//
// aio_read, aio_write, aio_discard and aio_flush.
#include "commands/families.h"
#include "commands/parse_options.h"

#include <unistd.h>

namespace zoneio {

namespace {

Outcome start(Session& session, std::unique_ptr<AioRequest> aio) {
    // The request is started first, because starting it may report others.
    const uint64_t id = session.aio().start(session.backend(), std::move(aio));
    session.out().add("aio", id);
    return Outcome::ok;
}

/// Starts a request whose iov is set.
Outcome start_filled(Session& session, std::unique_ptr<AioRequest> aio, size_t buffers) {
    aio->request.bytes = aio->request.iov.bytes();
    aio->request.buffers = buffers;
    return start(session, std::move(aio));
}

/// Sets up the iov and starts the request. Without `fill`, the content of the memory does not matter.
Outcome start_data(Session& session, std::unique_ptr<AioRequest> aio, std::span<const uint64_t> lengths,
                   Sharing sharing, std::optional<uint8_t> fill) {
    if (const Status status = make_iov(session, aio->buffer, lengths, sharing, aio->request.iov); !status.ok()) {
        return session.out().error(status);
    }
    aio->data = data_begin(session, aio->buffer);
    if (fill) {
        fill_iov(aio->request.iov, *fill);
    }
    return start_filled(session, std::move(aio), lengths.size());
}

/// Starts a write of one byte value. Small writes share memory, however many are in flight.
Outcome start_pattern(Session& session, std::unique_ptr<AioRequest> aio, const VectorArgument& vector, uint8_t byte) {
    if (vector.total <= AioQueue::pattern_bytes && !session.misalign) {
        if (uint8_t* const data = session.aio().pattern(byte)) {
            aio->request.iov = cyclic_iov(data, AioQueue::pattern_bytes, vector.lengths);
            return start_filled(session, std::move(aio), vector.lengths.size());
        }
    }
    return start_data(session, std::move(aio), vector.lengths, Sharing::all, byte);
}

/// The options of aio_read.
struct AioReadOptions {
    std::optional<uint8_t> pattern;
    bool dump = false;         // -v
    bool for_machines = false; // -C
    bool quiet = false;        // -q
    bool registered = false;   // -r; no effect
    bool invalid = false;      // -i
};

/// An option after which the rest of the line is ignored.
template <auto Member>
OptionStep set_last_flag(const GivenOption& given, detail::Owner<Member>& parsed) {
    (void)set_flag<Member>(given, parsed);
    return OptionStep::ends;
}

constexpr OptionRow<AioReadOptions> aio_read_options[] = {
    {{.letter = 'P', .argument = "PATTERN", .help = "compare the data with this byte (0 to 255)"}, set_pattern<&AioReadOptions::pattern>},
    {{.letter = 'v', .help = "show the data as hex and text"}, set_flag<&AioReadOptions::dump>},
    {{.letter = 'C', .help = "report in one line of numbers, as read -C does"}, set_flag<&AioReadOptions::for_machines>},
    {{.letter = 'q', .help = "do not report"}, set_flag<&AioReadOptions::quiet>},
    {{.letter = 'i', .help = "do nothing but count an invalid request"}, set_last_flag<&AioReadOptions::invalid>},
    {{.letter = 'r', .help = "register the buffers with the kernel before the request"}, set_flag<&AioReadOptions::registered>},
};

Outcome run_aio_read(Session& session, const Command& command, const AioReadOptions& options, std::span<char*> operands) {
    if (options.invalid) {
        session.out().print("injecting invalid read request\n");
        return Outcome::ok;
    }
    const std::optional<VectorArgument> vector = parse_vector_operands(session, command, operands);
    if (!vector) {
        return Outcome::failed;
    }
    auto aio = session.aio().make(command.name);
    aio->verb = "read";
    aio->failure_verb = "readv";
    aio->for_machines = options.for_machines;
    aio->quiet = options.quiet;
    aio->dump = options.dump;
    aio->expect = options.pattern;
    aio->offset = aio->request.offset = vector->offset;
    const bool shows_data = aio->expect || (aio->dump && !aio->quiet);
    return shows_data ? start_data(session, std::move(aio), vector->lengths, Sharing::none, unread_byte)
                      : start_data(session, std::move(aio), vector->lengths, Sharing::all, std::nullopt);
}

/// The options of aio_write.
struct AioWriteOptions {
    std::optional<uint8_t> pattern;
    bool zeroes = false;       // -z
    WriteFlags flags;          // -u, -f
    bool for_machines = false; // -C
    bool quiet = false;        // -q
    bool registered = false;   // -r
    bool invalid = false;      // -i
};

constexpr OptionRow<AioWriteOptions> aio_write_options[] = {
    {{.letter = 'P', .argument = "PATTERN", .help = "write this byte (0 to 255)", .fallback = "0xcd"}, set_pattern<&AioWriteOptions::pattern>},
    {{.letter = 'z', .help = "write zeros in the cheapest way that the image supports; takes one len"}, set_flag<&AioWriteOptions::zeroes>},
    {{.letter = 'u', .help = "with -z: allow a hole"}, set_flag_of<&AioWriteOptions::flags, &WriteFlags::may_unmap>},
    {{.letter = 'f', .help = "force the data to the medium before the request ends"}, set_flag_of<&AioWriteOptions::flags, &WriteFlags::fua>},
    {{.letter = 'C', .help = "report in one line of numbers, as read -C does"}, set_flag<&AioWriteOptions::for_machines>},
    {{.letter = 'q', .help = "do not report"}, set_flag<&AioWriteOptions::quiet>},
    {{.letter = 'i', .help = "do nothing but count an invalid request"}, set_last_flag<&AioWriteOptions::invalid>},
    {{.letter = 'r', .help = "register the buffers with the kernel before the request"}, set_flag<&AioWriteOptions::registered>},
};

/// Reports options that exclude each other. False if there are any.
bool check_combination(Session& session, const AioWriteOptions& options, size_t operands) {
    const char* complaint = nullptr;
    if (options.zeroes && operands != 2) {
        complaint = "-z supports only a single length parameter";
    } else if (options.flags.may_unmap && !options.zeroes) {
        complaint = "-u requires -z to be specified";
    } else if (options.zeroes && options.registered) {
        complaint = "cannot combine zero write with registered I/O buffer";
    }
    if (complaint != nullptr) {
        session.out().complain("{}\n", complaint);
    }
    return complaint == nullptr;
}

Outcome run_aio_write(Session& session, const Command& command, const AioWriteOptions& options, std::span<char*> operands) {
    if (options.invalid) {
        session.out().print("injecting invalid write request\n");
        return Outcome::ok;
    }
    if (operands.size() < 2) {
        return usage_error(session, command);
    }
    if (!check_combination(session, options, operands.size())) {
        return Outcome::failed;
    }
    auto aio = session.aio().make(command.name);
    aio->verb = "wrote";
    aio->failure_verb = "aio_write";
    aio->for_machines = options.for_machines;
    aio->quiet = options.quiet;
    aio->request.op = options.zeroes ? RequestOp::write_zeroes : RequestOp::write;
    aio->request.flags = options.flags;
    if (options.zeroes) {
        const std::optional<RangeArgument> asked = parse_range(session, operands[0], operands[1]);
        if (!asked) {
            return Outcome::failed;
        }
        aio->offset = aio->request.offset = asked->offset;
        aio->request.bytes = asked->length;
        return start(session, std::move(aio));
    }
    const std::optional<VectorArgument> vector = parse_vector(session, operands);
    if (!vector) {
        return Outcome::failed;
    }
    aio->offset = aio->request.offset = vector->offset;
    return start_pattern(session, std::move(aio), *vector, options.pattern.value_or(default_byte));
}

/// The options of aio_discard.
struct AioDiscardOptions {
    bool for_machines = false; // -C
    bool quiet = false;        // -q
};

constexpr OptionRow<AioDiscardOptions> aio_discard_options[] = {
    {{.letter = 'C', .help = "report in one line of numbers, as read -C does"}, set_flag<&AioDiscardOptions::for_machines>},
    {{.letter = 'q', .help = "do not report"}, set_flag<&AioDiscardOptions::quiet>},
};

Outcome run_aio_discard(Session& session, const Command& command, const AioDiscardOptions& options, std::span<char*> operands) {
    const std::optional<RangeArgument> asked = parse_range_operands(session, command, operands);
    if (!asked) {
        return Outcome::failed;
    }
    auto aio = session.aio().make(command.name);
    aio->verb = "discarded ";
    aio->failure_verb = "aio_discard";
    aio->for_machines = options.for_machines;
    aio->quiet = options.quiet;
    aio->request.op = RequestOp::discard;
    aio->offset = aio->request.offset = asked->offset;
    aio->request.bytes = asked->length;
    return start(session, std::move(aio));
}

Outcome run_aio_flush(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    if (!session.aio().drain(session.backend())) {
        return session.out().interrupted("aio_flush interrupted: the requests go on");
    }
    return Outcome::ok;
}

} // namespace

constexpr Command aio_commands[] = {
    {.name = "aio_discard", .run = with_options<aio_discard_options, run_aio_discard>,
     .argmin = 2, .argmax = -1, .needs_image = true, .starts_aio = true, .permissions = Permissions::write,
     .args = "[-Cq] off len",
     .oneline = "start to discard a range of the image",
     .help =
         "Discards len bytes at offset off as discard does, but returns at once. aio_flush waits for the result.\n"
         "\n"
         "Example: aio_discard 0 64k\n",
     .notes = "If the request fails later, this command has not failed: the exit status does not change.\n",
     .options = option_table<aio_discard_options>(), .words = range_words},
    {.name = "aio_flush", .run = run_aio_flush,
     .needs_image = true,
     .oneline = "wait for all asynchronous requests and report them"},
    {.name = "aio_read", .run = with_options<aio_read_options, run_aio_read>,
     .argmin = 2, .argmax = -1, .needs_image = true, .starts_aio = true,
     .args = "[-Ciqrv] [-P pattern] off len [len..]",
     .oneline = "start to read a range of the image",
     .help =
         "Reads at offset off into one buffer of each length len, but returns at once. aio_flush waits for the result.\n"
         "Results are reported in the order of the commands.\n"
         "\n"
         "Example: aio_read -v 512 1k 1k\n",
     .notes = "If the request fails later, this command has not failed: the exit status does not change.\n",
     .options = option_table<aio_read_options>(), .words = vector_words},
    {.name = "aio_write", .run = with_options<aio_write_options, run_aio_write>,
     .argmin = 2, .argmax = -1, .needs_image = true, .starts_aio = true, .permissions = Permissions::write,
     .args = "[-Cfiqruz] [-P pattern] off len [len..]",
     .oneline = "start to write a range of the image",
     .help =
         "Writes at offset off from one buffer of each length len, but returns at once. aio_flush waits for the result.\n"
         "Results are reported in the order of the commands. Without -P or -z every byte is 0xcd.\n"
         "\n"
         "Example: aio_write -P 0x5a 512 1k 1k\n",
     .notes = "If the request fails later, this command has not failed: the exit status does not change.\n",
     .options = option_table<aio_write_options>(), .words = vector_words},
};

} // namespace zoneio
