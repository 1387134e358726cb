// SPDX-License-Identifier: GPL-3.0-or-later
#include "failing_allocation.h"

#include <cstdlib>
#include <new>

namespace zoneio::testing {

thread_local long allocations_left = -1;
thread_local size_t allocated_bytes = 0;

} // namespace zoneio::testing

namespace {

void* allocate(size_t size) {
    zoneio::testing::allocated_bytes += size;
    long& left = zoneio::testing::allocations_left;
    return left >= 0 && left-- == 0 ? nullptr : malloc(size == 0 ? 1 : size);
}

} // namespace

void* operator new(size_t size) {
    if (void* const memory = allocate(size)) {
        return memory;
    }
    throw std::bad_alloc();
}

void* operator new(size_t size, const std::nothrow_t& /*tag*/) noexcept {
    return allocate(size);
}

// Not inlined, because GCC 12 would see new and free and warn of a mismatched pair.
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    free(memory);
}

[[gnu::noinline]] void operator delete(void* memory, size_t /*size*/) noexcept {
    free(memory);
}
