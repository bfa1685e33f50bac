// Neighbour sampling, hop by hop (GraphSAGE: Hamilton, Ying, Leskovec, NIPS 2017), on one or many relations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "growing.h"

namespace weft {

// Edges between two types of nodes, in rows by the node that they are sampled for.
template <typename Id>
struct Relation {
    std::span<const int64_t> indptr;  // [rows + 1]
    std::span<const Id> indices;      // [E], the nodes sampled
    std::span<const float> weight;    // [E], or empty: every edge alike
    std::span<const uint64_t> alias;  // [E] as alias.h packs it; empty without weight
    size_t from, into;                // types of the nodes sampled and of those that they are sampled for
    uint64_t nodes;                   // of type `from`
    std::span<const int64_t> fanout;  // [H], edges for a node at each hop; below 0: all
};

struct NeighborOptions {
    uint64_t key;
    uint32_t batch;   // its number: other batches draw other neighbours
    bool replace;     // an edge may be drawn twice
    bool disjoint;    // every seed has a tree of its own, in which nodes do not meet those of others
};

// What was sampled, by type and by relation. Nodes are numbered within the batch, type by type: the seeds, then
// others as they were found.
template <typename Id>
struct Neighborhood {
    struct Nodes {
        Growing<Id> id;
        Growing<int64_t> tree;        // the number of the seed, when disjoint
        std::vector<int64_t> of_hop;  // [H + 1], how many were found; seeds first
    };
    struct Edges {
        Growing<int64_t> row, col;    // numbers of the node sampled and of the node it was sampled for
        Growing<int64_t> edge;        // where in indices
        std::vector<int64_t> of_hop;  // [H]
    };
    std::vector<Nodes> nodes;
    std::vector<Edges> edges;
};

// Samples for the seeds of each type. The README of weft.kernels.neighbor defines the draws. Throws
// std::invalid_argument for a seed or neighbour that is not a node, and for a damaged row or alias table.
template <typename Id>
Neighborhood<Id> sample_neighbors(std::span<const Relation<Id>> relations, std::span<const std::span<const Id>> seeds,
                                  const NeighborOptions& options);

extern template Neighborhood<uint32_t> sample_neighbors(std::span<const Relation<uint32_t>>,
                                                        std::span<const std::span<const uint32_t>>,
                                                        const NeighborOptions&);
extern template Neighborhood<int64_t> sample_neighbors(std::span<const Relation<int64_t>>,
                                                       std::span<const std::span<const int64_t>>,
                                                       const NeighborOptions&);

}  // namespace weft
