// Alias tables: a draw from a row's weights in constant time, 8 bytes an edge.
//
// A. J. Walker, "An efficient method for generating discrete random variables with general distributions",
// ACM TOMS 1977; the sweep is that of Huebschle-Schneider and Sanders, "Parallel weighted random sampling",
// ACM TOMS 2022.
#pragma once

#include <cstdint>
#include <span>

namespace weft {

// Writes one table per row of indptr. table[e] holds the threshold in its low 32 bits and the other edge of
// its slot, counted from the row's begin, in its high 32 bits. A draw from a row of degree d takes one
// 32-bit word: the high half of word * d is the slot, which stands when the low half is below its threshold
// and else gives way to the other edge.
// Throws std::invalid_argument for a weight that is negative or not finite, a row whose weights are all
// zero, and a row that does not lie within the weights.
template <typename Weight>
void alias_tables(std::span<const int64_t> indptr, std::span<const Weight> weight, std::span<uint64_t> table);

extern template void alias_tables(std::span<const int64_t>, std::span<const float>, std::span<uint64_t>);
extern template void alias_tables(std::span<const int64_t>, std::span<const double>, std::span<uint64_t>);

}  // namespace weft
