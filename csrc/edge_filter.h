// A filter of edges: answers "there is no such edge" from one word of memory, and "perhaps" otherwise.
//
// A Bloom filter (B. Bloom, CACM 1970) whose bits for one edge all lie in one 64-bit word (register-blocked:
// Putze, Sanders, Singler, "Cache-, hash- and space-efficient Bloom filters", JEA 2009).
#pragma once

#include <cstdint>
#include <span>

#include "dispatch.h"

namespace weft {

// Two bits a word: at 7 bits an edge a wrong "perhaps" comes in 7 of 100, with three bits in 5, which did not
// make walks faster.
struct EdgeFilter {
    std::span<const uint64_t> words;  // at least 1, at most 2^32
    bool directed;                    // else an edge and its reverse are one

    // The hash of an edge. Without branches and 64 bits wide throughout, so that loops of it vectorise.
    WEFT_INLINE static uint64_t hash(bool directed, uint64_t u, uint64_t v) {
        const auto turned = directed ? 0 : static_cast<uint64_t>(static_cast<int64_t>(v - u) >> 63);
        const uint64_t low = u ^ (turned & (u ^ v));
        const uint64_t high = u ^ v ^ low;
        uint64_t h = (low << 32 ^ low >> 32 ^ high) * 0x9E3779B97F4A7C15u;
        h ^= h >> 32;
        return h * 0xD6E8FEB86659FD93u;
    }
    WEFT_INLINE static uint64_t place(uint64_t hash, uint64_t words) { return ((hash >> 32) * words) >> 32; }
    WEFT_INLINE static uint64_t mask(uint64_t hash) {
        return uint64_t{1} << (hash >> 26 & 63) | uint64_t{1} << (hash >> 20 & 63);
    }

    bool perhaps(uint64_t u, uint64_t v) const {
        const uint64_t h = hash(directed, u, v), wanted = mask(h);
        return (words[place(h, words.size())] & wanted) == wanted;
    }
};

// Fills words, all zero, with the edges of a graph and tells whether no edge is stored twice. Throws
// std::invalid_argument for a row that falls or does not lie within indices, and a neighbour that is not a node.
template <typename Id>
bool fill_filter(std::span<const int64_t> indptr, std::span<const Id> indices, bool directed,
                 std::span<uint64_t> words);

extern template bool fill_filter(std::span<const int64_t>, std::span<const uint32_t>, bool, std::span<uint64_t>);
extern template bool fill_filter(std::span<const int64_t>, std::span<const int64_t>, bool, std::span<uint64_t>);

}  // namespace weft
