// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/nbd/address.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <string_view>
#include <vector>

namespace zoneio {

namespace {

constexpr std::string_view default_port = "10809";
constexpr std::string_view name_prefix = "nbd:";
constexpr std::string_view export_mark = ":exportname=";
/// Longest host and port that QEMU accepts in a name, in characters.
constexpr size_t longest_host = 64;
constexpr size_t longest_port = 32;

Status invalid_url() {
    return Status::invalid("No valid URL specified");
}

std::optional<uint8_t> hex_byte(std::string_view digits) {
    uint8_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return digits.size() == 2 && error == std::errc() && end == digits.data() + 2 ? std::optional(value) : std::nullopt;
}

/// Decodes %XX. Empty for malformed codes and for encoded zero bytes.
std::optional<std::string> decoded(std::string_view text) {
    std::string result;
    for (size_t i = 0; i < text.size(); i++) {
        if (text[i] != '%') {
            result.push_back(text[i]);
            continue;
        }
        const std::optional<uint8_t> byte = hex_byte(text.substr(i + 1, 2));
        if (!byte || *byte == 0) {
            return std::nullopt;
        }
        result.push_back(static_cast<char>(*byte));
        i += 2;
    }
    return result;
}

/// Parts of a URL, decoded except for `query`.
struct Url {
    std::string_view scheme;
    std::string host;
    std::string port;
    std::string path;
    std::string_view query;
};

/// Cuts `text` at the first `mark`, and returns the text after it.
std::string_view cut_at(std::string_view& text, char mark) {
    const size_t end = std::min(text.find(mark), text.size());
    const std::string_view rest = end < text.size() ? text.substr(end + 1) : std::string_view();
    text = text.substr(0, end);
    return rest;
}

bool is_number_up_to(std::string_view text, unsigned largest) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value <= largest;
}

/// Parses HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT.
bool split_authority(std::string_view authority, Url& url) {
    if (const size_t user = authority.rfind('@'); user != std::string_view::npos) {
        authority.remove_prefix(user + 1);
    }
    std::string_view host = authority;
    std::string_view port;
    bool has_port = false;
    if (authority.starts_with('[')) {
        const size_t end = authority.find(']');
        if (end == std::string_view::npos) {
            return false;
        }
        host = authority.substr(1, end - 1);
        port = authority.substr(end + 1);
        if (!port.empty() && port.front() != ':') {
            return false;
        }
        has_port = !port.empty();
        port = has_port ? port.substr(1) : port;
    } else {
        has_port = authority.find(':') != std::string_view::npos;
        port = cut_at(host, ':');
    }
    if (has_port && !port.empty()) {
        if (!is_number_up_to(port, 65535)) {
            return false;
        }
        // Ports are numbers: leading zeros are removed.
        const size_t digits = std::min(port.find_first_not_of('0'), port.size() - 1);
        url.port = std::string(port.substr(digits));
    }
    const std::optional<std::string> name = decoded(host);
    url.host = name.value_or("");
    return name.has_value();
}

std::optional<Url> split_url(std::string_view text) {
    Url url;
    cut_at(text, '#');
    url.query = cut_at(text, '?');
    const size_t scheme = text.find("://");
    url.scheme = text.substr(0, scheme);
    text.remove_prefix(scheme + 3);
    const size_t path = std::min(text.find('/'), text.size());
    const std::optional<std::string> decoded_path = decoded(text.substr(path));
    if (!decoded_path || !split_authority(text.substr(0, path), url)) {
        return std::nullopt;
    }
    url.path = *decoded_path;
    return url;
}

/// Value of the parameter `socket`, the only one allowed. If there are several, the last one counts.
std::optional<std::string> socket_of(std::string_view query) {
    std::optional<std::string> socket;
    while (!query.empty()) {
        std::string_view parameter = query;
        query = cut_at(parameter, '&');
        const size_t mark = parameter.find('=');
        if (mark == std::string_view::npos || parameter.substr(0, mark) != "socket") {
            return std::nullopt;
        }
        socket = decoded(parameter.substr(mark + 1));
        if (!socket) {
            return std::nullopt;
        }
    }
    return socket;
}

Status parse_url(const std::string& name, Options& options) {
    const std::optional<Url> url = split_url(name);
    if (!url) {
        return invalid_url();
    }
    if (url->scheme == "nbd+unix") {
        const std::optional<std::string> socket = socket_of(url->query);
        if (!url->host.empty() || !url->port.empty() || !socket) {
            return invalid_url();
        }
        options.set("server.type", "unix");
        options.set("server.path", *socket);
    } else {
        if (url->host.empty() || !url->query.empty() || (url->scheme != "nbd" && url->scheme != "nbd+tcp")) {
            return invalid_url();
        }
        options.set("server.type", "inet");
        options.set("server.host", url->host);
        options.set("server.port", url->port.empty() ? std::string(default_port) : url->port);
    }
    if (url->path.size() > 1) {
        options.set("export", url->path.substr(1));
    }
    return {};
}

/// Parses HOST:PORT and options after commas, the form that QEMU uses for addresses elsewhere. The options are checked
/// and ignored.
Status parse_host_and_port(std::string_view text, Options& options) {
    std::string_view address = text;
    cut_at(address, ',');
    std::string_view host = address;
    std::string_view port;
    if (address.starts_with(':')) {
        host = {};
        port = address.substr(1);
        if (port.empty() || port.size() > longest_port) {
            return Status::invalid(fmt::format("error parsing address '{}'", text));
        }
    } else if (address.starts_with('[')) {
        const size_t end = address.find("]:");
        if (end == std::string_view::npos || end == 1 || end - 1 > longest_host) {
            return Status::invalid(fmt::format("error parsing IPv6 address '{}'", text));
        }
        host = address.substr(1, end - 1);
        port = address.substr(end + 2);
        if (port.empty() || port.size() > longest_port) {
            return Status::invalid(fmt::format("error parsing IPv6 address '{}'", text));
        }
    } else {
        port = cut_at(host, ':');
        if (host.empty() || port.empty() || host.size() > longest_host || port.size() > longest_port) {
            return Status::invalid(fmt::format("error parsing address '{}'", text));
        }
    }
    options.set("server.type", "inet");
    options.set("server.host", std::string(host));
    options.set("server.port", std::string(port));
    return {};
}

/// Parses a name in the form that is older than URLs.
Status parse_old_name(std::string_view name, Options& options) {
    if (!name.starts_with(name_prefix)) {
        return Status::invalid("File name string for NBD must start with 'nbd:'");
    }
    name.remove_prefix(name_prefix.size());
    if (const size_t mark = name.find(export_mark); mark != std::string_view::npos) {
        const std::string_view export_name = name.substr(mark + export_mark.size());
        if (export_name.empty()) {
            return {};
        }
        options.set("export", std::string(export_name));
        name = name.substr(0, mark);
    }
    if (name.empty()) {
        return {};
    }
    if (constexpr std::string_view local = "unix:"; name.starts_with(local)) {
        options.set("server.type", "unix");
        options.set("server.path", std::string(name.substr(local.size())));
        return {};
    }
    return parse_host_and_port(name, options);
}

Status missing(std::string_view name) {
    return Status::invalid(fmt::format("Parameter '{}' is missing", name));
}

/// Takes members of an address out of the options one by one, and keeps the first error.
class Members {
public:
    explicit Members(Options options) : options_(std::move(options)) {}

