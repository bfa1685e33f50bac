// The walks that try together, a column for each number of theirs, and arithmetic on columns without branches.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "dispatch.h"
#include "row_search.h"

namespace weft::columns {

// So many walks try together: while one waits for memory the others are worked on.
constexpr size_t group_size = 256;

// p and q, scaled so that the smaller of 1 and 1/q is 1.
struct Bias {
    bool near;            // q > 1: nodes linked to the one before weigh more, else less
    double extra;         // by so much
    double inverse;       // of extra
    double back;          // the weight of the way back
    double more, keep;    // what of back lies above 1; back, if below 1

    Bias(double p, double q)
        : near(q > 1), extra(std::max(q, 1 / q) - 1), inverse(extra > 0 ? 1 / extra : 0), back(std::max(q, 1.0) / p),
          more(std::max(back - 1, 0.0)), keep(std::min(back, 1.0)) {}
};

template <typename T>
struct Column {
    alignas(64) std::array<T, group_size> at{};
    WEFT_INLINE T& operator[](size_t i) { return at[i]; }
};

// The walks of one group, a column each; all columns 64 bits wide, so that the loops over them vectorise.
template <typename Id>
struct Group {
    Column<uint64_t> node, before, left, begin, degree, item;  // left: steps to go
    Column<uint64_t> from, size;                               // the row that linked nodes are proposed from
    Column<uint64_t> in, in_begin, in_size;                    // the node whose row they are looked up in
    Column<double> sum, linked, total;                         // masses: all edges; the extra one; with the way back
    Column<double> scale;                                      // degree / sum
    Column<uint64_t> edge, next, word, mask, failed, moved, live, tested, returns, row, row_end;
    Column<double> within;                                     // where in the slot
    Column<double> back;                                       // weight of the way back
    std::array<std::array<uint32_t, group_size>, 4> draws;
    std::array<uint32_t, group_size> block, pending;
    std::array<Id*, group_size> out;
    std::array<RowSearch<Id>, group_size> search;
};

// Masks of 64 bits, all or none, instead of conditions: GCC vectorises these everywhere.
WEFT_INLINE uint64_t negative(double x) { return static_cast<uint64_t>(std::bit_cast<int64_t>(x) >> 63); }
WEFT_INLINE uint64_t nonzero(uint64_t x) { return static_cast<uint64_t>(static_cast<int64_t>(x | (0 - x)) >> 63); }
WEFT_INLINE uint64_t below(uint64_t x, uint64_t y) {  // both below 2^63
    return static_cast<uint64_t>(static_cast<int64_t>(x - y) >> 63);
}
WEFT_INLINE uint64_t pick(uint64_t mask, uint64_t x, uint64_t y) { return y ^ (mask & (x ^ y)); }
WEFT_INLINE double pick(uint64_t mask, double x, double y) {
    return std::bit_cast<double>(pick(mask, std::bit_cast<uint64_t>(x), std::bit_cast<uint64_t>(y)));
}
// Of whole numbers below 2^52.
WEFT_INLINE double real(uint64_t x) { return std::bit_cast<double>(x | std::bit_cast<uint64_t>(0x1p52)) - 0x1p52; }
WEFT_INLINE uint64_t whole(double x) {
    return std::bit_cast<uint64_t>(x + 0x1p52) & ((uint64_t{1} << 52) - 1);
}

}  // namespace weft::columns
