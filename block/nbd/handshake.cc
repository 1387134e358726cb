// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/handshake.h"

#include <bit>
#include <fmt/format.h>

namespace zoneio {

namespace {

constexpr uint64_t initial_magic = 0x4e42444d41474943;  // NBDMAGIC
constexpr uint64_t new_style_magic = 0x49484156454f5054; // IHAVEOPT
constexpr uint64_t old_style_magic = 0x00420281861253;
constexpr uint64_t reply_magic = 0x3e889045565a9;
constexpr uint64_t fixed_new_style = 1;
constexpr uint64_t no_zeroes = 2;

enum Option : uint32_t { starttls = 5, go = 7, set_meta_context = 10 };

enum Reply : uint32_t { ack = 1, info = 3, meta_context = 4 };
constexpr uint32_t reply_error = 0x80000000;
enum ReplyError : uint32_t { unsupported = 1, tls_required = 5, unknown_export = 6 };

enum Info : uint16_t { info_export = 0, info_block_size = 3 };
constexpr size_t export_info_bytes = 12;
constexpr size_t block_size_info_bytes = 14;

constexpr std::string_view end_of_file = "Unexpected end-of-file before all data were read";

/// The server sent no facts about the export, or none that make sense.
Status omitted_export() {
    return Status::invalid("broken server omitted NBD_INFO_EXPORT");
}

std::string_view reply_name(uint32_t type) {
    return type == 2 ? "server" : type == info ? "info" : type == meta_context ? "meta context" : "<unknown>";
}

std::string_view option_name(uint32_t option) {
    static constexpr std::string_view names[] = {
        "",   "export name",      "abort",             "list",             "", "starttls", "info", "go", "structured reply",
        "list meta context", "set meta context", "extended headers"};
    return option < std::size(names) && !names[option].empty() ? names[option] : "<unknown>";
}

std::string_view error_name(uint32_t code) {
    static constexpr std::string_view names[] = {
        "unsupported",          "denied by policy",    "invalid",                "platform lacks support",  "TLS required", "export unknown",
        "server shutting down", "block size required", "option payload too big", "extended headers required"};
    return code >= 1 && code <= std::size(names) ? names[code - 1] : "<unknown>";
}

/// The failure that the header of a reply to starttls shows.
Status tls_reply_failure(uint32_t type, uint64_t length) {
    constexpr uint64_t longest_message = 32U << 20;
    if ((type & reply_error) != 0) {
        return length <= longest_message ? Status()
                                         : Status::invalid(fmt::format("server error {} ({}) message is too long", type,
                                                                       error_name(type & ~reply_error)));
    }
    if (type != ack) {
        return Status::invalid(fmt::format("Server answered option 5 (starttls) with unexpected reply {} ({})", type, reply_name(type)));
    }
    return length == 0 ? Status() : Status::invalid(fmt::format("Option 5 ('starttls') response length is {} (it should be zero)", length));
}

/// The server's reason for refusing an option.
Status refusal(uint32_t option, uint32_t code, std::string_view message) {
    const std::string which = fmt::format("option {} ({})", option, option_name(option));
    std::string text;
    Cause cause = Cause::none;
    switch (code) {
    case unsupported: return Status::invalid("Server don't support STARTTLS option"); // other options do without
    case 2: text = fmt::format("Denied by server for {}", which); break;
    case 3: text = fmt::format("Invalid parameters for {}", which); break;
    case 4: text = fmt::format("Server lacks support for {}", which); break;
    case tls_required:
        text = fmt::format("TLS negotiation required before {}\nDid you forget a valid tls-creds?", which);
        cause = Cause::tls_required;
        break;
    case unknown_export:
        text = "Requested export not available";
        cause = Cause::no_such_export;
        break;
    case 7: text = fmt::format("Server shutting down before {}", which); break;
    case 8: text = fmt::format("Server requires INFO_BLOCK_SIZE for {}", which); break;
    default: text = fmt::format("Unknown error code when asking for {}", which); break;
    }
    if (!message.empty()) {
        text += fmt::format("\nserver reported: {}", message);
    }
    return Status::invalid(std::move(text)).because(cause);
}

class Reader {
public:
    Reader(std::string_view bytes, bool ended, std::string_view context, bool wants_tls_only = false)
        : whole_(bytes), rest_(bytes), ended_(ended), context_(context), wants_tls_only_(wants_tls_only) {}

    NbdHandshake read() {
        if (read_greeting()) {
            while (handshake_.failure.ok() && !handshake_.is_encrypted && read_reply()) {
            }
        }
        return std::move(handshake_);
    }

private:
    uint64_t number(size_t bytes) {
        uint64_t value = 0;
        for (size_t i = 0; i < bytes; i++) {
            value = value << 8 | static_cast<uint8_t>(rest_[i]);
        }
        rest_.remove_prefix(bytes);
        return value;
    }

    /// True if `bytes` more bytes are there. If not and the server has closed the connection, records a failure.
    bool has(size_t bytes, std::string_view what) {
        if (rest_.size() >= bytes) {
            return true;
        }
        if (ended_) {
            handshake_.failure = Status::invalid(fmt::format("Failed to read {}: {}", what, end_of_file));
        }
        return false;
    }

