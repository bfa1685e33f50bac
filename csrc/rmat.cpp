#include "rmat.h"

#include <stdexcept>
#include <string>

#include "philox.h"
#include "pool.h"

namespace weft {
namespace {

constexpr uint32_t edge_lane = 0, permutation_lane = 1;
constexpr int rounds = 6;

// A Feistel network over `scale` bits: each step changes one half by a function of the other and can be
// undone, whatever the function, so all of it is a permutation. The halves need not be equal.
struct Permutation {
    std::array<uint32_t, rounds> keys;
    uint32_t low_mask, high_mask;
    int low_bits;

    Permutation(Key key, int scale) : low_bits(scale / 2) {
        for (int i = 0; i < rounds; i += 2) {
            const Counter words = draw(key, static_cast<uint64_t>(i / 2), 0, permutation_lane);
            keys[static_cast<size_t>(i)] = words[0];
            keys[static_cast<size_t>(i) + 1] = words[1];
        }
        low_mask = static_cast<uint32_t>((uint64_t{1} << low_bits) - 1);
        high_mask = static_cast<uint32_t>((uint64_t{1} << (scale - low_bits)) - 1);
    }

    static WEFT_INLINE uint32_t scramble(uint32_t x, uint32_t key) {
        x = (x ^ key) * 0x9E3779B1u;
        x ^= x >> 15;
        x *= 0x85EBCA77u;
        return x ^ x >> 13;
    }

    WEFT_INLINE uint32_t operator()(uint32_t x) const {
        uint32_t low = x & low_mask;
        uint32_t high = low_bits == 0 ? x : x >> low_bits;
        for (size_t i = 0; i < rounds; i += 2) {
            high ^= scramble(low, keys[i]) & high_mask;
            low ^= scramble(high, keys[i + 1]) & low_mask;
        }
        return high << low_bits | low;
    }
};

constexpr size_t lanes = 64;

// Level by level over a block of edges at a time: every inner loop is over edges and is vectorised.
WEFT_CLONES void fill(Key key, int scale, const std::array<uint64_t, 3>& t, const Permutation& permute,
                      uint64_t first, uint32_t* src, uint32_t* dst, size_t count) {
    uint32_t words[4][lanes];
    for (size_t begin = 0; begin < count; begin += lanes) {
        uint32_t u[lanes] = {}, v[lanes] = {};
        for (int level = 0; level < scale; ++level) {
            if (level % 4 == 0) {
                for (size_t e = 0; e < lanes; ++e) {
                    const Counter block = draw(key, first + begin + e, static_cast<uint32_t>(level) / 4, edge_lane);
                    for (size_t i = 0; i < 4; ++i) words[i][e] = block[i];
                }
            }
            const uint32_t* const word = words[level % 4];
            for (size_t e = 0; e < lanes; ++e) {
                // Quadrants in the order (0,0) (0,1) (1,0) (1,1).
                const uint32_t past_a = word[e] >= t[0], past_b = word[e] >= t[1], past_c = word[e] >= t[2];
                u[e] = u[e] << 1 | past_b;
                v[e] = v[e] << 1 | ((past_a ^ past_b) | past_c);
            }
        }
        const size_t here = count - begin < lanes ? count - begin : lanes;
        for (size_t e = 0; e < here; ++e) {
            src[begin + e] = permute(u[e]);
            dst[begin + e] = permute(v[e]);
        }
    }
}

}  // namespace

void rmat_edges(uint64_t key, int scale, const std::array<uint64_t, 3>& thresholds, uint64_t first,
                std::span<uint32_t> src, std::span<uint32_t> dst) {
    if (scale < 1 || scale > 32)
        throw std::invalid_argument("rmat: scale must be 1 to 32 (got " + std::to_string(scale) + ")");
    if (src.size() != dst.size()) throw std::invalid_argument("rmat: src and dst must have one length");
    const Permutation permute(key_of(key), scale);
    parallel_ranges(src.size(), 1024, [&](size_t begin, size_t end) {
        fill(key_of(key), scale, thresholds, permute, first + begin, src.data() + begin, dst.data() + begin, end - begin);
    });
}

}  // namespace weft
