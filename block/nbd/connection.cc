// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/connection.h"

#include "block/base/size.h"
#include "block/nbd/tls_probe.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <poll.h>
#include <span>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace zoneio {

namespace {

/// Limits of a list of exports in an error text: number of names, and time to wait for each.
constexpr size_t most_exports = 50;
constexpr std::chrono::seconds list_time(2);

/// The last error of libnbd on this thread, without the function's name.
std::string library_error(const NbdLibrary& library) {
    const char* const text = library.get_error();
    std::string_view message = text != nullptr ? text : "unknown error";
    if (const size_t mark = message.find(": "); message.starts_with("nbd_") && mark != std::string_view::npos) {
        message.remove_prefix(mark + 2);
    }
    return std::string(message);
}

int on_option_end(void* done, int* /*error*/) {
    *static_cast<bool*>(done) = true;
    return 1;
}

int on_export(void* names, const char* name, const char* /*description*/) {
    auto& list = *static_cast<std::vector<std::string>*>(names);
    if (list.size() < most_exports) {
        list.emplace_back(name);
    }
    return 0;
}

} // namespace

Result<std::unique_ptr<NbdConnection>> NbdConnection::open(const NbdLibrary& library, const NbdSettings& settings,
                                                           const NbdDeadline& deadline) {
    nbd_handle* const handle = library.create();
    if (handle == nullptr) {
        return Status::error(ENOMEM, library_error(library));
    }
    std::unique_ptr<NbdConnection> connection(new NbdConnection(library, handle));
    Status status = connection->set_up(settings, deadline);
    if (status.ok()) {
        return connection;
    }
    if (status.code() == ETIMEDOUT && !status.has_text()) {
        status = Status::error(ETIMEDOUT, deadline.time ? std::string("Connection attempt cancelled by timeout")
                                                   : fmt::format("'{}' does not answer as an NBD server does within {} seconds",
                                                                 settings.address.text(), settings.request_timeout.count()))
                     .because(Cause::server_unreachable, {.name = settings.address.text()});
    }
    return status;
}

NbdConnection::~NbdConnection() {
    if (!lost_ && library_.aio_is_ready(handle_) > 0) {
        (void)library_.aio_disconnect(handle_, 0);
    } else if (!lost_ && library_.aio_is_negotiating(handle_) > 0) {
        (void)library_.aio_opt_abort(handle_);
    }
    library_.close(handle_);
}

Status NbdConnection::set_up(const NbdSettings& settings, const NbdDeadline& deadline) {
    // libnbd's own checks are off. zoneio checks ranges and flags as QEMU does; the user shall see the server's answer
    // to the rest.
    const bool ok = library_.set_strict_mode(handle_, 0) == 0 && library_.set_opt_mode(handle_, true) == 0 &&
                    library_.set_pread_initialize(handle_, false) == 0 &&
                    library_.set_export_name(handle_, settings.export_name.c_str()) == 0 &&
                    library_.add_meta_context(handle_, settings.context.c_str()) == 0;
    if (!ok) {
        return Status::invalid(library_error(library_));
    }
    Status status = settings.tls != nullptr ? set_up_tls(settings, deadline) : Status();
    if (!status.ok()) {
        return status;
    }
    std::optional<NbdWatchdog> watchdog;
    status = connect(settings, deadline, watchdog);
    status = status.ok() ? negotiate(settings, deadline) : std::move(status);
    if (status.ok()) {
        watchdog.reset();
        return learn(settings);
    }
    Status ended = watchdog ? watchdog->status() : Status();
    return !ended.ok() ? ended : settings.tls != nullptr ? explain(std::move(status), settings, deadline) : std::move(status);
}

/// If there is no TLS, the reason that the server gives when asked again.
Status NbdConnection::explain(Status status, const NbdSettings& settings, const NbdDeadline& deadline) const {
    const bool has_ended = status.code() == EINTR || status.code() == ETIMEDOUT || status.cause() == Cause::server_unreachable;
    if (has_ended || settings.address.type == NbdAddress::Type::descriptor || library_.get_tls_negotiated(handle_) > 0) {
        return status;
    }
    Status reason = why_no_tls(settings, deadline);
    const bool is_unknown = reason.ok() || reason.code() == ETIMEDOUT || reason.cause() == Cause::server_unreachable;
    return is_unknown ? std::move(status) : std::move(reason);
}