    bool read_greeting() {
        if (!has(8, "initial magic")) {
            return false;
        }
        if (const uint64_t magic = number(8); magic != initial_magic) {
            handshake_.failure = Status::invalid(fmt::format("Bad initial magic received: {:#x}", magic));
            return false;
        }
        if (!has(8, "server magic")) {
            return false;
        }
        const uint64_t magic = number(8);
        handshake_.is_old_style = magic == old_style_magic;
        if (handshake_.is_old_style) {
            read_export(4);
            return false;
        }
        if (magic != new_style_magic) {
            handshake_.failure = Status::invalid(fmt::format("Bad server magic received: {:#x}", magic));
            return false;
        }
        if (!has(2, "server flags")) {
            return false;
        }
        // A server that is not "fixed" takes one option only, and answers it in the form that older servers have.
        const uint64_t flags = number(2);
        has_zeroes_ = (flags & no_zeroes) == 0;
        const bool is_fixed = (flags & fixed_new_style) != 0;
        if (!is_fixed) {
            read_export(2);
        }
        return is_fixed;
    }

    /// The facts of an export in the form of older servers.
    void read_export(size_t flag_bytes) {
        constexpr size_t size_bytes = 8;
        constexpr size_t reserved_bytes = 124;
        handshake_.export_flags_at = whole_.size() - rest_.size() + size_bytes + flag_bytes - 2;
        if (!has(size_bytes, "export length")) {
            return;
        }
        rest_.remove_prefix(size_bytes);
        if (!has(flag_bytes, "export flags")) {
            return;
        }
        rest_.remove_prefix(flag_bytes);
        if (has_zeroes_) {
            (void)has(reserved_bytes, "reserved block");
        }
    }

    /// False if no complete reply is left.
    bool read_reply() {
        constexpr size_t header_bytes = 20;
        if (!has(header_bytes, "option reply")) {
            return false;
        }
        if (number(8) != reply_magic) {
            handshake_.failure = Status::invalid("Unexpected option reply magic");
            return false;
        }
        const auto option = static_cast<uint32_t>(number(4));
        const auto type = static_cast<uint32_t>(number(4));
        const uint64_t length = number(4);
        if (wants_tls_only_ && option != starttls) {
            handshake_.failure = Status::invalid(
                fmt::format("Unexpected option type {} ({}), expected 5 (starttls)", option, option_name(option)));
        } else if (option == starttls) {
            handshake_.failure = tls_reply_failure(type, length);
        }
        // Before the data: a server could send them for ever.
        if (!handshake_.failure.ok() || !has(length, "option reply")) {
            return false;
        }
        const std::string_view data = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return take_reply(option, type, data);
    }

    bool take_reply(uint32_t option, uint32_t type, std::string_view data) {
        if ((option == go || option == starttls) && (type & reply_error) != 0) {
            const uint32_t code = type & ~reply_error;
            if (option == go && code == unsupported) {
                read_export(2);
                return false;
            }
            handshake_.failure = refusal(option, code, data);
        } else if (option == starttls) {
            handshake_.is_encrypted = true;
        } else if (option == set_meta_context && type == meta_context && data.size() >= 4) {
            take_context(data.substr(4));
        } else if (option == go && type == info && data.size() >= 2) {
            take_info(data);
        } else if (option == go && type == ack && !has_export_) {
            handshake_.failure = omitted_export();
        }
        return true;
    }

    void take_context(std::string_view name) {
        if (name != context_) {
            handshake_.failure = Status::invalid(fmt::format("Failed to negotiate meta context '{}', server answered with different "
                                                    "context '{}'",
                                                    context_, name));
        }
    }

    void take_info(std::string_view data) {
        Reader part(data, false, context_);
        const auto kind = static_cast<uint16_t>(part.number(2));
        const size_t wanted = kind == info_export ? export_info_bytes : kind == info_block_size ? block_size_info_bytes : 0;
        if (wanted != 0 && data.size() != wanted) {
            handshake_.failure = Status::invalid(fmt::format("remaining {} info len {} is unexpected size",
                                                    kind == info_export ? "export" : "block size", data.size() - 2));
            return;
        }
        if (kind == info_block_size) {
            NbdBlockSizes sizes;
            sizes.minimum = static_cast<uint32_t>(part.number(4));
            sizes.preferred = static_cast<uint32_t>(part.number(4));
            sizes.maximum = static_cast<uint32_t>(part.number(4));
            handshake_.block_sizes = sizes;
        } else if (kind == info_export) {
            check_size(part.number(8));
            has_export_ = part.number(2) != 0;
            if (!has_export_) {
                // libnbd gives up here, maybe before the server has sent the end of its reply.
                handshake_.failure = omitted_export();
            }
        }
    }

    /// Only where the server told the block sizes first: otherwise the node refuses to write to such an image.
    void check_size(uint64_t size) {
        const uint32_t minimum = handshake_.block_sizes ? handshake_.block_sizes->minimum : 0;
        if (minimum != 0 && std::has_single_bit(minimum) && size % minimum != 0) {
            handshake_.failure = Status::invalid(fmt::format("export size {} is not multiple of minimum block size {}", size, minimum));
        }
    }

    const std::string_view whole_;
    std::string_view rest_;
    const bool ended_;
    const std::string_view context_;
    const bool wants_tls_only_;
    bool has_zeroes_ = true;
    bool has_export_ = false;
    NbdHandshake handshake_;
};

} // namespace

NbdHandshake read_nbd_handshake(std::string_view bytes, bool ended, std::string_view context, bool wants_tls_only) {
    return Reader(bytes, ended, context, wants_tls_only).read();
}

} // namespace zoneio
