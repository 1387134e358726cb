// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/objects/certificate_check.h"

#include "block/objects/gnutls.h"
#include "block/objects/secret.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <unistd.h>
#include <vector>

namespace zoneio {

namespace {

/// QEMU reads NAME-cert.pem, then NAME-cert-0.pem to NAME-cert-3.pem.
constexpr unsigned most_numbered = 4;

/// Extended key usages, by their object identifiers.
constexpr std::string_view for_servers = "1.3.6.1.5.5.7.3.1";
constexpr std::string_view for_clients = "1.3.6.1.5.5.7.3.2";
constexpr std::string_view for_anything = "2.5.29.37.0";

/// A certificate file and its key.
struct Identity {
    std::string path;
    Certificates certificates;
};

/// True if the file exists. EINVAL if that cannot be found out, or it cannot be read.
Result<bool> exists(const std::string& path) {
    if (access(path.c_str(), R_OK) == 0) {
        return true;
    }
    return errno == ENOENT ? Result<bool>(false)
                           : Status::invalid(fmt::format("Unable to access credentials {}: {}", path, strerror(errno)));
}

/// True if both files exist, false if neither does. EINVAL if only one of them does.
Result<bool> have_both(const std::string& certificate, const std::string& key) {
    const bool has_certificate = TRY(exists(certificate));
    const bool has_key = TRY(exists(key));
    if (has_certificate == has_key) {
        return has_key;
    }
    return Status::invalid(has_certificate ? fmt::format("Cert '{}' without corresponding key '{}'", certificate, key)
                                           : fmt::format("Key '{}' without corresponding cert '{}'", key, certificate));
}

class Checker {
public:
    Checker(const GnuTls& library, const CertificateFolder& folder)
        : library_(library), dir_(folder.dir), is_server_(folder.is_server), password_id_(folder.password_id),
          role_(is_server_ ? "server" : "client"), authority_path_(dir_ + "/ca-cert.pem") {}
    ~Checker() {
        if (loaded_ != nullptr) {
            library_.certificate_free_credentials(loaded_);
        }
    }
    Checker(const Checker&) = delete;
    Checker& operator=(const Checker&) = delete;

    /// True if a key is encrypted.
    Result<bool> check(bool is_thorough) {
        if (const int error = library_.certificate_allocate_credentials(&loaded_); error < 0) {
            return Status::invalid(library_.strerror(error));
        }
        const Certificates authorities = TRY(Certificates::read(library_, authority_path_));
        authorities_ = authorities.all();
        TRY(load_identities());
        if (is_server_) {
            TRY(load_revocations());
        }
        for (size_t i = 0; is_thorough && i < identities_.size(); i++) {
            TRY(check_identity(identities_[i]));
        }
        return has_encrypted_key_;
    }

private:
    Status load_revocations() {
        const std::string path = dir_ + "/ca-crl.pem";
        if (!TRY(exists(path))) {
            return {};
        }
        const int error = library_.certificate_set_x509_crl_file(loaded_, path.c_str(), gnutls::format_pem);
        return error >= 0 ? Status() : Status::invalid(fmt::format("Cannot load CRL '{}': {}", path, library_.strerror(error)));
    }

    Status load_identities() {
        const std::string start = fmt::format("{}/{}-", dir_, role_);
        TRY(load_identity(start + "cert.pem", start + "key.pem"));
        for (unsigned number = 0; number < most_numbered; number++) {
            if (!TRY(load_identity(fmt::format("{}cert-{}.pem", start, number), fmt::format("{}key-{}.pem", start, number)))) {
                break;
            }
        }
        const bool is_missing = is_server_ && identities_.empty();
        return is_missing ? Status::invalid(fmt::format("Missing server cert '{0}cert.pem' & key '{0}key.pem'", start)) : Status();
    }

    /// False if there is none.
    Result<bool> load_identity(const std::string& path, const std::string& key_path) {
        if (!TRY(have_both(path, key_path))) {
            return false;
        }
        Certificates certificates = TRY(Certificates::read(library_, path));
        TRY(load_key(certificates, path, key_path));
        identities_.push_back({path, std::move(certificates)});
        return true;
    }

