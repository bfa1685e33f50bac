// Second-order random walks (node2vec: Grover and Leskovec, KDD 2016) by rejection (KnightKing: Yang et al.,
// SOSP 2019) on a graph in CSR form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "edge_filter.h"

namespace weft {

// What every walk shares. Id is uint32_t or int64_t.
template <typename Id>
struct SecondOrder {
    std::span<const int64_t> indptr;  // [N + 1]
    std::span<const Id> indices;      // [E], rising in every row
    std::span<const float> weight;    // [E], or empty: every edge weighs 1
    std::span<const uint64_t> alias;  // [E] as alias.h packs it; empty with weight
    std::span<const double> total;    // [N], sums of the weights of the edges that leave a node; empty with weight
    std::span<const float> peak;      // [N] as row_peaks has them; empty without weight
    EdgeFilter filter;                // of this graph
    bool directed;                    // else every edge has its reverse, of the same weight
    uint64_t parallel;                // the most edges from one node to one other
    double p, q;
};

// Writes starts.size() walks of `length` steps, start included, one after the other:
// out[i * (length + 1) + s]. Walk i draws from item first + i, so a batch may be cut anywhere; the README of
// weft.kernels.walk2 defines the draws. A node without an out-edge keeps its walk.
// Throws std::invalid_argument for sizes that do not fit and when the graph is damaged: a row outside of
// indices, a neighbour or start that is not a node, an alias slot outside of its row.
template <typename Id>
void second_order_walks(const SecondOrder<Id>& graph, std::span<const Id> starts, size_t length, uint64_t key,
                        uint64_t first, std::span<Id> out);

// For each row the largest weight of the edges to one node, rounded up. Throws std::invalid_argument for sizes that
// do not fit and a row that does not lie within the edges.
template <typename Id>
void row_peaks(std::span<const int64_t> indptr, std::span<const Id> indices, std::span<const float> weight,
               std::span<float> peak);

extern template void row_peaks(std::span<const int64_t>, std::span<const uint32_t>, std::span<const float>,
                               std::span<float>);
extern template void row_peaks(std::span<const int64_t>, std::span<const int64_t>, std::span<const float>,
                               std::span<float>);
extern template void second_order_walks(const SecondOrder<uint32_t>&, std::span<const uint32_t>, size_t, uint64_t,
                                        uint64_t, std::span<uint32_t>);
extern template void second_order_walks(const SecondOrder<int64_t>&, std::span<const int64_t>, size_t, uint64_t,
                                        uint64_t, std::span<int64_t>);

}  // namespace weft