Status NbdConnection::set_up_tls(const NbdSettings& settings, const NbdDeadline& deadline) {
    const TlsCredentials& tls = *settings.tls;
    if (Status refused = check_support(tls); !refused.ok()) {
        // A server may have another reason that it cannot be used.
        TRY(why_no_tls(settings, deadline));
        return refused;
    }
    const bool is_psk = tls.kind == TlsCredentials::Kind::psk;
    bool ok = library_.set_tls(handle_, LIBNBD_TLS_REQUIRE) == 0;
    if (is_psk) {
        ok = ok && library_.set_tls_psk_file(handle_, tls.key_file().c_str()) == 0 &&
             library_.set_tls_username(handle_, tls.username.c_str()) == 0;
    } else {
        ok = ok && library_.set_tls_certificates(handle_, tls.dir.c_str()) == 0 &&
             library_.set_tls_verify_peer(handle_, tls.verify_peer) == 0;
    }
    if (!ok) {
        return Status::invalid(library_error(library_));
    }
    const bool is_inet = settings.address.type == NbdAddress::Type::inet;
    const std::string& wanted = settings.tls_hostname;
    if (is_psk || !tls.verify_peer || (is_inet && (wanted.empty() || wanted == settings.address.host))) {
        return {};
    }
    if (wanted.empty() || library_.set_tls_hostname == nullptr) {
        // libnbd cannot verify the certificate. A server may have another reason that it cannot be used.
        TRY(why_no_tls(settings, deadline));
        return Status::error(ENOTSUP, fmt::format("This libnbd checks a certificate only for the host of a TCP connection, not "
                                                  "for '{}': tls-hostname needs libnbd 1.22 or newer, or credentials with "
                                                  "verify-peer=off",
                                                  wanted));
    }
    return library_.set_tls_hostname(handle_, wanted.c_str()) == 0 ? Status() : Status::invalid(library_error(library_));
}

/// Makes the watchdog before GnuTLS may wait for an answer.
Status NbdConnection::connect(const NbdSettings& settings, const NbdDeadline& deadline, std::optional<NbdWatchdog>& watchdog) {
    const NbdAddress& address = settings.address;
    // libnbd checks a certificate only for a host to which it connected itself.
    if (settings.tls != nullptr && settings.tls->kind == TlsCredentials::Kind::x509 && settings.tls->verify_peer &&
        address.type == NbdAddress::Type::inet) {
        // Connects without libnbd first, for the error text and the time limit.
        if (Result<FileDescriptor> trial = connect_nbd_socket(address, deadline); !trial.ok()) {
            return std::move(trial).status();
        }
        if (library_.aio_connect_tcp(handle_, address.host.c_str(), address.port.c_str()) < 0) {
            return why_failed(settings);
        }
        fd_ = library_.aio_get_fd(handle_);
        watchdog.emplace(fd_, deadline);
        return {};
    }
    FileDescriptor fd = TRY(connect_nbd_socket(address, deadline));
    if (settings.tls != nullptr) {
        // GnuTLS waits for answers during its handshake, and the relay would not run in that time. The handshake is within this call
        // if the server has answered already.
        watchdog.emplace(fd.get(), deadline);
        if (library_.aio_connect_socket(handle_, fd.get()) < 0) {
            return why_failed(settings);
        }
        fd_ = fd.release();
        return {};
    }
    relay_ = std::make_unique<NbdRelay>(std::move(fd));
    FileDescriptor end = TRY(relay_->open());
    if (library_.aio_connect_socket(handle_, end.get()) < 0) {
        return Status::invalid(library_error(library_));
    }
    fd_ = end.release();
    return {};
}

/// Continues the negotiation until `done` is set or, if `done` is null, until the server waits for an option.
Status NbdConnection::pump(const NbdSettings& settings, const NbdDeadline& deadline, const bool* done) {
    const auto is_over = [&] {
        note_state();
        const bool waits = library_.aio_is_negotiating(handle_) > 0 || library_.aio_is_ready(handle_) > 0;
        return lost_ || (done != nullptr ? *done : waits);
    };
    while (!is_over()) {
        TRY(step(deadline, settings.request_timeout));
    }
    return {};
}

/// Waits for one event, and lets libnbd and the relay handle it.
Status NbdConnection::step(const NbdDeadline& deadline, std::chrono::seconds silence) {
    fd_ = library_.aio_get_fd(handle_);
    pollfd fds[3] = {{fd_, events(), 0}, {-1, 0, 0}, {-1, 0, 0}};
    const std::span<pollfd, 2> relayed(fds + 1, 2);
    if (relay_) {
        relay_->prepare(relayed);
    }
    TRY(wait_for_sockets(fds, deadline, silence));
    if (relay_) {
        relay_->pass_on(relayed);
    }
    if (fds[0].revents != 0) {
        progress(fds[0].revents);
    }
    return {};
}

