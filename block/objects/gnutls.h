// SPDX-License-Identifier: GPL-3.0-or-later
//
// GnuTLS, loaded when the first object with TLS credentials is made. libnbd brings it along, so building zoneio needs no package for it:
// the parts of its interface that are used are declared here. Their names and values are those of gnutls/gnutls.h and x509.h, and
// have not changed since libgnutls.so.30 (2015).
#pragma once

#include "block/base/status.h"

#include <cstddef>
#include <ctime>
#include <span>
#include <string>
#include <utility>

namespace zoneio {

struct GnuTlsCertificate;
struct GnuTlsKey;
struct GnuTlsCredentials;
struct GnuTlsSession;
struct GnuTlsCipher;
struct GnuTlsDatum {
    unsigned char* data;
    unsigned size;
};

/// Values of GnuTLS's enumerations.
namespace gnutls {
constexpr int format_der = 0;
constexpr int format_pem = 1;
constexpr int psk_hex = 1;
constexpr int aes_256_cbc = 5;
constexpr int certificate_credentials = 1;
constexpr unsigned client_nonblocking_no_signal = 2U | 8U | 64U;
constexpr unsigned usage_digital_signature = 128;
constexpr unsigned usage_certificate_sign = 4;
constexpr int not_available = -56;
constexpr int again = -28;
constexpr int interrupted = -52;
} // namespace gnutls

/// The functions used: X(name without the prefix `gnutls_`, result, parameters).
#define ZONEIO_GNUTLS_FUNCTIONS(X)                                                                                                  \
    X(strerror, const char*, (int error))                                                                                           \
    X(error_is_fatal, int, (int error))                                                                                             \
    X(x509_crt_init, int, (GnuTlsCertificate**))                                                                                    \
    X(x509_crt_deinit, void, (GnuTlsCertificate*))                                                                                  \
    X(x509_crt_import, int, (GnuTlsCertificate*, const GnuTlsDatum*, int format))                                                   \
    X(x509_crt_list_import2, int, (GnuTlsCertificate***, unsigned* count, const GnuTlsDatum*, int format, unsigned flags))          \
    X(x509_crt_get_activation_time, time_t, (GnuTlsCertificate*))                                                                   \
    X(x509_crt_get_expiration_time, time_t, (GnuTlsCertificate*))                                                                   \
    X(x509_crt_get_basic_constraints, int, (GnuTlsCertificate*, unsigned* critical, unsigned* is_ca, int* path_length))             \
    X(x509_crt_get_key_usage, int, (GnuTlsCertificate*, unsigned* usage, unsigned* critical))                                       \
    X(x509_crt_get_key_purpose_oid, int, (GnuTlsCertificate*, unsigned index, void* oid, size_t* size, unsigned* critical))         \
    X(x509_crt_get_dn, int, (GnuTlsCertificate*, char* name, size_t* size))                                                         \
    X(x509_crt_check_issuer, unsigned, (GnuTlsCertificate*, GnuTlsCertificate* issuer))                                             \
    X(x509_crt_check_hostname, unsigned, (GnuTlsCertificate*, const char* name))                                                    \
    X(x509_crt_list_verify, int, (GnuTlsCertificate* const*, int count, GnuTlsCertificate* const* authorities, int authority_count, \
                                  const void* revoked, int revoked_count, unsigned flags, unsigned* result))                        \
    X(x509_privkey_init, int, (GnuTlsKey**))                                                                                        \
    X(x509_privkey_deinit, void, (GnuTlsKey*))                                                                                      \
    X(x509_privkey_import2, int, (GnuTlsKey*, const GnuTlsDatum*, int format, const char* password, unsigned flags))               \
    X(certificate_allocate_credentials, int, (GnuTlsCredentials**))                                                                 \
    X(certificate_free_credentials, void, (GnuTlsCredentials*))                                                                     \
    X(certificate_set_x509_key, int, (GnuTlsCredentials*, GnuTlsCertificate**, int count, GnuTlsKey*))                              \
    X(certificate_set_x509_trust_file, int, (GnuTlsCredentials*, const char* file, int format))                                     \
    X(certificate_set_x509_crl_file, int, (GnuTlsCredentials*, const char* file, int format))                                       \
    X(certificate_set_x509_key_file, int, (GnuTlsCredentials*, const char* certificate, const char* key, int format))               \
    X(psk_allocate_client_credentials, int, (GnuTlsCredentials**))                                                                  \
    X(psk_free_client_credentials, void, (GnuTlsCredentials*))                                                                      \
    X(psk_set_client_credentials, int, (GnuTlsCredentials*, const char* name, const GnuTlsDatum* key, int format))                  \
    X(certificate_get_peers, const GnuTlsDatum*, (GnuTlsSession*, unsigned* count))                                                 \
    X(certificate_verify_peers2, int, (GnuTlsSession*, unsigned* result))                                                           \
    X(init, int, (GnuTlsSession**, unsigned flags))                                                                                 \
    X(deinit, void, (GnuTlsSession*))                                                                                               \
    X(set_default_priority, int, (GnuTlsSession*))                                                                                  \
    X(credentials_set, int, (GnuTlsSession*, int kind, void* credentials))                                                          \
    X(transport_set_int2, void, (GnuTlsSession*, int receive, int send))                                                            \
    X(record_get_direction, int, (GnuTlsSession*))                                                                                  \
    X(handshake, int, (GnuTlsSession*))                                                                                             \
    X(cipher_init, int, (GnuTlsCipher**, int algorithm, const GnuTlsDatum* key, const GnuTlsDatum* vector))                         \
    X(cipher_decrypt2, int, (GnuTlsCipher*, const void* text, size_t size, void* target, size_t target_size))                       \
    X(cipher_deinit, void, (GnuTlsCipher*))

/// Functions of GnuTLS, without the prefix `gnutls_`.
struct GnuTls {
#define ZONEIO_GNUTLS_DECLARE(name, result, parameters) result(*name) parameters = nullptr; // NOLINT(bugprone-macro-parentheses)
    ZONEIO_GNUTLS_FUNCTIONS(ZONEIO_GNUTLS_DECLARE)
#undef ZONEIO_GNUTLS_DECLARE
    /// Frees memory that the library allocated.
    void (**free)(void*) = nullptr;

    /// Loads the library at the first call. ENOENT if it is not installed.
    static Result<const GnuTls*> load();
};

/// A list of certificates in memory.
class Certificates {
public:
    /// Reads those of a PEM file. EINVAL, with QEMU's text, if it has none, or a broken one.
    static Result<Certificates> read(const GnuTls& library, const std::string& path);
    Certificates(Certificates&& other) noexcept
        : library_(other.library_), list_(std::exchange(other.list_, nullptr)), count_(std::exchange(other.count_, 0)) {}
    Certificates& operator=(Certificates&&) = delete;
    ~Certificates();

    std::span<GnuTlsCertificate* const> all() const { return {list_, count_}; }
    /// The array, as GnuTLS's functions want it.
    GnuTlsCertificate** list() const { return list_; }

private:
    explicit Certificates(const GnuTls& library) : library_(&library) {}

    const GnuTls* library_;
    GnuTlsCertificate** list_ = nullptr;
    unsigned count_ = 0;
};

/// Content of a file of at most 16 MiB. EINVAL with QEMU's text, which starts with `failure`, such as `Cannot read PSK file`.
Result<std::string> read_credentials(const std::string& path, const char* failure);

/// QEMU's text for the result of a verification (a set of GNUTLS_CERT_*); null: the certificate is good.
const char* why_not_trusted(unsigned result);

} // namespace zoneio
