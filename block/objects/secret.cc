// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/objects/secret.h"

#include "block/base/utf8.h"
#include "block/objects/gnutls.h"
#include "block/objects/object_ids.h"
#include "block/objects/object_properties.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <linux/keyctl.h>
#include <map>
#include <sys/syscall.h>
#include <unistd.h>

namespace zoneio {

namespace {

constexpr size_t key_bytes = 32;
constexpr size_t block_bytes = 16;

/// Empty while the secret is being made.
std::map<std::string, std::optional<std::string>, std::less<>>& secrets() {
    static std::map<std::string, std::optional<std::string>, std::less<>> all;
    return all;
}

/// Six bits; 0 for `=`, as in GLib. -1 for other characters.
int value_of(char c) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t at = digits.find(c);
    return at != std::string_view::npos ? static_cast<int>(at) : c == '=' ? 0 : -1;
}

/// Decodes as QEMU and GLib do: padding may be anywhere, and an incomplete group is dropped.
Result<std::string> decode_base64(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) {
        return Status::invalid("Base64 data contains embedded NUL characters");
    }
    std::string bytes;
    std::string group;
    for (const char c : text) {
        if (c == '\n') {
            continue;
        }
        if (value_of(c) < 0) {
            return Status::invalid("Base64 data contains invalid characters");
        }
        group += c;
        if (group.size() < 4) {
            continue;
        }
        unsigned bits = 0;
        for (const char digit : group) {
            bits = bits << 6 | static_cast<unsigned>(value_of(digit));
        }
        bytes += static_cast<char>(bits >> 16);
        if (group[2] != '=') {
            bytes += static_cast<char>(bits >> 8 & 0xff);
        }
        if (group[3] != '=') {
            bytes += static_cast<char>(bits & 0xff);
        }
        group.clear();
    }
    return bytes;
}

GnuTlsDatum datum_of(std::string& bytes) {
    return {reinterpret_cast<unsigned char*>(bytes.data()), static_cast<unsigned>(bytes.size())};
}

/// Removes the padding, whose last byte is its length. Only that byte is checked, as in QEMU.
Result<std::string> without_padding(std::string text) {
    const size_t padding = text.empty() ? 0 : static_cast<unsigned char>(text.back());
    if (padding > block_bytes) {
        return Status::invalid(fmt::format("Incorrect number of padding bytes ({}) found on decrypted data", padding));
    }
    text.resize(text.size() - padding);
    return text;
}

Result<std::string> decrypt(std::string key, std::string vector, const std::string& secret) {
    const GnuTls& tls = *TRY(GnuTls::load());
    const GnuTlsDatum key_datum = datum_of(key);
    const GnuTlsDatum vector_datum = datum_of(vector);
    GnuTlsCipher* cipher = nullptr;
    int error = tls.cipher_init(&cipher, gnutls::aes_256_cbc, &key_datum, &vector_datum);
    if (error < 0) {
        return Status::invalid(fmt::format("Failed to initialize cipher: {}", tls.strerror(error)));
    }
    std::string text(secret.size(), '\0');
    error = tls.cipher_decrypt2(cipher, secret.data(), secret.size(), text.data(), text.size());
    tls.cipher_deinit(cipher);
    if (error < 0) {
        return Status::invalid(fmt::format("Failed to decrypt data: {}", tls.strerror(error)));
    }
    return without_padding(std::move(text));
}

/// Decrypts with the key `keyid`. The order of the errors is that of QEMU.
Result<std::string> decrypted(const std::string& keyid, const Options& properties, std::string secret, bool is_base64) {
    std::string key = TRY(find_secret(keyid));
    if (key.size() != key_bytes) {
        return Status::invalid(fmt::format("Key should be {} bytes in length", key_bytes));
    }
    const std::string* const vector_text = properties.find_text("iv");
    if (vector_text == nullptr) {
        return Status::invalid("IV is required to decrypt secret");
    }
    std::string vector = TRY(decode_base64(*vector_text));
    if (vector.size() != block_bytes) {
        return Status::invalid(fmt::format("IV should be {} bytes in length not {}", block_bytes, vector.size()));
    }
    if (is_base64) {
        secret = TRY(decode_base64(secret));
    }
    if (secret.size() % block_bytes != 0) {
        return Status::invalid(fmt::format("Length {} must be a multiple of block size {}", secret.size(), block_bytes));
    }
    return secret.empty() ? Result<std::string>(std::move(secret)) : decrypt(std::move(key), std::move(vector), secret);
}

Status keep(const std::string& id, const Options& properties, std::string secret) {
    const std::string* const format = properties.find_text("format");
    const bool is_base64 = format != nullptr && *format == "base64";
    if (const std::string* const keyid = properties.find_text("keyid")) {
        secrets()[id] = std::nullopt; // it may be named as its own key
        secret = TRY(decrypted(*keyid, properties, std::move(secret), is_base64));
    } else if (is_base64) {
        secret = TRY(decode_base64(secret));
    }
    secrets()[id] = std::move(secret);
    return {};
}

Result<std::string> read_key(int32_t serial) {
    std::string key;
    while (true) {
        const long bytes = syscall(SYS_keyctl, KEYCTL_READ, serial, key.data(), key.size());
        if (bytes < 0) {
            return Status::invalid(fmt::format("Unable to read serial key {:08x}: {}", static_cast<uint32_t>(serial), strerror(errno)));
        }
        const bool is_whole = static_cast<size_t>(bytes) <= key.size();
        key.resize(static_cast<size_t>(bytes));
        if (is_whole) {
            return key;
        }
    }
}

} // namespace

Status make_secret(const std::string& id, const Options& properties) {
    const std::string* const data = properties.find_text("data");
    const std::string* const file = properties.find_text("file");
    if (file != nullptr && data != nullptr) {
        return Status::invalid("'file' and 'data' are mutually exclusive");
    }
    if (file == nullptr && data == nullptr) {
        return Status::invalid("Either 'file' or 'data' must be provided");
    }
    return keep(id, properties, file == nullptr ? *data : TRY(read_credentials(*file, "Unable to read")));
}

Status make_keyring_secret(const std::string& id, const Options& properties) {
    const auto serial = static_cast<int32_t>(number_of(properties, "serial").value_or(0));
    if (serial == 0) {
        return Status::invalid("'serial' should not be equal to 0");
    }
    return keep(id, properties, TRY(read_key(serial)));
}

Result<std::string> find_secret(std::string_view id) {
    const auto found = secrets().find(id);
    if (found == secrets().end()) {
        return Status::invalid(has_user_object(id) ? fmt::format("Object with id '{}' is not a secret", id)
                                                   : fmt::format("No secret with id '{}'", id));
    }
    if (!found->second) {
        return Status::invalid(fmt::format("Secret with id '{}' has no data", id));
    }
    return *found->second;
}

Result<std::string> find_password(std::string_view id) {
    std::string password = TRY(find_secret(id));
    if (!is_utf8(password) || password.find('\0') != std::string::npos) {
        return Status::invalid(fmt::format("Data from secret {} is not valid UTF-8", id));
    }
    return password;
}

} // namespace zoneio
