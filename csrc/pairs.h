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

// A rectangle of blocks: the pairs of heads in parts [head_first, head_first + heads) with tails in parts
// [tail_first, tail_first + tails). A part is `rows` consecutive rows.
struct Blocks {
    size_t rows, head_first, heads, tail_first, tails;

    size_t count() const { return heads * tails; }
};

// Sorts pairs by (part of head, part of tail, head), equal keys in their order, and writes where each block
// begins. All pairs lie in the blocks; scratch is as large as pairs; offset holds one number more than blocks.
void bucket_pairs(std::span<uint64_t> pairs, std::span<uint64_t> scratch, const Blocks& blocks, std::span<int64_t> offset);

// Sorts pairs by head, stably, from `in` to `out`; all heads lie in [first, first + rows).
void sort_by_head(std::span<const uint64_t> in, std::span<uint64_t> out, uint64_t first, size_t rows);

// The first `most` of window_pairs' pairs, sorted as bucket_pairs sorts them into parts x parts blocks of `rows`
// rows, without a second copy of the pairs. Returns how many there are; out must have room for them.
size_t block_pairs(std::span<const uint32_t> walks, size_t length, size_t window, std::span<const uint32_t> row_of,
                   std::span<const uint8_t> sink, size_t most, size_t rows, size_t parts, std::span<uint64_t> out,
                   std::span<int64_t> offset);

}  // namespace weft