    Status load_key(const Certificates& certificates, const std::string& path, const std::string& key_path) {
        std::string text = TRY(read_credentials(key_path, "Cannot load private key"));
        const GnuTlsDatum datum{reinterpret_cast<unsigned char*>(text.data()), static_cast<unsigned>(text.size())};
        const std::optional<std::string> password = password_id_ ? std::optional(TRY(find_password(*password_id_))) : std::nullopt;
        GnuTlsKey* key = nullptr;
        if (library_.x509_privkey_init(&key) < 0) {
            return Status::from_errno(ENOMEM);
        }
        Status status;
        if (!import_key(key, datum, password)) {
            status = Status::invalid(fmt::format("Unable to import private key {}", key_path));
        } else if (const int error = library_.certificate_set_x509_key(loaded_, certificates.list(),
                                                                       static_cast<int>(certificates.all().size()), key);
                   error < 0) {
            status = Status::invalid(
                fmt::format("Cannot set certificate '{}' & key '{}': {}", path, key_path, library_.strerror(error)));
        }
        library_.x509_privkey_deinit(key);
        return status;
    }

    bool import_key(GnuTlsKey* key, const GnuTlsDatum& datum, const std::optional<std::string>& password) {
        if (library_.x509_privkey_import2(key, &datum, gnutls::format_pem, nullptr, 0) >= 0) {
            return true;
        }
        has_encrypted_key_ = password && library_.x509_privkey_import2(key, &datum, gnutls::format_pem, password->c_str(), 0) >= 0;
        return has_encrypted_key_;
    }

    /// The first certificate is the identity itself. The others, then some of ca-cert.pem, are its chain of authorities.
    Status check_identity(const Identity& identity) const {
        const std::span<GnuTlsCertificate* const> chain = identity.certificates.all();
        for (size_t i = 0; i < chain.size(); i++) {
            TRY(check_certificate(chain[i], identity.path, i > 0));
        }
        for (size_t i = 1; i < chain.size(); i++) {
            if (library_.x509_crt_check_issuer(chain[i - 1], chain[i]) == 0) {
                return Status::invalid(fmt::format("Cert '{}' does not match issuer of cert '{}'", name_of(chain[i]),
                                                   name_of(chain[i - 1])));
            }
        }
        TRY(check_authorities(chain.back()));
        return verify(identity);
    }

    /// Follows the authorities up to one that signed itself.
    Status check_authorities(GnuTlsCertificate* certificate) const {
        // A circle of authorities would have no end.
        for (size_t steps = 0; steps <= authorities_.size(); steps++) {
            const auto issuer = std::find_if(authorities_.begin(), authorities_.end(), [&](GnuTlsCertificate* authority) {
                return library_.x509_crt_check_issuer(certificate, authority) != 0;
            });
            if (issuer == authorities_.end()) {
                return signed_itself(certificate)
                           ? Status()
                           : Status::invalid(fmt::format("Cert '{}' has no issuer in CA chain", name_of(certificate)));
            }
            certificate = *issuer;
            TRY(check_certificate(certificate, authority_path_, true));
            if (signed_itself(certificate)) {
                return {};
            }
        }
        return {};
    }

    bool signed_itself(GnuTlsCertificate* certificate) const {
        return library_.x509_crt_check_issuer(certificate, certificate) != 0;
    }

    Status verify(const Identity& identity) const {
        unsigned result = 0;
        const std::span<GnuTlsCertificate* const> chain = identity.certificates.all();
        const int error = library_.x509_crt_list_verify(chain.data(), static_cast<int>(chain.size()), authorities_.data(),
                                                        static_cast<int>(authorities_.size()), nullptr, 0, 0, &result);
        const char* const reason = error < 0 ? library_.strerror(error) : why_not_trusted(result);
        return reason == nullptr ? Status()
                                 : Status::invalid(fmt::format("Our own certificate {} failed validation against {}: {}",
                                                               identity.path, authority_path_, reason));
    }

    Status check_certificate(GnuTlsCertificate* certificate, const std::string& path, bool is_authority) const {
        TRY(check_time(certificate, path, is_authority ? "CA" : role_));
        TRY(check_constraints(certificate, path, is_authority));
        TRY(check_usage(certificate, path, is_authority));
        return is_authority ? Status() : check_purpose(certificate, path);
    }

