// R-MAT (Chakrabarti, Zhan, Faloutsos: "R-MAT: a recursive model for graph mining", SDM 2004).
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace weft {

// Edges first .. first + src.size() of the graph with 2^scale nodes, scale 1 to 32. thresholds are
// a, a + b and a + b + c times 2^32. Node numbers pass a seeded permutation, so that a node's degree says
// nothing of its number.
void rmat_edges(uint64_t key, int scale, const std::array<uint64_t, 3>& thresholds, uint64_t first,
                std::span<uint32_t> src, std::span<uint32_t> dst);

}  // namespace weft
