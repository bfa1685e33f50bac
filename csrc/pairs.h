// From walks to training pairs in blocks.
#pragma once

#include <cstdint>
#include <span>

namespace weft {

// Every (earlier, later) pair at most `window` apart in each walk, as row << 32 | row, in the order of walks,
// then of the earlier node, then of the distance. walks holds rows of length + 1 nodes; a walk ends at its
// first node with sink[node] != 0 (an empty sink: none has). Returns the number of pairs written to out, whose
// size must be at least walks * pairs_per_walk(length, window).
size_t window_pairs(std::span<const uint32_t> walks, size_t length, size_t window, std::span<const uint32_t> row_of,
                    std::span<const uint8_t> sink, std::span<uint64_t> out);

size_t pairs_per_walk(size_t length, size_t window);

// Sorts pairs by (part of head, part of tail, head), equal keys in their order, and writes where each block
// begins. A part is `rows` consecutive rows; scratch is as large as pairs; offset holds parts^2 + 1.
void bucket_pairs(std::span<uint64_t> pairs, std::span<uint64_t> scratch, size_t rows, size_t parts,
                  std::span<int64_t> offset);

}  // namespace weft
