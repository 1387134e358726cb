// SPDX-License-Identifier: GPL-3.0-or-later
//
// Causes about NBD servers: why an image could not be opened, or a request failed.
#include "commands/text/wrapping.h"
#include "commands/why/why.h"

#include <cerrno>
#include <fmt/ranges.h>

namespace zoneio {

namespace {

/// Words of an `open` command that opens the image read-only; empty if they would need quotes.
std::string open_read_only(Evidence& evidence) {
    const std::string& word = evidence.failure().word;
    return word.empty() || word.find_first_of(" '\"\\\t") != std::string::npos ? "" : fmt::format("open -r {}", word);
}

bool is_unreachable(Evidence& evidence) {
    return evidence.is(FailureKind::open) && evidence.is(Cause::server_unreachable);
}
Explanation explain_unreachable(Evidence& evidence) {
    const std::string& server = evidence.facts().name;
    Explanation explanation{fmt::format("there is no connection to the NBD server '{}'", server)};
    switch (evidence.code()) {
    case ENOENT: explanation.more.push_back(fmt::format("There is no socket '{}': no server has created it.", server)); break;
    case ECONNREFUSED: explanation.more.emplace_back("No program listens there: the server does not run, or has another address."); break;
    case EACCES: explanation.more.emplace_back("You do not have permission to use the socket."); break;
    case ETIMEDOUT: explanation.more.emplace_back("It does not answer."); break;
    default: explanation.more.push_back(evidence.failure().status.message()); break;
    }
    explanation.more.emplace_back("The option open-timeout=SECONDS waits for a server that is about to start.");
    return explanation;
}

Explanation explain_no_export(Evidence& evidence) {
    const CauseFacts& facts = evidence.facts();
    Explanation explanation{facts.name.empty() ? "the server has no default export"
                                               : fmt::format("the server has no export '{}'", facts.name)};
    if (facts.owner.empty()) {
        explanation.more.emplace_back("It does not list its exports.");
        return explanation;
    }
    explanation.more.push_back(fmt::format("There are: '{}'.", fmt::join(lines_of(facts.owner), "', '")));
    return explanation;
}

Explanation explain_tls(Evidence& /*evidence*/) {
    return {"the server requires TLS",
            {"Start zoneio with credentials, --object tls-creds-psk,id=ID,dir=FOLDER or tls-creds-x509, and open the image with the "
             "option tls-creds=ID."}};
}

Explanation explain_read_only_export(Evidence& evidence) {
    return {"the server exports this image read-only", {}, evidence.is(FailureKind::open) ? open_read_only(evidence) : ""};
}

bool is_broken(Evidence& evidence) {
    return evidence.is_request() && evidence.is(Cause::server_unreachable);
}
Explanation explain_broken_connection(Evidence& evidence) {
    return {evidence.code() == ETIMEDOUT ? "the NBD server did not answer" : "the connection to the NBD server broke",
            {"It is not known whether writes in flight were done.",
             "With the option reconnect-delay=SECONDS requests wait for a new connection; without it, close the image and open it "
             "again."}};
}

constexpr CauseRow nbd_table[] = {
    {"server-unreachable", is_unreachable, explain_unreachable},
    {"no-such-export", arose_from<Cause::no_such_export>, explain_no_export},
    {"tls-required", arose_from<Cause::tls_required>, explain_tls},
    {"read-only-export", arose_from<Cause::read_only_export>, explain_read_only_export},
    {"connection-broken", is_broken, explain_broken_connection},
};

} // namespace

std::span<const CauseRow> nbd_causes() {
    return nbd_table;
}

} // namespace zoneio
