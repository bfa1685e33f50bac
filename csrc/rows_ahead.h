// Rows of a table read in any order: are they there, and asking the memory for them ahead. For files that clone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "dispatch.h"

namespace weft {

constexpr size_t cache_line = 64;
constexpr size_t ahead_bytes = 4096;  // asked for before they are used: what the first-level misses can hold twice

// How many rows ahead are asked for.
inline size_t rows_ahead(size_t width) { return std::clamp<size_t>(ahead_bytes / width, 2, 64); }

template <typename Id>
WEFT_INLINE bool rows_are_there(const Id* ids, size_t count, uint64_t rows) {
    uint64_t most = 0;
    for (size_t i = 0; i < count; ++i) most = std::max(most, static_cast<uint64_t>(ids[i]));  // negative ones are huge
    return most < rows;
}

WEFT_INLINE void ask(const std::byte* row, size_t width) {
    const auto begin = reinterpret_cast<uintptr_t>(row) & ~(cache_line - 1);
    for (uintptr_t at = begin; at < reinterpret_cast<uintptr_t>(row) + width; at += cache_line)
        __builtin_prefetch(reinterpret_cast<const void*>(at));
}

}  // namespace weft
