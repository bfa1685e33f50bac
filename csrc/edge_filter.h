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

    // The hash of an edge: multilinear, so that its upper bits are even for any graph (Lemire, Kaser: "Strongly
    // universal string hashing is fast", Computer Journal 2014). Without branches, so that loops of it vectorise.
    template <typename Node>
    WEFT_INLINE static uint64_t hash(bool directed, Node u, Node v) {
        const Node low = directed || u < v ? u : v, high = directed || u < v ? v : u;
        return low * uint64_t{0x9E3779B97F4A7C15u} + high * uint64_t{0xD6E8FEB86659FD93u};
    }
    WEFT_INLINE static uint64_t place(uint64_t hash, uint64_t words) { return ((hash >> 32) * words) >> 32; }
    // The twelve bits of a hash that say which two of a word.
    WEFT_INLINE static uint32_t bits(uint64_t hash) { return static_cast<uint32_t>(hash >> 20); }
    WEFT_INLINE static uint64_t mask(uint64_t hash) {
        return uint64_t{1} << (bits(hash) >> 6 & 63) | uint64_t{1} << (bits(hash) & 63);
    }
    // 1: perhaps.
    WEFT_INLINE static uint64_t ask(uint64_t word, uint64_t bits) {
        return word >> (bits >> 6 & 63) & word >> (bits & 63) & 1;
    }
};

// Fills words, all zero, with the edges of a graph and returns the most edges from one node to one other. Throws
// std::invalid_argument for a row that falls or does not lie within indices, and a neighbour that is not a node.
template <typename Id>
uint64_t fill_filter(std::span<const int64_t> indptr, std::span<const Id> indices, bool directed,
                 std::span<uint64_t> words);

extern template uint64_t fill_filter(std::span<const int64_t>, std::span<const uint32_t>, bool, std::span<uint64_t>);
extern template uint64_t fill_filter(std::span<const int64_t>, std::span<const int64_t>, bool, std::span<uint64_t>);

}  // namespace weft
