// SPDX-License-Identifier: GPL-3.0-or-later
//
// The driver `nbd`: an image on a server, by the NBD protocol.
#include "block/base/size.h"
#include "block/nbd/client.h"
#include "block/node/driver_rows.h"
#include "block/objects/object_ids.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <limits>

namespace zoneio {

namespace {

constexpr std::string_view option_keys[] = {
    "server.type",   "server.host",       "server.port",      "server.path",     "server.str",      "server.cid",
    "server.ipv4",   "server.ipv6",       "server.numeric",   "server.to",       "server.mptcp",    "server.keep-alive",
    "server.abstract", "server.tight",    "host",             "port",            "path",            "export",
    "tls-creds",     "tls-hostname",      "x-dirty-bitmap",   "reconnect-delay", "open-timeout",    "request-timeout",
    "connections",
};
/// Protocols in names, besides `nbd`. `info` shows the last one.
constexpr std::string_view protocols[] = {"nbd+tcp", "nbd+unix"};

constexpr std::string_view allocation_context = "base:allocation";
/// Longest text in the protocol, in bytes.
constexpr size_t longest_text = 4096;
/// Most data of one request, the same as QEMU's. Servers need not accept more.
constexpr uint32_t largest_transfer = 32U << 20;
/// Time without an answer after which a server counts as dead, in seconds. QEMU has no limit.
constexpr uint64_t default_request_timeout = 300;

/// Bits of base:allocation.
constexpr uint64_t status_hole = 1;
constexpr uint64_t status_zero = 2;

/// Converts seconds; values that exceed the lifetime of the program are reduced.
std::chrono::seconds seconds_of(const std::optional<uint64_t>& value, uint64_t otherwise) {
    constexpr uint64_t longest = std::numeric_limits<int32_t>::max();
    return std::chrono::seconds(std::min(value.value_or(otherwise), longest));
}

/// Null if no credentials are named.
Result<const TlsCredentials*> take_credentials(Options& options) {
    const std::optional<std::string> id = options.take("tls-creds");
    if (!id) {
        return nullptr;
    }
    const TlsCredentials* const found = find_tls_credentials(*id);
    if (found == nullptr) {
        return Status::invalid(has_user_object(*id) ? fmt::format("Object with id '{}' is not TLS credentials", *id)
                                            : fmt::format("No TLS credentials with id '{}'", *id));
    }
    if (found->is_server) {
        return Status::invalid("Expected TLS credentials for a client endpoint");
    }
    return found;
}

Result<NbdSettings> take_settings(Options& options) {
    NbdSettings settings;
    std::optional<uint64_t> reconnect_delay;
    std::optional<uint64_t> open_timeout;
    std::optional<uint64_t> request_timeout;
    std::optional<uint64_t> connections;
    Status status = options.take_all({OptionTarget::number("reconnect-delay", reconnect_delay),
                                      OptionTarget::number("open-timeout", open_timeout),
                                      OptionTarget::number("request-timeout", request_timeout),
                                      OptionTarget::number("connections", connections)});
    if (!status.ok()) {
        return status;
    }
    if (const uint64_t count = connections.value_or(1); count < 1 || count > most_nbd_connections) {
        return Status::invalid(fmt::format("connections={} is not possible; use 1 to {}", count, most_nbd_connections));
    }
    settings.connections = static_cast<unsigned>(connections.value_or(1));
    settings.reconnect_delay = seconds_of(reconnect_delay, 0);
    settings.open_timeout = seconds_of(open_timeout, 0);
    settings.request_timeout = seconds_of(request_timeout, default_request_timeout);
    settings.export_name = options.take("export").value_or("");
    settings.context = options.take("x-dirty-bitmap").value_or(std::string(allocation_context));
    settings.tls_hostname = options.take("tls-hostname").value_or("");
    settings.address = TRY(take_nbd_address(options));
    if (settings.address.type == NbdAddress::Type::descriptor && settings.connections > 1) {
        return Status::invalid("A descriptor (server.type=fd) is one connection; leave out the option connections");
    }
    if (settings.export_name.size() > longest_text) {
        return Status::invalid("export name too long to send to server");
    }
    if (settings.context.size() > longest_text) {
        return Status::invalid("x-dirty-bitmap query too long to send to server");
    }
    settings.tls = TRY(take_credentials(options));
    return settings;
}

/// QEMU's text for an export that is found, but not as it is wanted.
Status cannot_open(const Options& given, int error) {
    const std::string* const name = given.find_text("filename");
    const std::string what = name != nullptr ? fmt::format("'{}'", *name) : "image";
    return Status::error(error, fmt::format("Could not open {}: {}", what, strerror(error)));
}

class NbdDriver final : public BlockDriver, private NativeFile, private RemoteQueue {
public:
    static Result<std::unique_ptr<BlockDriver>> create(OpenContext& context, Options& options) {
        const Options given = options;
        NbdSettings settings = TRY(take_settings(options));
        context.filename = nbd_name(settings.address, Options(given).take("export"));
        const bool wants_bitmap = settings.context != allocation_context;
        std::unique_ptr<NbdClient> client = TRY(NbdClient::open(std::move(settings)));
        const NbdExport& facts = client->facts();
        if (wants_bitmap && !facts.has_context) {
            return cannot_open(given, EINVAL);
        }
        if (facts.read_only && !context.flags.read_only) {
            // As in QEMU, copy-on-read needs write permission even so.
            if (!context.flags.auto_read_only || context.flags.copy_on_read) {
                return cannot_open(given, EACCES).because(Cause::read_only_export);
            }
            context.flags.read_only = true;
        }
        if (facts.size > static_cast<uint64_t>(max_image_length)) {
            return Status::error(EFBIG, std::string("Could not refresh total sector count: ") + strerror(EFBIG));
        }
        auto driver = std::make_unique<NbdDriver>(std::move(client));
        for (const auto& [key, value] : given.all()) {
            // The keys that take_all() has taken.
            if (!options.contains(key)) {
                driver->opened_with_.set(key, value);
            }
        }
        return std::unique_ptr<BlockDriver>(std::move(driver));
    }