    Status check_time(GnuTlsCertificate* certificate, const std::string& path, std::string_view role) const {
        const time_t now = time(nullptr);
        if (library_.x509_crt_get_expiration_time(certificate) < now) {
            return Status::invalid(fmt::format("The {} certificate {} has expired", role, path));
        }
        return library_.x509_crt_get_activation_time(certificate) <= now
                   ? Status()
                   : Status::invalid(fmt::format("The {} certificate {} is not yet active", role, path));
    }

    Status check_constraints(GnuTlsCertificate* certificate, const std::string& path, bool is_authority) const {
        const int found = library_.x509_crt_get_basic_constraints(certificate, nullptr, nullptr, nullptr);
        if (found > 0 && !is_authority) {
            return Status::invalid(
                fmt::format("The certificate {} basic constraints show a CA, but we need one for a {}", path, role_));
        }
        if (found == 0 && is_authority) {
            return Status::invalid(fmt::format("The certificate {} basic constraints do not show a CA", path));
        }
        if (found == gnutls::not_available && is_authority) {
            return Status::invalid(fmt::format("The certificate {} is missing basic constraints for a CA", path));
        }
        return found >= 0 || found == gnutls::not_available
                   ? Status()
                   : Status::invalid(
                         fmt::format("Unable to query certificate {} basic constraints: {}", path, library_.strerror(found)));
    }

    /// Usages that are not marked as critical are advice.
    Status check_usage(GnuTlsCertificate* certificate, const std::string& path, bool is_authority) const {
        unsigned usage = 0;
        unsigned is_critical = 0;
        const int error = library_.x509_crt_get_key_usage(certificate, &usage, &is_critical);
        const unsigned wanted = is_authority ? gnutls::usage_certificate_sign : gnutls::usage_digital_signature;
        if (error < 0 && error != gnutls::not_available) {
            return Status::invalid(fmt::format("Unable to query certificate {} key usage: {}", path, library_.strerror(error)));
        }
        if (error == gnutls::not_available || (usage & wanted) != 0 || is_critical == 0) {
            return {};
        }
        return Status::invalid(fmt::format("Certificate {} usage does not permit {}", path,
                                           is_authority ? "certificate signing" : "digital signature"));
    }

    Status check_purpose(GnuTlsCertificate* certificate, const std::string& path) const {
        bool is_critical = false;
        for (unsigned index = 0;; index++) {
            char oid[128];
            size_t size = sizeof(oid);
            unsigned critical = 0;
            const int error = library_.x509_crt_get_key_purpose_oid(certificate, index, oid, &size, &critical);
            if (error == gnutls::not_available) {
                break;
            }
            if (error < 0) {
                return Status::invalid(fmt::format("Unable to query certificate {} key purposes: {}", path, library_.strerror(error)));
            }
            if (oid == (is_server_ ? for_servers : for_clients) || oid == for_anything) {
                return {};
            }
            is_critical = is_critical || critical != 0;
        }
        return is_critical ? Status::invalid(fmt::format("Certificate {} purpose does not allow use with a TLS {}", path, role_))
                           : Status();
    }

    std::string name_of(GnuTlsCertificate* certificate) const {
        char name[1024];
        size_t size = sizeof(name);
        return library_.x509_crt_get_dn(certificate, name, &size) < 0 ? "" : name;
    }

    const GnuTls& library_;
    const std::string dir_;
    const bool is_server_;
    const std::optional<std::string> password_id_;
    const std::string_view role_;
    const std::string authority_path_;
    GnuTlsCredentials* loaded_ = nullptr;
    std::span<GnuTlsCertificate* const> authorities_;
    std::vector<Identity> identities_;
    bool has_encrypted_key_ = false;
};

} // namespace

Result<bool> check_certificates(const CertificateFolder& folder, bool is_thorough) {
    const std::string authority = folder.dir + "/ca-cert.pem";
    if (access(authority.c_str(), R_OK) != 0) {
        return Status::invalid(fmt::format("Unable to access credentials {}: {}", authority, strerror(errno)));
    }
    const GnuTls* const library = TRY(GnuTls::load());
    return Checker(*library, folder).check(is_thorough);
}

} // namespace zoneio