Status NbdConnection::negotiate(const NbdSettings& settings, const NbdDeadline& deadline) {
    Status status = pump(settings, deadline, nullptr);
    if (status.ok() && !lost_ && library_.aio_is_negotiating(handle_) > 0) {
        bool done = false;
        if (library_.aio_opt_go(handle_, {on_option_end, &done, nullptr}) < 0) {
            return why_failed(settings);
        }
        status = pump(settings, deadline, &done);
        if (!status.ok()) {
            // libnbd must not write to `done` any more.
            cut(NbdCut::no);
            return status;
        }
    }
    if (!status.ok()) {
        return status;
    }
    const NbdHandshake handshake =
        relay_ ? read_nbd_handshake(relay_->heard(), relay_->has_ended(), settings.context) : NbdHandshake();
    if (handshake.is_old_style && !settings.export_name.empty()) {
        return Status::invalid("Server does not support non-empty export names");
    }
    if (!handshake.failure.ok() || library_.aio_is_ready(handle_) <= 0) {
        status = handshake.failure.ok() ? why_failed(settings) : handshake.failure;
        if (status.cause() == Cause::no_such_export) {
            return std::move(status).because(Cause::no_such_export,
                                             {.name = settings.export_name, .owner = list_exports(settings)});
        }
        return status;
    }
    facts_.block_sizes = handshake.block_sizes.value_or(NbdBlockSizes());
    has_block_sizes_ = handshake.block_sizes.has_value();
    return relay_ ? leave_relay(deadline) : Status();
}

/// Connects libnbd to the server directly. At this point, only TLS sends data by itself.
Status NbdConnection::leave_relay(const NbdDeadline& deadline) {
    while (relay_->is_busy(fd_)) {
        TRY(step(deadline, std::chrono::seconds(1)));
    }
    Status status = relay_->connect(fd_);
    relay_.reset();
    return status;
}

/// Status of a failure that the server's messages do not explain.
Status NbdConnection::why_failed(const NbdSettings& settings) const {
    const std::string text = library_error(library_);
    if (library_.get_errno() == ENOENT) {
        return Status::invalid("Requested export not available").because(Cause::no_such_export);
    }
    return Status::invalid(settings.tls != nullptr ? tls_error_text(text) : text);
}

/// Names of all exports, one a line; empty if the server does not list them.
std::string NbdConnection::list_exports(const NbdSettings& settings) {
    std::vector<std::string> names;
    bool done = false;
    if (lost_ || library_.aio_is_negotiating(handle_) <= 0 ||
        library_.aio_opt_list(handle_, {on_export, &names, nullptr}, {on_option_end, &done, nullptr}) < 0) {
        return {};
    }
    if (!pump(settings, {.time = std::chrono::steady_clock::now() + list_time}, &done).ok()) {
        cut(NbdCut::no);
    }
    std::string text;
    for (const std::string& name : names) {
        text += text.empty() ? name : '\n' + name;
    }
    return text;
}

Status NbdConnection::learn(const NbdSettings& settings) {
    fd_ = library_.aio_get_fd(handle_);
    const int64_t size = library_.get_size(handle_);
    if (size < 0) {
        return Status::from_errno(EFBIG);
    }
    facts_.size = static_cast<uint64_t>(size);
    if (settings.tls != nullptr) {
        const auto told = [this](int which, uint32_t otherwise) {
            const int64_t value = library_.get_block_size(handle_, which);
            return value > 0 ? static_cast<uint32_t>(value) : otherwise;
        };
        facts_.block_sizes = {told(LIBNBD_SIZE_MINIMUM, 1), told(LIBNBD_SIZE_PREFERRED, 4096),
                              told(LIBNBD_SIZE_MAXIMUM, UINT32_MAX)};
        has_block_sizes_ = library_.get_block_size(handle_, LIBNBD_SIZE_MINIMUM) > 0;
    }
    facts_.read_only = library_.is_read_only(handle_) > 0;
    facts_.can_flush = library_.can_flush(handle_) > 0;
    facts_.can_fua = library_.can_fua(handle_) > 0;
    facts_.can_trim = library_.can_trim(handle_) > 0;
    facts_.can_zero = library_.can_zero(handle_) > 0;
    facts_.can_fast_zero = facts_.can_zero && library_.can_fast_zero(handle_) > 0;
    facts_.can_multi_conn = library_.can_multi_conn(handle_) > 0;
    facts_.has_context = library_.can_meta_context(handle_, settings.context.c_str()) > 0;
    if (!has_block_sizes_) {
        // A server that neither names a size nor has block status, which comes in bytes, may be too old for parts of sectors.
        const bool takes_bytes = facts_.size % sector_size != 0 || facts_.has_context;
        facts_.block_sizes.minimum = takes_bytes ? 1 : sector_size;
    }
    return check_block_sizes();
}

