#include "walk.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "dispatch.h"
#include "philox.h"
#include "pool.h"

namespace weft {
namespace {

// So many walks step together: while one waits for memory the others are worked on.
constexpr size_t group_size = 64;

[[noreturn, gnu::cold, gnu::noinline]] void bad_row(uint64_t node, uint64_t edges) {
    throw std::invalid_argument("walk: the graph is damaged: the row of node " + std::to_string(node) +
                                " in indptr does not lie within the " + std::to_string(edges) +
                                " edges or is 2**32 edges long or more; import the graph again");
}

[[noreturn, gnu::cold, gnu::noinline]] void bad_node(uint64_t node, uint64_t nodes) {
    throw std::invalid_argument("walk: the graph is damaged: indices hold node " + std::to_string(node) + " of " +
                                std::to_string(nodes) + "; import the graph again");
}

[[noreturn, gnu::cold, gnu::noinline]] void bad_start(uint64_t start, uint64_t nodes) {
    throw std::invalid_argument("walk: starts hold node " + std::to_string(start) + " of " + std::to_string(nodes));
}

[[noreturn, gnu::cold, gnu::noinline]] void bad_slot(uint64_t node) {
    throw std::invalid_argument("walk: the alias table does not belong to the graph: a slot of node " +
                                std::to_string(node) + " points out of its row; build the table again");
}

// The walks of one group, a column each.
template <typename Id>
struct Group {
    alignas(64) std::array<Id, group_size> at;
    alignas(64) std::array<const Id*, group_size> next;
    alignas(64) std::array<const uint64_t*, group_size> slot;
    alignas(64) std::array<uint64_t, group_size> product;
    alignas(64) std::array<std::array<uint32_t, group_size>, 4> words;
};

template <typename Id>
WEFT_INLINE void draw_words(Group<Id>& g, Key key, uint64_t item, uint32_t index) {
    // Always the full group, so that the loop has no remainder; words of absent walks are not used.
    for (size_t i = 0; i < group_size; ++i) {
        const Counter block = draw(key, item + i, index);
        for (size_t j = 0; j < 4; ++j) g.words[j][i] = block[j];
    }
}

struct RowOf {
    uint64_t begin;
    uint64_t degree;
};

template <typename Id>
WEFT_INLINE RowOf row_of(const WalkGraph<Id>& graph, Id node) {
    const uint64_t edges = graph.indices.size();
    const auto begin = static_cast<uint64_t>(graph.indptr[static_cast<size_t>(node)]);
    const uint64_t degree = static_cast<uint64_t>(graph.indptr[static_cast<size_t>(node) + 1]) - begin;
    // Unsigned: a negative begin or degree is a huge one.
    if (begin > edges || degree > edges - begin || degree > UINT32_MAX) [[unlikely]]
        bad_row(static_cast<uint64_t>(node), edges);
    return {begin, degree};
}

// Where each walk goes next. One without an out-edge reads its own place: it stays put, without a branch.
template <typename Id>
WEFT_INLINE void choose(const WalkGraph<Id>& graph, Group<Id>& g, size_t count, const uint32_t* words) {
    for (size_t i = 0; i < count; ++i) {
        const RowOf row = row_of(graph, g.at[i]);
        const Id* edge = graph.indices.data() + row.begin + bounded(words[i], row.degree);
        g.next[i] = row.degree ? edge : &g.at[i];
        __builtin_prefetch(g.next[i]);
    }
}

template <typename Id>
WEFT_INLINE void choose_weighted(const WalkGraph<Id>& graph, Group<Id>& g, size_t count, const uint32_t* words) {
    static constexpr uint64_t own_slot = 0;  // read by walks without an out-edge
    for (size_t i = 0; i < count; ++i) {
        const RowOf row = row_of(graph, g.at[i]);
        g.product[i] = words[i] * row.degree;
        g.slot[i] = row.degree ? graph.alias.data() + row.begin + (g.product[i] >> 32) : &own_slot;
        __builtin_prefetch(g.slot[i]);
    }
    for (size_t i = 0; i < count; ++i) {
        const RowOf row = row_of(graph, g.at[i]);
        const uint64_t slot = *g.slot[i];
        const uint64_t own = g.product[i] >> 32;
        const uint64_t edge = static_cast<uint32_t>(g.product[i]) < static_cast<uint32_t>(slot) ? own : slot >> 32;
        if (edge >= row.degree && row.degree) [[unlikely]] bad_slot(static_cast<uint64_t>(g.at[i]));
        g.next[i] = row.degree ? graph.indices.data() + row.begin + edge : &g.at[i];
        __builtin_prefetch(g.next[i]);
    }
}

template <typename Id, bool weighted>
WEFT_INLINE void walk_group(const WalkGraph<Id>& graph, const Id* starts, size_t count, size_t length, Key key,
                            uint64_t item, Id* out) {
    const uint64_t nodes = graph.indptr.size() - 1;
    const int64_t* indptr = graph.indptr.data();
    Group<Id> g;
    for (size_t i = 0; i < count; ++i) {
        const auto node = static_cast<uint64_t>(starts[i]);
        if (node >= nodes) [[unlikely]] bad_start(node, nodes);
        g.at[i] = starts[i];
        out[i * (length + 1)] = starts[i];
        __builtin_prefetch(indptr + node);
    }
    for (size_t step = 0; step < length; ++step) {
        if (step % 4 == 0) draw_words(g, key, item, static_cast<uint32_t>(step / 4));
        const uint32_t* words = g.words[step % 4].data();
        if constexpr (weighted)
            choose_weighted(graph, g, count, words);
        else
            choose(graph, g, count, words);
        for (size_t i = 0; i < count; ++i) {
            const Id node = *g.next[i];
            if (static_cast<uint64_t>(node) >= nodes) [[unlikely]] bad_node(static_cast<uint64_t>(node), nodes);
            __builtin_prefetch(indptr + node);
            g.at[i] = node;
            out[i * (length + 1) + step + 1] = node;
        }
    }
}

template <typename Id, bool weighted>
WEFT_INLINE void walk_range(const WalkGraph<Id>& graph, std::span<const Id> starts, size_t length, Key key,
                            uint64_t first, std::span<Id> out, size_t begin, size_t end) {
    for (size_t at = begin; at < end; at += group_size)
        walk_group<Id, weighted>(graph, starts.data() + at, std::min(group_size, end - at), length, key, first + at,
                                 out.data() + at * (length + 1));
}

// Clones cannot be templates.
#define WEFT_WALK_RANGE(NAME, ID, WEIGHTED)                                                                       \
    WEFT_CLONES void NAME(const WalkGraph<ID>& graph, std::span<const ID> starts, size_t length, Key key,         \
                          uint64_t first, std::span<ID> out, size_t begin, size_t end) {                          \
        walk_range<ID, WEIGHTED>(graph, starts, length, key, first, out, begin, end);                             \
    }
WEFT_WALK_RANGE(uniform_range, uint32_t, false)
WEFT_WALK_RANGE(uniform_range, int64_t, false)
WEFT_WALK_RANGE(weighted_range, uint32_t, true)
WEFT_WALK_RANGE(weighted_range, int64_t, true)
#undef WEFT_WALK_RANGE

template <typename Id>
void check_sizes(const WalkGraph<Id>& graph, std::span<const Id> starts, size_t length, std::span<Id> out) {
    if (graph.indptr.empty()) throw std::invalid_argument("walk: indptr must hold at least one element (got 0)");
    if (graph.weighted && graph.alias.size() != graph.indices.size())
        throw std::invalid_argument("walk: the alias table has " + std::to_string(graph.alias.size()) +
                                    " slots for " + std::to_string(graph.indices.size()) + " edges");
    if (out.size() != starts.size() * (length + 1))
        throw std::invalid_argument("walk: out must hold " + std::to_string(starts.size() * (length + 1)) +
                                    " elements (got " + std::to_string(out.size()) + ")");
}

}  // namespace

template <typename Id>
void random_walks(const WalkGraph<Id>& graph, std::span<const Id> starts, size_t length, uint64_t key,
                  uint64_t first, std::span<Id> out) {
    check_sizes(graph, starts, length, out);
    // Small chunks, so that a thread that is held up does not leave the others waiting.
    constexpr size_t chunk = 32 * group_size;
    parallel_for((starts.size() + chunk - 1) / chunk, [&](size_t i) {
        const size_t begin = i * chunk;
        const size_t end = std::min(starts.size(), begin + chunk);
        if (graph.weighted)
            weighted_range(graph, starts, length, key_of(key), first, out, begin, end);
        else
            uniform_range(graph, starts, length, key_of(key), first, out, begin, end);
    });
}

template void random_walks(const WalkGraph<uint32_t>&, std::span<const uint32_t>, size_t, uint64_t, uint64_t,
                           std::span<uint32_t>);
template void random_walks(const WalkGraph<int64_t>&, std::span<const int64_t>, size_t, uint64_t, uint64_t,
                           std::span<int64_t>);

}  // namespace weft
