// Philox over a run of counters; the scalar generator is philox.h.
#pragma once

#include <cstdint>
#include <span>

namespace weft {

// out[4 i + j] = word j of Philox4x32-10 at counter (first + i, index, lane). out.size() is a multiple of 4.
void philox_fill(std::span<uint32_t> out, uint64_t key, uint64_t first, uint32_t index, uint32_t lane);

}  // namespace weft
