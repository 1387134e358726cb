// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opens images for the `open` command and the program's command line.
#pragma once

#include "block/chain/named_file.h"
#include "block/node/mode_words.h"
#include "commands/parse_options.h"

#include <optional>
#include <string>

namespace zoneio {

/// How to open an image.
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

/// Meaning of a cache mode.
struct CacheMode {
    bool writethrough = false;
    bool direct = false;
    bool no_flush = false;
};
/// The first mode is the default.
inline constexpr EnumWord<CacheMode> cache_mode_words[] = {
    {"writethrough", {.writethrough = true}},
    {"writeback", {}},
    {"none", {.direct = true}},
    {"directsync", {.writethrough = true, .direct = true}},
    {"unsafe", {.no_flush = true}},
    {"off", {.direct = true}, true},
};

/// Applies a word of -t, -d or -i to the flags. False if the word is unknown.
bool parse_cache_mode(std::string_view word, NodeFlags& flags, bool& writethrough);
bool parse_discard_mode(std::string_view word, NodeFlags& flags);
bool parse_aio_mode(std::string_view word, AioMode& aio);

/// Whether an option string may have an `id`. Only the program's command line allows it; no driver uses it.
enum class IdOption { allowed, refused };

/// Parses an option string and adds it to `options`. Reports errors and warnings.
bool add_option_string(Session& session, std::string_view text, IdOption id, Options& options);

/// add_option_string() as the function of an option row.
template <auto Member>
OptionStep take_option_string(const GivenOption& given, detail::Owner<Member>& parsed) {
    const bool is_valid = add_option_string(given.session, given.word, IdOption::refused, parsed.*Member);
    return is_valid ? OptionStep::next : OptionStep::failed;
}

/// The file for the name of an image; with --image-opts, for an option string. Empty after an error, which has been
/// reported.
std::optional<NamedFile> parse_image_file(Session& session, const std::string& name);

/// Opens the image. Reports errors and warnings.
Outcome open_image(Session& session, OpenRequest request);

} // namespace zoneio
