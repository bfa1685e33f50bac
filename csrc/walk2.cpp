#include "walk2.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "dispatch.h"
#include "philox.h"
#include "pool.h"
#include "walk2_walker.h"

namespace weft {
namespace {

using columns::Batch;
using columns::group_size;
using columns::Kind;
using columns::refuse;
using columns::Walker;

// Clones cannot be templates.
#define WEFT_WALK_BATCH(NAME, ID, KIND)                                                \
    WEFT_CLONES void NAME(const SecondOrder<ID>& graph, Key key, Batch<ID>& batch) {   \
        Walker<ID, Kind::KIND>(graph, key, batch).walk();                              \
    }
WEFT_WALK_BATCH(undirected_walks, uint32_t, undirected)
WEFT_WALK_BATCH(undirected_walks, int64_t, undirected)
WEFT_WALK_BATCH(directed_walks, uint32_t, directed)
WEFT_WALK_BATCH(directed_walks, int64_t, directed)
WEFT_WALK_BATCH(uniform_walks, uint32_t, uniform)
WEFT_WALK_BATCH(uniform_walks, int64_t, uniform)
WEFT_WALK_BATCH(weighted_walks, uint32_t, weighted)
WEFT_WALK_BATCH(weighted_walks, int64_t, weighted)
#undef WEFT_WALK_BATCH

template <typename Id>
void check_sizes(const SecondOrder<Id>& graph, size_t starts, size_t length, size_t out) {
    const bool weighted = !graph.weight.empty();
    if (graph.indptr.empty()) refuse("indptr must hold at least one element (got 0)");
    if (graph.filter.words.empty()) refuse("the filter of edges must hold at least one word (got 0)");
    if (weighted && (graph.weight.size() != graph.indices.size() || graph.alias.size() != graph.indices.size() ||
                     graph.total.size() + 1 != graph.indptr.size() || graph.peak.size() != graph.total.size()))
        refuse("weights, alias table, sums and peaks must fit the graph");
    if (!(graph.p > 0) || !(graph.q > 0)) refuse("p and q must be above 0");
    if (length > UINT32_MAX) refuse("walks must be shorter than 2**32 steps (got " + std::to_string(length) + ")");
    if (out != starts * (length + 1))
        refuse("out must hold " + std::to_string(starts * (length + 1)) + " elements (got " + std::to_string(out) +
               ")");
}

}  // namespace

template <typename Id>
void second_order_walks(const SecondOrder<Id>& graph, std::span<const Id> starts, size_t length, uint64_t key,
                        uint64_t first, std::span<Id> out) {
    check_sizes(graph, starts.size(), length, out.size());
    Batch<Id> batch{starts, length, first, out};
    // Fewer threads than there are where the groups of all would not be full.
    const size_t full = std::max<size_t>(1, starts.size() / (8 * group_size));
    parallel_for(std::min(full, static_cast<size_t>(num_threads())), [&](size_t) {
        try {
            if (!graph.weight.empty())
                weighted_walks(graph, key_of(key), batch);
            else if (graph.parallel > 1 || graph.q <= 1)
                uniform_walks(graph, key_of(key), batch);
            else if (graph.directed)
                directed_walks(graph, key_of(key), batch);
            else
                undirected_walks(graph, key_of(key), batch);
        } catch (...) {
            batch.taken = starts.size();  // the other threads end soon
            throw;
        }
    });
}

template <typename Id>
void row_peaks(std::span<const int64_t> indptr, std::span<const Id> indices, std::span<const float> weight,
               std::span<float> peak) {
    if (weight.size() != indices.size() || peak.size() + 1 != indptr.size())
        throw std::invalid_argument("row peaks: weights and peaks must fit the graph (got " +
                                    std::to_string(weight.size()) + " and " + std::to_string(peak.size()) + ")");
    parallel_ranges(peak.size(), 1024, [&](size_t first, size_t last) {
        for (size_t u = first; u < last; ++u) {
            const int64_t begin = indptr[u], end = indptr[u + 1];
            if (begin < 0 || end < begin || static_cast<uint64_t>(end) > indices.size())
                throw std::invalid_argument("row peaks: the graph is damaged: the row of node " + std::to_string(u) +
                                            " does not lie within the edges; import the graph again");
            double most = 0, sum = 0;
            for (auto e = static_cast<size_t>(begin); e < static_cast<size_t>(end); ++e) {
                const bool same = e > static_cast<size_t>(begin) && indices[e] == indices[e - 1];
                sum = static_cast<double>(weight[e]) + (same ? sum : 0);
                most = std::max(most, sum);
            }
            const auto peak_u = static_cast<float>(most);
            peak[u] = static_cast<double>(peak_u) < most ? std::nextafter(peak_u, INFINITY) : peak_u;
        }
    });
}

template void row_peaks(std::span<const int64_t>, std::span<const uint32_t>, std::span<const float>,
                        std::span<float>);
template void row_peaks(std::span<const int64_t>, std::span<const int64_t>, std::span<const float>,
                        std::span<float>);
template void second_order_walks(const SecondOrder<uint32_t>&, std::span<const uint32_t>, size_t, uint64_t, uint64_t,
                                 std::span<uint32_t>);
template void second_order_walks(const SecondOrder<int64_t>&, std::span<const int64_t>, size_t, uint64_t, uint64_t,
                                 std::span<int64_t>);

}  // namespace weft
