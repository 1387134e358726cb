// SPDX-License-Identifier: GPL-3.0-or-later
#include "block/objects/object_ids.h"

#include <set>

namespace zoneio {

namespace {

std::set<std::string, std::less<>>& ids() {
    static std::set<std::string, std::less<>> all;
    return all;
}

} // namespace

bool has_user_object(std::string_view id) {
    return ids().contains(id);
}

bool take_object_id(const std::string& id) {
    return ids().insert(id).second;
}

} // namespace zoneio