    void take_text(std::string_view name, std::string& target) {
        const std::optional<std::string> text = options_.take(name);
        if (status_.ok() && !text) {
            status_ = missing(name);
        }
        target = text.value_or("");
    }
    void take_bool(std::string_view name, std::optional<bool>& target) {
        const std::optional<std::string> text = options_.take(name);
        if (status_.ok() && text) {
            bool value = false;
            status_ = parse_option_bool(name, *text, value);
            target = value;
        }
    }
    void take_bool(std::string_view name, bool& target) {
        std::optional<bool> value;
        take_bool(name, value);
        target = value.value_or(target);
    }
    /// Checks an integer that has no effect on a client.
    void check_integer(std::string_view name) {
        const std::optional<std::string> text = options_.take(name);
        if (status_.ok() && text && !is_number_up_to(*text, UINT32_MAX)) {
            status_ = Status::invalid(fmt::format("Parameter '{}' expects integer", name));
        }
    }
    Status finish() {
        const std::optional<std::string> left = options_.first_unknown();
        return !status_.ok() || !left ? std::move(status_) : Status::invalid(fmt::format("Parameter '{}' is unexpected", *left));
    }

private:
    Options options_;
    Status status_;
};

Result<NbdAddress> take_server(Options server) {
    const std::optional<std::string> type = server.take("type");
    if (!type) {
        return missing("type");
    }
    NbdAddress address;
    Members members(std::move(server));
    if (*type == "inet") {
        std::optional<bool> ignored;
        members.take_text("host", address.host);
        members.take_text("port", address.port);
        members.take_bool("numeric", address.numeric);
        members.check_integer("to");
        members.take_bool("ipv4", address.ipv4);
        members.take_bool("ipv6", address.ipv6);
        members.take_bool("keep-alive", address.keep_alive);
        for (const std::string_view name : {"keep-alive-count", "keep-alive-idle", "keep-alive-interval"}) {
            members.check_integer(name);
        }
        members.take_bool("mptcp", ignored);
    } else if (*type == "unix") {
        address.type = NbdAddress::Type::local;
        members.take_text("path", address.path);
        members.take_bool("abstract", address.abstract);
        members.take_bool("tight", address.tight);
    } else if (*type == "vsock") {
        address.type = NbdAddress::Type::vsock;
        members.take_text("cid", address.host);
        members.take_text("port", address.port);
    } else if (*type == "fd") {
        address.type = NbdAddress::Type::descriptor;
        members.take_text("str", address.path);
    } else {
        return Status::invalid(fmt::format("Parameter 'type' does not accept value '{}'", *type));
    }
    Status status = members.finish();
    return status.ok() ? Result<NbdAddress>(std::move(address)) : std::move(status);
}

} // namespace

