// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/objects/gnutls.h"

#include "block/base/file_descriptor.h"
#include "block/base/loaded_library.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace zoneio {

namespace {

/// Results of a verification.
enum Verdict : unsigned { invalid = 2, revoked = 32, signer_not_found = 64, insecure_algorithm = 256 };

} // namespace

Result<const GnuTls*> GnuTls::load() {
    static GnuTls library;
    static bool is_loaded = false;
    if (is_loaded) {
        return &library;
    }
    LoadedLibrary loaded("libgnutls.so.30");
#define ZONEIO_GNUTLS_NEED(name, result, parameters) loaded.need("gnutls_" #name, library.name);
    ZONEIO_GNUTLS_FUNCTIONS(ZONEIO_GNUTLS_NEED)
#undef ZONEIO_GNUTLS_NEED
    loaded.need("gnutls_free", library.free);
    is_loaded = loaded.is_complete();
    if (!is_loaded) {
        return Status::error(ENOENT, fmt::format("TLS needs GnuTLS (install the package libgnutls30): {}", dlerror()));
    }
    return &library;
}

Result<Certificates> Certificates::read(const GnuTls& library, const std::string& path) {
    std::string text = TRY(read_credentials(path, "Cannot load CA cert list"));
    const GnuTlsDatum datum{reinterpret_cast<unsigned char*>(text.data()), static_cast<unsigned>(text.size())};
    Certificates made(library);
    const int error = library.x509_crt_list_import2(&made.list_, &made.count_, &datum, gnutls::format_pem, 0);
    if (error < 0) {
        made.list_ = nullptr;
        made.count_ = 0;
        return Status::invalid(fmt::format("Unable to import certificate {}: {}", path, library.strerror(error)));
    }
    return made;
}

Certificates::~Certificates() {
    for (GnuTlsCertificate* const certificate : all()) {
        library_->x509_crt_deinit(certificate);
    }
    if (list_ != nullptr) {
        (*library_->free)(list_);
    }
}

Result<std::string> read_credentials(const std::string& path, const char* failure) {
    const auto failed = [&](const char* step) {
        return Status::invalid(fmt::format("{} {}: {} “{}”: {}", failure, path, step, path, strerror(errno)));
    };
    // A device without an end, such as /dev/zero, must not take all memory.
    constexpr size_t largest = 16U << 20;
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) {
        return failed("Failed to open file");
    }
    constexpr size_t piece = 16U << 10;
    std::string text;
    while (true) {
        const size_t before = text.size();
        text.resize(before + piece);
        const ssize_t count = ::read(fd.get(), text.data() + before, piece);
        if (count < 0 && errno != EINTR) {
            return failed("Error reading file");
        }
        text.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
        if (count == 0) {
            return text;
        }
        if (text.size() > largest) {
            return Status::invalid(fmt::format("{} {}: File “{}” is too large", failure, path, path));
        }
    }
}

const char* why_not_trusted(unsigned result) {
    if (result == 0) {
        return nullptr;
    }
    if ((result & insecure_algorithm) != 0) {
        return "The certificate uses an insecure algorithm";
    }
    if ((result & revoked) != 0) {
        return "The certificate has been revoked";
    }
    if ((result & signer_not_found) != 0) {
        return "The certificate hasn't got a known issuer";
    }
    return (result & invalid) != 0 ? "The certificate is not trusted" : "Invalid certificate";
}

} // namespace zoneio
