// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opening an image, as the `open` command and the program's command line do it.
#pragma once

#include "block/chain/named_file.h"
#include "block/node/mode_words.h"
#include "commands/command.h"

#include <optional>
#include <string>

namespace zoneio {

/// How an image is to be opened.
struct OpenRequest {
    std::optional<std::string> filename;
    Options options;
    NodeFlags flags = default_flags();
    AioMode aio = AioMode::threads;
    bool writethrough = true;
    bool force_share = false; ///< -U
    bool snapshot = false;    ///< -s

    static NodeFlags default_flags() {
        NodeFlags flags;
        flags.unmap = true;
        return flags;
    }
};

/// What a cache mode stands for.
struct CacheMode {
    bool writethrough = false;
    bool direct = false;
    bool no_flush = false;
};
/// The first is the default.
inline constexpr EnumWord<CacheMode> cache_mode_words[] = {
    {"writethrough", {.writethrough = true}},
    {"writeback", {}},
    {"none", {.direct = true}},
    {"directsync", {.writethrough = true, .direct = true}},
    {"unsafe", {.no_flush = true}},
    {"off", {.direct = true}, true},
};

/// The words of -t, -d and -i, on top of what was given before. False: no such word.
bool parse_cache_mode(std::string_view word, NodeFlags& flags, bool& writethrough);
bool parse_discard_mode(std::string_view word, NodeFlags& flags);
bool parse_aio_mode(std::string_view word, AioMode& aio);

/// May an option string have an `id`? Only the program's own command line takes one (and no driver knows it).
enum class IdOption { allowed, refused };

/// Parses an option string and adds it to `options`; errors and warnings are told.
bool add_option_string(Session& session, std::string_view text, IdOption id, Options& options);

/// The same as what a row of an option takes.
OptionStep take_option_string(const GivenOption& given, Options& options);

/// The file that the name of an image means, in the form that `open` takes now: a name, or with --image-opts an option
/// string. Nothing after an error, which was told.
std::optional<NamedFile> parse_image_file(Session& session, const std::string& name);

/// Opens the image; errors and warnings are told.
Outcome open_image(Session& session, OpenRequest request);

} // namespace zoneio
