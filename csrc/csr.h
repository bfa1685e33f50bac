// Edges to compressed rows: scatter into buckets of consecutive sources, then sort each bucket.
//
// An edge travels as one 64-bit key, (source within its bucket) << dst_bits | destination, so that a
// bucket is sorted by one radix sort whatever the graph. The result depends on the input order alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weft {

enum class Duplicates { keep, drop, sum };

struct Bucketing {
    uint64_t num_nodes;
    int shift;     // bucket of an edge = source >> shift
    int dst_bits;  // enough for num_nodes - 1; shift + dst_bits <= 64
    bool both_ways;
    bool drop_loops;

    size_t buckets() const { return static_cast<size_t>((num_nodes + (uint64_t{1} << shift) - 1) >> shift); }
};

// Writes the keys of the edges grouped by bucket, in input order within one (an edge, then its reverse),
// and the bounds of the groups to offsets [buckets + 1]. keys holds one place per edge, two when both_ways.
// weight and weights are both empty for an unweighted graph. Throws std::out_of_range for a foreign id.
template <typename Id>
void scatter_edges(std::span<const Id> src, std::span<const Id> dst, std::span<const float> weight,
                   const Bucketing& how, std::span<int64_t> offsets, std::span<uint64_t> keys,
                   std::span<float> weights);

// A run of scattered edges: bucket b of the run is keys[offsets[b], offsets[b + 1]) - offsets[0].
struct Run {
    std::span<const uint64_t> keys;
    std::span<const float> weights;
    std::span<const int64_t> offsets;
};

// Sorts consecutive buckets, taking the runs one after another. Bucket b is written to indices and weights
// from place `sum of the sizes of the buckets before it`; counts[b] says how many edges are left of it.
// degree [rows] receives the edges of each row of these buckets. weights is empty when the result has none.
template <typename Index>
void sort_buckets(std::span<const Run> runs, int shift, int dst_bits, Duplicates duplicates,
                  std::span<int64_t> degree, std::span<Index> indices, std::span<float> weights,
                  std::span<int64_t> counts);

// out[i] = whether dst[i] is in the rising row of src[i]. Throws std::out_of_range for a foreign node or row.
template <typename Index>
void has_edges(std::span<const int64_t> indptr, std::span<const Index> indices, std::span<const int64_t> src,
               std::span<const int64_t> dst, std::span<uint8_t> out);

// out[e] = the row of edge e. Throws std::out_of_range when indptr does not rise from 0 to the number of edges.
template <typename Index>
void expand_rows(std::span<const int64_t> indptr, std::span<Index> out);

}  // namespace weft