    explicit NbdDriver(std::unique_ptr<NbdClient> client) : client_(std::move(client)), facts_(client_->facts()) {
        traits_.writes_zeroes = true;
        traits_.passes_fua = facts_.can_fua;
        traits_.has_fua = facts_.can_fua;
        traits_.owns_flush = true;
        extras_.native_file = this;
        extras_.remote_queue = this;
        const uint32_t block = facts_.block_sizes.minimum;
        const uint32_t largest = std::min(largest_transfer, facts_.block_sizes.maximum);
        limits_.request_alignment = block;
        limits_.max_transfer = std::max(largest / block * block, block);
        limits_.max_zeroes = limits_.max_transfer;
        limits_.zeroes_alignment = block;
        limits_.discard_alignment = block;
        limits_.max_discard = largest_range();
    }

    /// Bytes after the end of the export, up to the next multiple of 512, read as zeros.
    Status preadv(uint64_t offset, const IoVec& iov) override {
        const uint64_t bytes = within(offset, iov.bytes());
        Status status;
        if (bytes > 0) {
            NbdCommand command = make(NbdCommand::Kind::read, offset, bytes);
            status = attach(command, iov);
            status = status.ok() ? client_->perform(command) : std::move(status);
            if (status.ok() && iov.count() != 1) {
                detach(command, iov);
            }
        }
        if (status.ok() && bytes < iov.bytes()) {
            iov.fill(bytes, iov.bytes() - bytes, 0);
        }
        return status;
    }

    Status pwritev(uint64_t offset, const IoVec& iov, WriteFlags flags) override {
        if (within(offset, iov.bytes()) < iov.bytes()) {
            return Status::from_errno(ENOSPC);
        }
        NbdCommand command = make(NbdCommand::Kind::write, offset, iov.bytes());
        command.flags = fua_flag(flags);
        Status status = attach(command, iov);
        return status.ok() ? client_->perform(command) : std::move(status);
    }

    Status pwrite_zeroes(uint64_t offset, uint64_t bytes, WriteFlags flags) override {
        if (!facts_.can_zero || (flags.no_fallback && !facts_.can_fast_zero)) {
            return Status::from_errno(ENOTSUP);
        }
        if (within(offset, bytes) < bytes) {
            return Status::from_errno(ENOSPC);
        }
        NbdCommand command = make(NbdCommand::Kind::zero, offset, bytes);
        command.flags = fua_flag(flags) | (flags.may_unmap ? 0U : LIBNBD_CMD_FLAG_NO_HOLE) |
                        (flags.no_fallback ? LIBNBD_CMD_FLAG_FAST_ZERO : 0U);
        return client_->perform(command);
    }

    Status pdiscard(uint64_t offset, uint64_t bytes) override {
        if (!facts_.can_trim || bytes == 0) {
            return {};
        }
        if (within(offset, bytes) < bytes) {
            return Status::from_errno(EINVAL);
        }
        NbdCommand command = make(NbdCommand::Kind::trim, offset, bytes);
        return client_->perform(command);
    }

    Status flush() override {
        if (!facts_.can_flush) {
            return {};
        }
        NbdCommand command = make(NbdCommand::Kind::flush, 0, 0);
        return client_->perform(command);
    }

    Status truncate(uint64_t size, PreallocMode /*mode*/) override {
        return size > facts_.size ? Status::invalid("Cannot grow NBD nodes") : Status();
    }

    Result<BlockExtent> block_status(uint64_t offset, uint64_t bytes, bool /*want_zero*/) override {
        if (offset >= facts_.size) {
            return BlockExtent{bytes, false, true};
        }
        if (!facts_.has_context) {
            return BlockExtent{bytes, true, false};
        }
        const uint64_t asked = std::min(within(offset, bytes), largest_range());
        NbdCommand command = make(NbdCommand::Kind::status, offset, asked);
        command.flags = LIBNBD_CMD_FLAG_REQ_ONE;
        TRY(client_->perform(command));
        if (command.extent_bytes == 0) {
            return Status::from_errno(EIO);
        }
        return BlockExtent{std::min(command.extent_bytes, asked), (command.extent_flags & status_hole) == 0,
                           (command.extent_flags & status_zero) != 0};
    }

