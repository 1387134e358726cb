// SPDX-License-Identifier: GPL-3.0-or-later
//
// Debian has no static fmt 9, so this file compiles the definitions of its headers once. With fmt as a header-only
// library every source would compile them all, which takes seven times as long.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {

template auto thousands_sep_impl<char>(locale_ref) -> thousands_sep_result<char>;
template auto decimal_point_impl<char>(locale_ref) -> char;
template void buffer<char>::append(const char*, const char*);
template void vformat_to(buffer<char>&, string_view, basic_format_args<FMT_BUFFER_CONTEXT(char)>, locale_ref);

namespace dragonbox {

template auto to_decimal(float) noexcept -> decimal_fp<float>;
template auto to_decimal(double) noexcept -> decimal_fp<double>;

} // namespace dragonbox

} // namespace detail
FMT_END_NAMESPACE
