// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#pragma once

#include <array>
#include <cstdint>

#include "dispatch.h"

namespace weft {

using Counter = std::array<uint32_t, 4>;
using Key = std::array<uint32_t, 2>;

inline Key key_of(uint64_t key) {
    return {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
}

WEFT_INLINE Counter philox4x32(Counter c, Key k) {
    for (int round = 0; round < 10; ++round) {
        const uint64_t p0 = uint64_t{0xD2511F53u} * c[0];
        const uint64_t p1 = uint64_t{0xCD9E8D57u} * c[2];
        c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
             static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
    return c;
}

// The same, each word in 64 bits: of loops of this GCC makes vector code twice as fast on AVX-512.
WEFT_INLINE std::array<uint64_t, 4> philox4x32_wide(std::array<uint64_t, 4> c, Key k) {
    for (int round = 0; round < 10; ++round) {
        const uint64_t p0 = uint64_t{0xD2511F53u} * static_cast<uint32_t>(c[0]);
        const uint64_t p1 = uint64_t{0xCD9E8D57u} * static_cast<uint32_t>(c[2]);
        c = {p1 >> 32 ^ c[1] ^ k[0], static_cast<uint32_t>(p1), p0 >> 32 ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
    return c;
}

// The counter of every op: which item (64 bits), which draw of that item, and one word the op names.
WEFT_INLINE Counter draw(Key key, uint64_t item, uint32_t index, uint32_t lane = 0) {
    return philox4x32({static_cast<uint32_t>(item), static_cast<uint32_t>(item >> 32), index, lane}, key);
}

// A number in [0, n) from 32 random bits; for n <= 2^32 the bias is at most n / 2^32.
WEFT_INLINE uint64_t bounded(uint32_t bits, uint64_t n) { return (uint64_t{bits} * n) >> 32; }

}  // namespace weft
