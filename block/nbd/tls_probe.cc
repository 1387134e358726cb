// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/tls_probe.h"

#include "block/nbd/handshake.h"
#include "block/objects/gnutls.h"

#include <cstring>
#include <ctime>
#include <fmt/format.h>
#include <span>
#include <sys/socket.h>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr size_t greeting_bytes = 18;
constexpr char is_fixed = 1;
/// The client's flags (fixed new style, no zeroes), then the option starttls: magic, number, length. The last byte of the length is the
/// end of the string.
constexpr char start_tls[] = "\0\0\0\3IHAVEOPT\0\0\0\5\0\0\0";

class Probe {
public:
    Probe(const NbdSettings& settings, const NbdDeadline& deadline)
        : settings_(settings), deadline_(deadline),
          host_(!settings.tls_hostname.empty() || settings.address.type != NbdAddress::Type::inet ? settings.tls_hostname
                                                                                                   : settings.address.host) {}
    ~Probe() {
        if (session_ != nullptr) {
            library_->deinit(session_);
        }
        if (credentials_ != nullptr) {
            library_->certificate_free_credentials(credentials_);
        }
    }
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;

    Status run() {
        Status status = ask_for_tls();
        if (!status.ok() || settings_.tls->kind != TlsCredentials::Kind::x509) {
            return status;
        }
        status = prepare();
        status = status.ok() ? shake_hands() : std::move(status);
        return status.ok() && settings_.tls->verify_peer ? verify() : std::move(status);
    }

private:
    Status wait(short events) const {
        pollfd fd{socket_.get(), events, 0};
        return wait_for_sockets({&fd, 1}, deadline_, settings_.request_timeout);
    }

    /// Negotiates until TLS starts.
    Status ask_for_tls() {
        socket_ = TRY(connect_nbd_socket(settings_.address, deadline_));
        std::string heard;
        bool has_asked = false;
        while (true) {
            // Also if there is something to read: a server that never stops must not keep the user from interrupting.
            TRY(wait(POLLIN));
            // Byte by byte: what follows belongs to TLS.
            char byte = 0;
            const ssize_t count = recv(socket_.get(), &byte, 1, MSG_DONTWAIT);
            if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
                continue;
            }
            heard.append(&byte, count > 0 ? 1 : 0);
            NbdHandshake handshake = read_nbd_handshake(heard, count <= 0, settings_.context, true);
            if (!handshake.failure.ok() || handshake.is_encrypted) {
                return std::move(handshake.failure);
            }
            if (handshake.is_old_style || (heard.size() == greeting_bytes && (heard.back() & is_fixed) == 0)) {
                return Status::invalid("Server does not support STARTTLS");
            }
            if (heard.size() == greeting_bytes && !has_asked) {
                has_asked = true;
                (void)send(socket_.get(), start_tls, sizeof(start_tls), MSG_NOSIGNAL);
            }
        }
    }

    Status prepare() {
        library_ = TRY(GnuTls::load());
        const std::string& dir = settings_.tls->dir;
        const auto file = [&dir](const char* name) { return dir + '/' + name; };
        int error = library_->certificate_allocate_credentials(&credentials_);
        if (error >= 0) {
            error = library_->certificate_set_x509_trust_file(credentials_, file("ca-cert.pem").c_str(), gnutls::format_pem);
        }
        if (error >= 0 && access(file("ca-crl.pem").c_str(), R_OK) == 0) {
            error = library_->certificate_set_x509_crl_file(credentials_, file("ca-crl.pem").c_str(), gnutls::format_pem);
        }
        if (error >= 0 && !settings_.tls->has_encrypted_key && access(file("client-cert.pem").c_str(), R_OK) == 0) {
            error = library_->certificate_set_x509_key_file(credentials_, file("client-cert.pem").c_str(),
                                                           file("client-key.pem").c_str(), gnutls::format_pem);
        }
        error = error >= 0 ? library_->init(&session_, gnutls::client_nonblocking_no_signal) : error;
        error = error >= 0 ? library_->set_default_priority(session_) : error;
        error = error >= 0 ? library_->credentials_set(session_, gnutls::certificate_credentials, credentials_) : error;
        if (error < 0) {
            return failure(error);
        }
        library_->transport_set_int2(session_, socket_.get(), socket_.get());
        return {};
    }

    Status shake_hands() const {
        while (true) {
            const int error = library_->handshake(session_);
            if (error >= 0) {
                return {};
            }
            if (error == gnutls::again || error == gnutls::interrupted) {
                const short events = library_->record_get_direction(session_) == 0 ? POLLIN : POLLOUT;
                TRY(wait(events));
            } else if (library_->error_is_fatal(error) != 0) {
                return failure(error);
            }
        }
    }

    Status failure(int error) const {
        return Status::invalid(fmt::format("TLS handshake failed: {}", library_->strerror(error)));
    }

    Status verify() const {
        unsigned result = 0;
        if (const int error = library_->certificate_verify_peers2(session_, &result); error < 0) {
            return failure(error);
        }
        if (const char* const reason = why_not_trusted(result); reason != nullptr) {
            return Status::invalid(reason);
        }
        unsigned count = 0;
        const GnuTlsDatum* const certificates = library_->certificate_get_peers(session_, &count);
        GnuTlsCertificate* first = nullptr;
        if (certificates == nullptr || count == 0 || library_->x509_crt_init(&first) < 0) {
            return Status::invalid("No certificate peers");
        }
        const bool matches = library_->x509_crt_import(first, certificates, gnutls::format_der) >= 0 && !host_.empty() &&
                             library_->x509_crt_check_hostname(first, host_.c_str()) != 0;
        library_->x509_crt_deinit(first);
        if (host_.empty()) {
            return Status::invalid("No hostname for certificate validation");
        }
        return matches ? Status() : Status::invalid(fmt::format("Certificate does not match the hostname {}", host_));
    }

    const GnuTls* library_ = nullptr;
    const NbdSettings& settings_;
    const NbdDeadline& deadline_;
    const std::string host_; ///< name that the certificate must be for; empty: unknown
    FileDescriptor socket_;
    GnuTlsCredentials* credentials_ = nullptr;
    GnuTlsSession* session_ = nullptr;
};

} // namespace

