// SPDX-License-Identifier: GPL-3.0-or-later
//
// Modes that drivers and commands share, and their words. The first word is the default.
#pragma once

#include "block/base/enum_word.h"

#include <cstdint>

namespace zoneio {

enum class AioMode : uint8_t { threads, native, io_uring };
enum class DetectZeroes : uint8_t { off, on, unmap };
enum class PreallocMode : uint8_t { off, metadata, falloc, full };

inline constexpr EnumWord<AioMode> aio_mode_words[] = {
    {"threads", AioMode::threads}, {"native", AioMode::native}, {"io_uring", AioMode::io_uring}};

/// True: discards are carried out.
inline constexpr EnumWord<bool> discard_mode_words[] = {
    {"unmap", true}, {"ignore", false}, {"on", true, true}, {"off", false, true}};

inline constexpr EnumWord<DetectZeroes> detect_zeroes_words[] = {
    {"off", DetectZeroes::off}, {"on", DetectZeroes::on}, {"unmap", DetectZeroes::unmap}};

inline constexpr EnumWord<PreallocMode> prealloc_mode_words[] = {{"off", PreallocMode::off},
                                                                 {"metadata", PreallocMode::metadata},
                                                                 {"falloc", PreallocMode::falloc},
                                                                 {"full", PreallocMode::full}};

} // namespace zoneio