std::string NbdAddress::text() const {
    return type == Type::inet || type == Type::vsock ? fmt::format("{}:{}", host, port) : path;
}

Status parse_nbd_name(const std::string& name, Options& options) {
    for (const std::string& key : options.names()) {
        const bool is_address = key == "host" || key == "port" || key == "path" || key == "export";
        if (is_address || key == "server") {
            const std::string shown(is_address ? std::string_view(key) : options.first_with("server").value_or(key));
            return Status::invalid(fmt::format("Option '{}' cannot be used with a file name", shown));
        }
    }
    return name.find("://") != std::string::npos ? parse_url(name, options) : parse_old_name(name, options);
}

Result<NbdAddress> take_nbd_address(Options& options) {
    const std::optional<std::string> path = options.take("path");
    const std::optional<std::string> host = options.take("host");
    const std::optional<std::string> port = options.take("port");
    Options server = options.take_subtree("server");
    if (!server.empty() && (path || host || port)) {
        return Status::invalid("Cannot use 'server' and path/host/port at the same time");
    }
    if (path && host) {
        return Status::invalid("path and host may not be used at the same time");
    }
    if (!path && !host) {
        if (server.empty()) {
            return Status::invalid("NBD server address missing");
        }
        return take_server(std::move(server));
    }
    if (path && port) {
        return Status::invalid("port may not be used without host");
    }
    NbdAddress address;
    address.type = path ? NbdAddress::Type::local : NbdAddress::Type::inet;
    address.path = path.value_or("");
    address.host = host.value_or("");
    address.port = port.value_or(std::string(default_port));
    return address;
}

std::string nbd_name(const NbdAddress& address, const std::optional<std::string>& export_name) {
    const std::string path = export_name ? '/' + *export_name : std::string();
    switch (address.type) {
    case NbdAddress::Type::local: return fmt::format("nbd+unix://{}?socket={}", path, address.path);
    case NbdAddress::Type::inet: return fmt::format("nbd://{}:{}{}", address.host, address.port, path);
    case NbdAddress::Type::vsock:
    case NbdAddress::Type::descriptor: break;
    }
    return {};
}

} // namespace zoneio
