// Sampled rows of the matrix that DeepWalk factors: how often walks from a node meet each other node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weft {

struct PathGraph {
    std::span<const int64_t> indptr;    // [N + 1]
    std::span<const uint32_t> indices;  // [E]
    std::span<const float> weight;      // [E], or empty: every edge weighs 1
    std::span<const uint64_t> alias;    // [E] as alias.h packs it, or empty: every edge alike
    std::span<const double> out, in;    // [N], sums of the weights of the edges that leave and reach a node
};

struct PathSampling {
    double samples;   // walks over an edge that is not down-sampled
    double keep;      // an edge is walked over with probability keep * weight * (1 / out + 1 / in), at most 1
    uint32_t window;  // steps of a walk, the edge being the first
    uint64_t key;
};

// walks[u] = how many walks begin with an edge of node u. Throws std::invalid_argument for a damaged graph.
void path_counts(const PathGraph& graph, const PathSampling& how, std::span<int64_t> walks);

// Entries that one row can have: what path_rows needs room for.
size_t path_room(const PathGraph& graph, const PathSampling& how, size_t row, int64_t walks);

// Rows first .. first + degree.size() of the matrix, entries above 1 alone, by rising column. The entry of
// (u, v) is (how often the walks of u meet v, in units) * row_scale[u] * column_scale[v]. walks holds what
// path_counts gave for these rows. Gives the number of entries written to the front of columns and values;
// what lies behind, as far as path_room says, is overwritten.
size_t path_rows(const PathGraph& graph, const PathSampling& how, size_t first, std::span<const int64_t> walks,
                 std::span<const double> row_scale, std::span<const double> column_scale, std::span<int64_t> degree,
                 std::span<uint32_t> columns, std::span<float> values);

}  // namespace weft
