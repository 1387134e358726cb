// SPDX-License-Identifier: GPL-3.0-or-later
//
// Why an image could not be served, or not taken away while it is.
#include "commands/why/why.h"

#include <fmt/format.h>

namespace zoneio {

namespace {

template <Cause Of>
bool is_cause(Evidence& evidence) {
    return evidence.is(Of);
}

Explanation explain_served(Evidence& evidence) {
    const Exports& exports = evidence.session().exports();
    Explanation explanation{"the image is served to others, who would lose it", {}, exports.empty() ? "" : "unexport"};
    for (const std::unique_ptr<Export>& served : exports.all()) {
        explanation.more.push_back(fmt::format("'{}' serves it by {} at {}.", served->options().name, served->kind(),
                                               served->options().address));
    }
    if (exports.all().size() > 1) {
        explanation.repair = fmt::format("unexport {}", exports.all().front()->options().name);
    }
    return explanation;
}

Explanation explain_address_in_use(Evidence& evidence) {
    return {evidence.failure().status.message(),
            {"A socket that nobody listens at is replaced; this one belongs to a program that runs."},
            ""};
}

Explanation explain_no_socket(Evidence& evidence) {
    return {evidence.failure().status.message(), {"Only a socket is ever replaced, and no other file."}, ""};
}

Explanation explain_cannot_listen(Evidence& evidence) {
    return {evidence.failure().status.message(),
            {"The folder of a socket must be there and writable; the socket itself is made."},
            ""};
}

Explanation explain_unknown_name(Evidence& evidence) {
    return {evidence.failure().status.message(), {"'exports' lists what is served."}, "exports"};
}

constexpr CauseRow causes[] = {
    {"served", is_cause<Cause::image_served>, explain_served},
    {"socket-in-use", is_cause<Cause::socket_in_use>, explain_address_in_use},
    {"no-socket", is_cause<Cause::not_a_socket>, explain_no_socket},
    {"cannot-listen", is_cause<Cause::cannot_listen>, explain_cannot_listen},
    {"not-served", is_cause<Cause::not_served>, explain_unknown_name},
};

} // namespace

std::span<const CauseRow> export_causes() {
    return causes;
}

} // namespace zoneio
