// Copies rows that lie anywhere to one place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weft {

// out[i] = table[ids[i]], rows of `width` bytes, on all threads. Throws std::invalid_argument for sizes that do not
// fit and for an id that is not a row; out is then undefined.
template <typename Id>
void gather_rows(std::span<const std::byte> table, size_t width, std::span<const Id> ids, std::span<std::byte> out);

extern template void gather_rows(std::span<const std::byte>, size_t, std::span<const uint32_t>, std::span<std::byte>);
extern template void gather_rows(std::span<const std::byte>, size_t, std::span<const int64_t>, std::span<std::byte>);

}  // namespace weft