Status NbdConnection::check_block_sizes() const {
    const NbdBlockSizes& sizes = facts_.block_sizes;
    if (!std::has_single_bit(sizes.minimum)) {
        return Status::invalid(fmt::format("server minimum block size {} is not a power of two", sizes.minimum));
    }
    if (!std::has_single_bit(sizes.preferred) || sizes.preferred < sizes.minimum) {
        return Status::invalid(fmt::format("server preferred block size {} is not valid", sizes.preferred));
    }
    if (sizes.maximum < sizes.minimum) {
        return Status::invalid(fmt::format("server maximum block size {} is not valid", sizes.maximum));
    }
    return {};
}

short NbdConnection::events() const {
    const unsigned direction = library_.aio_get_direction(handle_);
    return static_cast<short>(((direction & LIBNBD_AIO_DIRECTION_READ) != 0 ? POLLIN : 0) |
                              ((direction & LIBNBD_AIO_DIRECTION_WRITE) != 0 ? POLLOUT : 0));
}

void NbdConnection::issue(NbdCommand& command) {
    command.done = false;
    command.error = 0;
    command.lost = false;
    command.owner = this;
    in_flight_++;
    issuing_ = &command;
    const nbd_completion_callback completion{on_completion, &command, nullptr};
    const uint64_t offset = command.offset;
    const uint64_t bytes = command.bytes;
    const uint32_t flags = command.flags;
    int64_t cookie = -1;
    switch (command.kind) {
    case NbdCommand::Kind::read: cookie = library_.aio_pread(handle_, command.data, bytes, offset, completion, flags); break;
    case NbdCommand::Kind::write: cookie = library_.aio_pwrite(handle_, command.data, bytes, offset, completion, flags); break;
    case NbdCommand::Kind::zero: cookie = library_.aio_zero(handle_, bytes, offset, completion, flags); break;
    case NbdCommand::Kind::trim: cookie = library_.aio_trim(handle_, bytes, offset, completion, flags); break;
    case NbdCommand::Kind::flush: cookie = library_.aio_flush(handle_, completion, flags); break;
    case NbdCommand::Kind::status:
        command.extent_bytes = 0;
        cookie = library_.aio_block_status(handle_, bytes, offset, {on_extent, &command, nullptr}, completion, flags);
        break;
    }
    issuing_ = nullptr;
    if (cookie < 0 || command.lost) {
        // A connection that breaks while it sends is no error to libnbd: the command ends, and the handle is dead.
        note_state();
    }
    if (cookie < 0 && !command.done) {
        finish(command, lost_ ? ENOTCONN : library_.get_errno());
    }
}

/// libnbd ends lost commands with ENOTCONN, which no server can send.
void NbdConnection::finish(NbdCommand& command, int error) {
    in_flight_--;
    command.lost = error == ENOTCONN;
    command.cut = cut_;
    command.error = error;
    command.done = true;
    if (command.request != nullptr) {
        command.next = finished_;
        finished_ = &command;
    }
}

int NbdConnection::on_completion(void* data, int* error) {
    auto& command = *static_cast<NbdCommand*>(data);
    NbdConnection& connection = *command.owner;
    // libnbd reads its record of a command after sending it has failed. 1 would free the record; closing frees it, too.
    const bool is_sending = connection.issuing_ == &command;
    connection.finish(command, *error);
    return is_sending ? 0 : 1;
}

int NbdConnection::on_extent(void* data, const char* /*context*/, uint64_t /*offset*/, uint32_t* entries, size_t count,
                             int* /*error*/) {
    auto& command = *static_cast<NbdCommand*>(data);
    if (count >= 2) {
        command.extent_bytes = entries[0];
        command.extent_flags = entries[1];
    }
    return 0;
}

void NbdConnection::note_state() {
    lost_ = lost_ || library_.aio_is_dead(handle_) > 0 || library_.aio_is_closed(handle_) > 0;
}

void NbdConnection::progress(short happened) {
    const unsigned direction = library_.aio_get_direction(handle_);
    const bool broken = (happened & (POLLHUP | POLLERR | POLLNVAL)) != 0;
    int result = 0;
    if ((direction & LIBNBD_AIO_DIRECTION_READ) != 0 && (broken || (happened & POLLIN) != 0)) {
        result = library_.aio_notify_read(handle_);
    } else if ((direction & LIBNBD_AIO_DIRECTION_WRITE) != 0 && (broken || (happened & POLLOUT) != 0)) {
        result = library_.aio_notify_write(handle_);
    }
    if (result != 0 || broken) {
        note_state();
    }
}

void NbdConnection::cut(NbdCut why) {
    cut_ = why;
    (void)shutdown(fd_, SHUT_RDWR);
    note_state();
    while (!lost_ && events() != 0) {
        progress(static_cast<short>(events() | POLLHUP));
    }
    lost_ = true;
}

} // namespace zoneio
