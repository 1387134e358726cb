// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opening an image, as the `open` command and the program's command line do it.
#pragma once

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

/// The words of -t, -d and -i, on top of what was given before. False: no such word.
bool parse_cache_mode(std::string_view word, NodeFlags& flags, bool& writethrough);
bool parse_discard_mode(std::string_view word, NodeFlags& flags);
bool parse_aio_mode(std::string_view word, AioMode& aio);
/// The same words, without those that are only other names; the first is the default.
inline constexpr std::string_view cache_mode_words[] = {"writethrough", "writeback", "none", "directsync", "unsafe"};
inline constexpr std::string_view discard_mode_words[] = {"unmap", "ignore"};
inline constexpr std::string_view aio_mode_words[] = {"threads", "native", "io_uring"};

/// May an option string have an `id`? Only the program's own command line takes one (and no driver knows it).
enum class IdOption { allowed, refused };

/// Parses an option string and adds it to `options`; errors and warnings are told.
bool add_option_string(Session& session, std::string_view text, IdOption id, Options& options);

/// Opens the image; errors and warnings are told.
Outcome open_image(Session& session, OpenRequest request);

} // namespace zoneio