    Result<uint64_t> length() override { return facts_.size; }

    /// No option can change, but a reopen may repeat the options that the name stands for.
    Result<std::unique_ptr<PendingReopen>> prepare_reopen(Options& options, const NodeFlags& flags) override {
        for (const auto& [key, value] : opened_with_.all()) {
            const OptionValue* const wanted = options.find(key);
            if (wanted != nullptr && option_text(*wanted) == option_text(value)) {
                options.erase(key);
            }
        }
        if (facts_.read_only && !flags.read_only) {
            return Status::error(EACCES, "Can't reopen read-only NBD mount as read/write").because(Cause::read_only_export);
        }
        return std::unique_ptr<PendingReopen>();
    }

private:
    // NativeFile

    std::optional<FdIo> native_io(Request& request, uint64_t offset) override {
        const bool moves_data = request.op == RequestOp::read || request.op == RequestOp::write;
        if (!moves_data || request.bytes == 0 || within(offset, request.bytes) < request.bytes ||
            (request.flags.fua && !facts_.can_fua)) {
            return std::nullopt;
        }
        return FdIo{.offset = offset};
    }

    int descriptor() const override { return -1; }

    // RemoteQueue

    bool start(Request& request, uint64_t offset) override {
        const bool is_read = request.op == RequestOp::read;
        auto command = std::make_unique<NbdCommand>(
            make(is_read ? NbdCommand::Kind::read : NbdCommand::Kind::write, offset, request.bytes));
        command->flags = is_read ? 0 : fua_flag(request.flags);
        command->request = &request;
        if (!attach(*command, request.iov).ok() || !client_->start(*command)) {
            return false;
        }
        (void)command.release(); // take_finished() returns it
        return true;
    }

    Request* take_finished(bool wait) override {
        Request* list = nullptr;
        for (NbdCommand* command = client_->take_finished(wait); command != nullptr;) {
            const std::unique_ptr<NbdCommand> owned(command);
            command = command->next;
            Request& request = *owned->request;
            request.status = owned->error == 0 ? Status() : Status::from_errno(owned->error);
            if (request.status.ok() && request.op == RequestOp::read && request.iov.count() != 1) {
                detach(*owned, request.iov);
            }
            request.next = list;
            list = &request;
        }
        return list;
    }

    size_t in_flight() const override { return client_->in_flight(); }
    int event_fd() override { return client_->event_fd(); }
    RemoteConnections connections() const override {
        return {.usable = client_->connections(), .wanted = client_->connections_wanted(), .only_one = !facts_.can_multi_conn};
    }

    /// Number of bytes of a range that lie within the export.
    uint64_t within(uint64_t offset, uint64_t bytes) const {
        return offset >= facts_.size ? 0 : std::min(bytes, facts_.size - offset);
    }

    /// Longest request without data in the protocol, rounded down to whole blocks.
    uint64_t largest_range() const {
        constexpr uint64_t largest = std::numeric_limits<int32_t>::max();
        return largest / facts_.block_sizes.minimum * facts_.block_sizes.minimum;
    }

    static NbdCommand make(NbdCommand::Kind kind, uint64_t offset, uint64_t bytes) {
        NbdCommand command;
        command.kind = kind;
        command.offset = offset;
        command.bytes = bytes;
        return command;
    }

    uint32_t fua_flag(const WriteFlags& flags) const { return flags.fua && facts_.can_fua ? LIBNBD_CMD_FLAG_FUA : 0U; }

    /// Sets the data of a command. For several buffers, allocates memory and, for a write, copies the data into it.
    static Status attach(NbdCommand& command, const IoVec& iov) {
        if (iov.count() == 1) {
            command.data = iov.segments().front().iov_base;
            return {};
        }
        if (!command.bounce.reserve(iov.bytes())) {
            return Status::from_errno(ENOMEM);
        }
        command.data = command.bounce.data();
        if (command.kind == NbdCommand::Kind::write) {
            iov.copy_to(command.bounce.data());
        }
        return {};
    }

    static void detach(NbdCommand& command, const IoVec& iov) {
        iov.slice(0, command.bytes).copy_from(command.bounce.data());
    }

    std::unique_ptr<NbdClient> client_;
    const NbdExport facts_;
    Options opened_with_;
};

} // namespace

const DriverInfo nbd_driver{.name = "nbd",
                            .is_protocol = true,
                            .needs_filename = false,
                            .parse_filename = parse_nbd_name,
                            .open = NbdDriver::create,
                            .option_keys = option_keys,
                            .other_protocols = protocols};

} // namespace zoneio
