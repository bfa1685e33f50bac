// The walks that try together, a column for each number of theirs, and arithmetic on columns without branches.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "dispatch.h"
#include "row_search.h"

namespace weft::columns {

// So many walks try together: as many as a word has bits.
constexpr size_t group_size = 64;

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

// The walks of one group. Columns are as narrow as their numbers allow: what four groups hold at a time fits
// the first-level cache.
template <typename Id>
struct Group {
    using Node = std::make_unsigned_t<Id>;
    Column<Node> node, before, next;
    Column<uint64_t> begin, begin_before;       // of the rows of node and before
    Column<uint32_t> degree, degree_before;     // degree_before is 0 at the first node
    Column<uint32_t> left, failed;              // steps to go; tries that failed since the last step
    Column<uint32_t> moved, tested;             // 0 or 1; tested is a mask at first
    Column<uint32_t> returned;                  // a mask: the way back was drawn, of which nobody knows yet
    Column<uintptr_t> wanted;                   // what of memory the next stage reads
    Column<uint32_t> place, bits;               // of the question to the filter
    Column<uint64_t> item;                      // of the draws
    Column<uint32_t> block;                     // the next one
    std::array<Column<uint32_t>, 4> draws;      // of the four tries of a block
    std::array<Column<Node>, 4> nodes;          // the node after each of them,
    std::array<Column<uint8_t>, 4> moves;       // and the bytes by which that moved the walk on
    Column<Id*> at;                             // the node before those four, in the output
    RowSearches<Id, group_size> search;
    Column<double> within;                      // where in the slot, or in the mass of the way back
    // With weights:
    Column<double> sum, peak, scale, unit;      // of the row: sum, largest weight, degree / sum, 1 / peak
    Column<double> back;                        // the weight of the way back, or its bound
    Column<uint64_t> edge;                      // the one drawn
    Column<uint32_t> drawn, turned;             // masks: an edge was, not the way back; from the row before
    size_t tries = 0;
    bool busy = false;
};

// Masks, all or none of the bits, instead of conditions: GCC vectorises these everywhere.
WEFT_INLINE uint64_t negative(double x) { return static_cast<uint64_t>(std::bit_cast<int64_t>(x) >> 63); }
template <typename T>
WEFT_INLINE T nonzero(T x) {
    return static_cast<T>(static_cast<std::make_signed_t<T>>(x | (T{0} - x)) >> (8 * sizeof(T) - 1));
}
WEFT_INLINE uint64_t below(uint64_t x, uint64_t y) {  // both below 2^63
    return static_cast<uint64_t>(static_cast<int64_t>(x - y) >> 63);
}
WEFT_INLINE uint64_t wide(uint32_t mask) { return static_cast<uint64_t>(int64_t{static_cast<int32_t>(mask)}); }
template <typename T>
WEFT_INLINE T pick(T mask, T x, T y) {
    return y ^ (mask & (x ^ y));
}
WEFT_INLINE double pick(uint64_t mask, double x, double y) {
    return std::bit_cast<double>(pick(mask, std::bit_cast<uint64_t>(x), std::bit_cast<uint64_t>(y)));
}
// Of whole numbers below 2^52.
WEFT_INLINE double real(uint64_t x) { return std::bit_cast<double>(x | std::bit_cast<uint64_t>(0x1p52)) - 0x1p52; }
WEFT_INLINE uint64_t whole(double x) {
    return std::bit_cast<uint64_t>(x + 0x1p52) & ((uint64_t{1} << 52) - 1);
}
// A word as a number in [0, 1).
WEFT_INLINE double share(uint32_t x) {
    return std::bit_cast<double>(x | std::bit_cast<uint64_t>(0x1p20)) - 0x1p20;
}

// Bit i from flag i, which is 0 or 1.
WEFT_INLINE uint64_t bits_of(const Column<uint8_t>& flags) {
    uint64_t bits = 0;
#pragma GCC unroll 8
    for (size_t i = 0; i < group_size; i += 8) {
        uint64_t eight;
        std::memcpy(&eight, flags.at.data() + i, 8);
        if constexpr (std::endian::native == std::endian::big) eight = __builtin_bswap64(eight);
        bits |= (eight * 0x0102040810204080u >> 56) << i;
    }
    return bits;
}

// What memory will be asked for, a quarter of a group's wishes at a time, between the stages: all at once
// they would fill the queue of misses, and every read would wait behind them.
class Fetches {
public:
    WEFT_INLINE void add(const Column<uintptr_t>& wanted) {
        while (last_ - first_ > 1) next();  // what is late
        for (size_t i = 0; i < group_size; i += piece) pieces_[last_++ % room] = wanted.at.data() + i;
    }

    WEFT_INLINE void next() {
        if (first_ == last_) return;
        const uintptr_t* const wanted = pieces_[first_++ % room];
        asm volatile("" ::: "memory");  // GCC drops prefetches when it distributes a loop around them
#pragma GCC unroll 16
        for (size_t i = 0; i < piece; ++i) __builtin_prefetch(reinterpret_cast<const void*>(wanted[i]), 0, 2);
        asm volatile("" ::: "memory");
    }

private:
    static constexpr size_t piece = group_size / 4, room = 8;
    std::array<const uintptr_t*, room> pieces_{};
    size_t first_ = 0, last_ = 0;
};

}  // namespace weft::columns
