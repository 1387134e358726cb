// SPDX-License-Identifier: GPL-3.0-or-later
//
// aio_read, aio_write, aio_discard and aio_flush.
#include "commands/arguments.h"
#include "commands/families.h"

#include <unistd.h>

namespace zoneio {

namespace {

/// That a request is under way; its end is told with the same number.
struct StartedFact {
    uint64_t id;

    void text(Reporter& /*out*/) const {}
    void json(JsonRecord& record) const { record.add("aio", id); }
};

Outcome start(Session& session, std::unique_ptr<AioRequest> aio) {
    // In this order: to start one may mean to report others.
    const StartedFact started{session.aio().start(session.backend(), std::move(aio))};
    session.out().tell(started);
    return Outcome::ok;
}

/// Starts a request whose iov is there.
Outcome start_filled(Session& session, std::unique_ptr<AioRequest> aio, size_t buffers) {
    aio->request.bytes = aio->request.iov.bytes();
    aio->request.buffers = buffers;
    return start(session, std::move(aio));
}

/// Makes room for the data and starts the request. Without `fill` nobody looks at what is in the memory.
Outcome start_data(Session& session, std::unique_ptr<AioRequest> aio, std::span<const uint64_t> lengths,
                   Sharing sharing, std::optional<uint8_t> fill) {
    if (const Status status = make_iov(session, aio->buffer, lengths, sharing, aio->request.iov); !status.ok()) {
        session.out().error(status);
        return Outcome::failed;
    }
    aio->data = data_begin(session, aio->buffer);
    if (fill) {
        fill_iov(aio->request.iov, *fill);
    }
    return start_filled(session, std::move(aio), lengths.size());
}

/// Starts a write of one byte over and over. Small ones need no memory of their own, however many are in flight.
Outcome start_pattern(Session& session, std::unique_ptr<AioRequest> aio, const VectorArgument& vector, uint8_t byte) {
    if (vector.total <= AioQueue::pattern_bytes && !session.misalign) {
        if (uint8_t* const data = session.aio().pattern(byte)) {
            aio->request.iov = cyclic_iov(data, AioQueue::pattern_bytes, vector.lengths);
            return start_filled(session, std::move(aio), vector.lengths.size());
        }
    }
    return start_data(session, std::move(aio), vector.lengths, Sharing::all, byte);
}

Outcome run_aio_read(Session& session, const Command& command, CommandLine line) {
    auto aio = session.aio().make(command.name);
    aio->verb = "read";
    aio->failure_verb = "readv";
    int c = 0;
    while ((c = next_option(command, line)) != -1) {
        switch (c) {
        case 'C': aio->for_machines = true; break;
        case 'i': session.out().print("injecting invalid read request\n"); return Outcome::ok;
        case 'P':
            aio->expect = parse_pattern(session, optarg);
            if (!aio->expect) {
                return Outcome::failed;
            }
            break;
        case 'q': aio->quiet = true; break;
        case 'r': break;
        case 'v': aio->dump = true; break;
        default: return usage_error(session, command);
        }
    }
    const std::optional<VectorArgument> vector = parse_vector_operands(session, command, line);
    if (!vector) {
        return Outcome::failed;
    }
    aio->offset = aio->request.offset = vector->offset;
    const bool shows_data = aio->expect || (aio->dump && !aio->quiet);
    return shows_data ? start_data(session, std::move(aio), vector->lengths, Sharing::none, unread_byte)
                      : start_data(session, std::move(aio), vector->lengths, Sharing::all, std::nullopt);
}

struct WriteOptions {
    std::optional<uint8_t> pattern;
    bool zeroes = false;
    bool registered = false;
};

/// Parses the options of aio_write; an outcome means that the command ends here.
std::optional<Outcome> parse_write_options(Session& session, const Command& command, CommandLine line,
                                           AioRequest& aio, WriteOptions& options) {
    int c = 0;
    while ((c = next_option(command, line)) != -1) {
        switch (c) {
        case 'C': aio.for_machines = true; break;
        case 'f': aio.request.flags.fua = true; break;
        case 'i': session.out().print("injecting invalid write request\n"); return Outcome::ok;
        case 'P':
            options.pattern = parse_pattern(session, optarg);
            if (!options.pattern) {
                return Outcome::failed;
            }
            break;
        case 'q': aio.quiet = true; break;
        case 'r': options.registered = true; break;
        case 'u': aio.request.flags.may_unmap = true; break;
        case 'z': options.zeroes = true; break;
        default: return usage_error(session, command);
        }
    }
    return std::nullopt;
}

Outcome run_aio_write(Session& session, const Command& command, CommandLine line) {
    auto aio = session.aio().make(command.name);
    aio->verb = "wrote";
    aio->failure_verb = "aio_write";
    aio->request.op = RequestOp::write;
    WriteOptions options;
    if (const std::optional<Outcome> ended = parse_write_options(session, command, line, *aio, options)) {
        return *ended;
    }
    const std::span<char*> operands = line.operands();
    if (operands.size() < 2) {
        return usage_error(session, command);
    }
    const char* complaint = nullptr;
    if (options.zeroes && operands.size() != 2) {
        complaint = "-z supports only a single length parameter";
    } else if (aio->request.flags.may_unmap && !options.zeroes) {
        complaint = "-u requires -z to be specified";
    } else if (options.zeroes && options.registered) {
        complaint = "cannot combine zero write with registered I/O buffer";
    }
    if (complaint != nullptr) {
        session.out().complain("{}\n", complaint);
        return Outcome::failed;
    }
    if (options.zeroes) {
        const std::optional<RangeArgument> asked = parse_range(session, operands[0], operands[1]);
        if (!asked) {
            return Outcome::failed;
        }
        aio->request.op = RequestOp::write_zeroes;
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

Outcome run_aio_discard(Session& session, const Command& command, CommandLine line) {
    auto aio = session.aio().make(command.name);
    aio->verb = "discarded ";
    aio->failure_verb = "aio_discard";
    aio->request.op = RequestOp::discard;
    int c = 0;
    while ((c = next_option(command, line)) != -1) {
        switch (c) {
        case 'C': aio->for_machines = true; break;
        case 'q': aio->quiet = true; break;
        default: return usage_error(session, command);
        }
    }
    const std::optional<RangeArgument> asked = parse_range_operands(session, command, line);
    if (!asked) {
        return Outcome::failed;
    }
    aio->offset = aio->request.offset = asked->offset;
    aio->request.bytes = asked->length;
    return start(session, std::move(aio));
}

Outcome run_aio_flush(Session& session, const Command& /*command*/, CommandLine /*line*/) {
    if (!session.aio().drain(session.backend())) {
        session.out().interrupted("aio_flush interrupted: the requests go on");
        return Outcome::failed;
    }
    return Outcome::ok;
}

constexpr Command commands[] = {
    {.name = "aio_discard", .run = run_aio_discard,
     .argmin = 2, .argmax = -1, .needs_image = true, .starts_aio = true, .permissions = Permissions::write,
     .args = "[-Cq] off len",
     .oneline = "starts to discard a stretch of the image",
     .help =
         "Lets go of LEN bytes at offset OFF. The command returns at once; aio_flush waits for the result.\n"
         "\n"
         "Example: aio_discard 0 64k\n"
         "\n"
         "  -C           report in one line of numbers\n"
         "  -q           no report\n"
         "\n"
         "What happens later is no error of this command: the exit status does not show it.\n",
     .options = "Cq", .words = range_words},
    {.name = "aio_flush", .run = run_aio_flush,
     .needs_image = true,
     .oneline = "waits for all asynchronous requests and reports them"},
    {.name = "aio_read", .run = run_aio_read,
     .argmin = 2, .argmax = -1, .needs_image = true, .starts_aio = true,
     .args = "[-Ciqrv] [-P pattern] off len [len..]",
     .oneline = "starts to read a stretch of the image",
     .help =
         "Reads at offset OFF into as many buffers as lengths are given. The command returns at once; aio_flush waits\n"
         "for the result. Results are shown in the order of the commands.\n"
         "\n"
         "Example: aio_read -v 512 1k 1k\n"
         "\n"
         "  -P PATTERN   compare what is read with this byte\n"
         "  -v           show the data as hex and text\n"
         "  -C           report in one line of numbers\n"
         "  -q           no report\n"
         "  -i           count an invalid request, and do nothing\n"
         "  -r           register the buffers for I/O beforehand\n"
         "\n"
         "What happens later is no error of this command: the exit status does not show it.\n",
     .options = "CiP:qrv", .words = vector_words},
    {.name = "aio_write", .run = run_aio_write,
     .argmin = 2, .argmax = -1, .needs_image = true, .starts_aio = true, .permissions = Permissions::write,
     .args = "[-Cfiqruz] [-P pattern] off len [len..]",
     .oneline = "starts to write a stretch of the image",
     .help =
         "Writes at offset OFF from as many buffers as lengths are given; without -P or -z every byte is 0xcd. The\n"
         "command returns at once; aio_flush waits for the result. Results are shown in the order of the commands.\n"
         "\n"
         "Example: aio_write -P 0x5a 512 1k 1k\n"
         "\n"
         "  -P PATTERN   write this byte\n"
         "  -z           write zeros the cheapest way the image has (one length only)\n"
         "  -u           with -z: the range may become a hole\n"
         "  -f           not done before the data is on the medium\n"
         "  -C           report in one line of numbers\n"
         "  -q           no report\n"
         "  -i           count an invalid request, and do nothing\n"
         "  -r           register the buffers for I/O beforehand\n"
         "\n"
         "What happens later is no error of this command: the exit status does not show it.\n",
     .options = "CfiP:qruz", .words = vector_words},
};

} // namespace

std::span<const Command> aio_commands() {
    return commands;
}

} // namespace zoneio
