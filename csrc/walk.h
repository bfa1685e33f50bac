// First-order random walks on a graph in CSR form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weft {

// What every walk shares. Id is uint32_t or int64_t.
template <typename Id>
struct WalkGraph {
    std::span<const int64_t> indptr;   // [N + 1]
    std::span<const Id> indices;       // [E]
    std::span<const uint64_t> alias;   // [E] as alias.h packs it, or empty: every edge alike
    bool weighted = false;
};

// Writes starts.size() walks of `length` steps, start included, one after the other:
// out[i * (length + 1) + s]. Walk i draws from item first + i, so a batch may be cut anywhere.
// A node without an out-edge keeps its walk. Throws std::invalid_argument when the graph is damaged: a
// row outside of indices, a neighbour or start that is not a node, an alias slot outside of its row.
template <typename Id>
void random_walks(const WalkGraph<Id>& graph, std::span<const Id> starts, size_t length, uint64_t key,
                  uint64_t first, std::span<Id> out);

extern template void random_walks(const WalkGraph<uint32_t>&, std::span<const uint32_t>, size_t, uint64_t,
                                  uint64_t, std::span<uint32_t>);
extern template void random_walks(const WalkGraph<int64_t>&, std::span<const int64_t>, size_t, uint64_t,
                                  uint64_t, std::span<int64_t>);

}  // namespace weft