Status why_no_tls(const NbdSettings& settings, const NbdDeadline& deadline) {
    return Probe(settings, deadline).run();
}

Status check_support(const TlsCredentials& credentials) {
    if (credentials.kind == TlsCredentials::Kind::anonymous) {
        return Status::error(ENOTSUP, "TLS without authentication (tls-creds-anon) is not supported; use tls-creds-psk or "
                                      "tls-creds-x509");
    }
    if (credentials.has_encrypted_key) {
        return Status::error(ENOTSUP, fmt::format("the key {}/client-key.pem is encrypted, which is not supported; decrypt it into "
                                                  "another directory of credentials, for example by 'openssl pkey -in "
                                                  "client-key.pem -out NEW/client-key.pem'",
                                                  credentials.dir));
    }
    return {};
}

std::string tls_error_text(const std::string& text) {
    // GnuTLS's own text follows the name of its function, and numbers follow it.
    const size_t mark = text.find("gnutls_");
    const std::string plain = mark == std::string::npos ? text : text.substr(text.find(": ", mark) + 2);
    const std::string reason = plain.substr(0, plain.rfind(" ("));
    if (text.find("gnutls_record_send: ") != std::string::npos) {
        return "Failed to send option request header: Cannot uncork TLS output: " + reason;
    }
    if (text.find("gnutls_record_recv: ") == std::string::npos) {
        return "TLS handshake failed: " + reason;
    }
    // So a server refuses the client's certificate after the client has ended its handshake (TLS 1.3).
    const bool is_reset = reason.starts_with("Error in the pull function");
    return "Failed to read option reply: " + (is_reset ? "Unable to read from socket: Connection reset by peer" : reason);
}

} // namespace zoneio
