#include "walk2.h"

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>
#include <string>

#include "dispatch.h"
#include "philox.h"
#include "pool.h"
#include "walk2_group.h"

namespace weft {
namespace {

using namespace columns;

constexpr uint64_t nobody = ~uint64_t{0};  // the node before the first
constexpr uint32_t exact_lane = 1, keep_lane = 2;
constexpr uint64_t patience = 16;  // tries that fail, beside one an edge of the row, until all edges are looked at

[[noreturn, gnu::cold, gnu::noinline]] void refuse(const std::string& what) {
    throw std::invalid_argument("node2vec walk: " + what);
}

[[noreturn, gnu::cold, gnu::noinline]] void bad_row(uint64_t node, uint64_t edges) {
    refuse("the graph is damaged: the row of node " + std::to_string(node) + " in indptr does not lie within the " +
           std::to_string(edges) + " edges or is 2**32 edges long or more; import the graph again");
}

template <typename Id, bool weighted, bool shorter>
struct Walker {
    const SecondOrder<Id>& graph;
    const Bias bias;
    const Key key;
    const uint64_t nodes, edges;

    Walker(const SecondOrder<Id>& g, Key k)
        : graph(g), bias(g.p, g.q), key(k), nodes(g.indptr.size() - 1), edges(g.indices.size()) {}

    WEFT_INLINE void check_row(uint64_t node, uint64_t begin, uint64_t degree) const {
        if (begin > edges || degree > edges - begin || degree > UINT32_MAX) [[unlikely]] bad_row(node, edges);
    }

    // The walk enters its first node: its first step is of first order.
    WEFT_INLINE void begin_walk(Group<Id>& g, size_t i, Id start, size_t length, uint64_t item, Id* out) const {
        const auto node = static_cast<uint64_t>(start);
        if (node >= nodes) [[unlikely]]
            refuse("starts hold node " + std::to_string(node) + " of " + std::to_string(nodes));
        const auto begin = static_cast<uint64_t>(graph.indptr[node]);
        const uint64_t degree = static_cast<uint64_t>(graph.indptr[node + 1]) - begin;
        check_row(node, begin, degree);
        *out = start;
        g.out[i] = out + 1;
        g.node[i] = node;
        g.before[i] = nobody;
        g.left[i] = length;
        g.item[i] = item;
        g.block[i] = 0;
        g.failed[i] = 0;
        g.begin[i] = g.from[i] = g.in_begin[i] = begin;
        g.degree[i] = g.size[i] = g.in_size[i] = degree;
        g.in[i] = node;
        g.sum[i] = weighted ? graph.total[node] : real(degree);
        g.scale[i] = weighted ? real(degree) / g.sum[i] : 1;
        g.linked[i] = 0;
        g.total[i] = g.sum[i];
    }

    WEFT_INLINE void draw_words(Group<Id>& g) const {
        for (size_t i = 0; i < group_size; ++i) {
            const Counter block = draw(key, g.item[i], g.block[i]);
            for (size_t j = 0; j < 4; ++j) g.draws[j][i] = block[j];
        }
    }

    // Where the mass of each walk is hit: an edge of its row, an edge of the row of proposals, the way back.
    WEFT_INLINE void propose(Group<Id>& g, const uint32_t* draws) const {
        const double inverse = bias.inverse;
        for (size_t i = 0; i < group_size; ++i) {
            const uint64_t live = nonzero(g.left[i]) & nonzero(g.degree[i]);
            const double y = static_cast<double>(draws[i]) * 0x1p-32 * g.total[i];
            const double rest = y - g.sum[i];
            const uint64_t any = negative(rest) & live;
            const uint64_t linked = negative(rest - g.linked[i]) & ~any & live;
            const double place = pick(any, y, rest * inverse) * (weighted ? g.scale[i] : 1.0);
            const double slot = __builtin_floor(std::bit_cast<double>((any | linked) & std::bit_cast<uint64_t>(place)));
            const uint64_t last = pick(linked, g.size[i], g.degree[i]) - 1;
            const uint64_t found = whole(slot);
            g.within[i] = place - slot;
            g.edge[i] = (pick(linked, g.from[i], g.begin[i]) + pick(below(found, last), found, last)) & (any | linked);
            g.live[i] = live;
            g.tested[i] = linked;
            g.returns[i] = ~(any | linked);
        }
        if constexpr (weighted) weigh(g);
        for (size_t i = 0; i < group_size; ++i) __builtin_prefetch(&graph.indices[g.edge[i]], 0, 2);
    }

    // From the slot of an alias table to the edge.
    WEFT_INLINE void weigh(Group<Id>& g) const {
        for (size_t i = 0; i < group_size; ++i) __builtin_prefetch(&graph.alias[g.edge[i]], 0, 2);
        for (size_t i = 0; i < group_size; ++i) {
            const uint64_t slot = graph.alias[g.edge[i]];
            const uint64_t own = g.edge[i] - g.begin[i];
            const bool stands = g.within[i] < static_cast<double>(static_cast<uint32_t>(slot)) * 0x1p-32;
            const uint64_t edge = stands ? own : slot >> 32;
            if (g.returns[i]) continue;
            if (edge >= g.degree[i]) [[unlikely]]
                refuse("the alias table does not belong to the graph: a slot of node " + std::to_string(g.node[i]) +
                       " points out of its row; build the table again");
            g.edge[i] = g.begin[i] + edge;
        }
    }

    // Who is proposed, and what the filter says of it.
    WEFT_INLINE void look(Group<Id>& g) const {
        const uint64_t words = graph.filter.words.size();
        const uint64_t* const filter = graph.filter.words.data();
        for (size_t i = 0; i < group_size; ++i) g.next[i] = static_cast<uint64_t>(graph.indices[g.edge[i]]);
        const bool directed = graph.directed;
        for (size_t i = 0; i < group_size; ++i) {
            const uint64_t next = pick(g.returns[i], g.before[i], g.next[i]);
            const uint64_t h = EdgeFilter::hash(directed, g.in[i], next);
            g.next[i] = next;
            g.word[i] = EdgeFilter::place(h, words) & g.tested[i];
            g.mask[i] = EdgeFilter::mask(h);
        }
        for (size_t i = 0; i < group_size; ++i) __builtin_prefetch(filter + g.word[i], 0, 2);
        for (size_t i = 0; i < group_size; ++i) g.word[i] = filter[g.word[i]];
        const uint64_t near = bias.near ? ~uint64_t{0} : 0;
        for (size_t i = 0; i < group_size; ++i) {
            const uint64_t perhaps = g.tested[i] & ~nonzero((g.word[i] & g.mask[i]) ^ g.mask[i]);
            const uint64_t other = nonzero(g.next[i] ^ g.before[i]) | ~g.tested[i];
            const uint64_t taken = ~g.tested[i] | (~near & ~perhaps);
            g.moved[i] = taken & other & g.live[i] & 1;
            g.tested[i] = perhaps & other & g.live[i] & 1;
        }
    }

    // The way back as one edge among all, when it weighs less than they do.
    WEFT_INLINE void spare(Group<Id>& g, size_t j) const {
        for (size_t i = 0; i < group_size; ++i) {
            if (g.moved[i] && !g.returns[i] && g.next[i] == g.before[i] &&
                draw(key, g.item[i], g.block[i], keep_lane)[j] * 0x1p-32 >= bias.keep)
                g.moved[i] = 0;
        }
    }

    // Looks up the edges that the filter could not exclude.
    WEFT_INLINE void look_up(Group<Id>& g) const {
        size_t count = 0;
        for (size_t i = 0; i < group_size; ++i) {
            g.pending[count] = static_cast<uint32_t>(i);
            count += g.tested[i];
        }
        for (size_t k = 0; k < count; ++k) {
            const size_t i = g.pending[k];
            g.search[k] = {graph.indices.data() + g.in_begin[i], g.in_size[i], static_cast<Id>(g.next[i]), 0};
        }
        search_rows(g.search.data(), count, static_cast<double>(nodes));
        for (size_t k = 0; k < count; ++k) {
            const RowSearch<Id>& s = g.search[k];
            const bool linked = s.place < s.size && s.row[s.place] == s.node;
            g.moved[g.pending[k]] = linked == bias.near;
        }
    }

    // All edges of the node in turn, for a walk whose tries failed too often.
    [[gnu::noinline]] void choose_exactly(Group<Id>& g, size_t i) const {
        const Counter words = draw(key, g.item[i], g.block[i], exact_lane);
        const double u = static_cast<double>((uint64_t{words[0]} << 32 | words[1]) >> 11) * 0x1p-53;
        const auto node = g.before[i];
        const auto begin = static_cast<uint64_t>(graph.indptr[node]);
        const auto row = graph.indices.subspan(begin, static_cast<uint64_t>(graph.indptr[node + 1]) - begin);
        const auto walk_row = [&](auto&& visit) {
            auto at = row.begin();
            double sum = 0;
            for (uint64_t e = g.begin[i]; e < g.begin[i] + g.degree[i]; ++e) {
                const Id x = graph.indices[e];
                at = std::lower_bound(at, row.end(), x);  // both rows rise
                const bool linked = at != row.end() && *at == x;
                double mass = static_cast<uint64_t>(x) == node ? bias.back : linked == bias.near ? 1 + bias.extra : 1;
                if constexpr (weighted) mass *= static_cast<double>(graph.weight[e]);
                sum += mass;
                if (visit(e, mass, sum)) break;
            }
            return sum;
        };
        const double target = u * walk_row([](uint64_t, double, double) { return false; });
        walk_row([&](uint64_t e, double mass, double sum) {
            if (mass > 0) g.edge[i] = e;
            return sum > target;
        });
        g.next[i] = static_cast<uint64_t>(graph.indices[g.edge[i]]);
        g.returns[i] = 0;
    }

    // Writes where walks moved to, and asks for the rows there.
    WEFT_INLINE void move(Group<Id>& g, uint64_t tries, Id* sink) const {
        uint64_t lost = 0;
        for (size_t i = 0; i < group_size; ++i) {
            const uint64_t moved = 0 - g.moved[i];
            lost |= moved & ((0 - (g.next[i] >> 63)) | ~below(g.next[i] & (nobody >> 1), nodes));
            g.left[i] -= g.moved[i];
            g.failed[i] = (g.failed[i] + tries) & ~moved;
            g.before[i] = pick(moved, g.node[i], g.before[i]);
            g.node[i] = pick(moved, g.next[i], g.node[i]);
        }
        if (lost) [[unlikely]] {
            for (size_t i = 0; i < group_size; ++i)
                if (g.moved[i] && g.next[i] >= nodes)
                    refuse("the graph is damaged: indices hold node " + std::to_string(g.next[i]) + " of " +
                           std::to_string(nodes) + "; import the graph again");
        }
        for (size_t i = 0; i < group_size; ++i) {
            Id* const place = g.moved[i] ? g.out[i] : sink;
            *place = static_cast<Id>(g.next[i]);
            g.out[i] += g.moved[i];
            __builtin_prefetch(&graph.indptr[g.node[i]], 0, 2);
        }
    }

    // The rows that walks came to, and the masses there.
    WEFT_INLINE void arrive(Group<Id>& g) const {
        uint64_t bad = 0;
        for (size_t i = 0; i < group_size; ++i) {
            g.row[i] = static_cast<uint64_t>(graph.indptr[g.node[i]]);
            g.row_end[i] = static_cast<uint64_t>(graph.indptr[g.node[i] + 1]);
        }
        for (size_t i = 0; i < group_size; ++i) {
            const uint64_t degree = g.row_end[i] - g.row[i];
            bad |= (g.row[i] | g.row_end[i]) >> 63 | degree >> 32;
            bad |= below(edges, g.row_end[i] & ~(uint64_t{1} << 63)) & 1;
        }
        if (bad) [[unlikely]]
            for (size_t i = 0; i < group_size; ++i) check_row(g.node[i], g.row[i], g.row_end[i] - g.row[i]);
        if constexpr (weighted) {
            for (size_t i = 0; i < group_size; ++i) __builtin_prefetch(&graph.total[g.node[i]], 0, 2);
            ways_back(g);
        } else if (!shorter) {
            ways_back(g);
        }
        const double extra = bias.extra, more = bias.more;
        for (size_t i = 0; i < group_size; ++i) {
            const uint64_t moved = 0 - g.moved[i];
            const uint64_t begin = g.row[i], degree = g.row_end[i] - begin;
            // Linked nodes can be proposed from either row: the shorter one makes more hits.
            const uint64_t own = shorter ? ~below(g.degree[i], degree) : ~uint64_t{0};
            const uint64_t size = pick(own, degree, g.degree[i]);
            const double sum = weighted ? graph.total[g.node[i]] : real(degree);
            const double linked = (shorter ? real(size) : sum) * extra;
            const double back = shorter ? more : more * g.back[i];
            g.from[i] = pick(moved, pick(own, begin, g.begin[i]), g.from[i]);
            g.size[i] = pick(moved, size, g.size[i]);
            g.in[i] = pick(moved, pick(own, g.before[i], g.node[i]), g.in[i]);
            g.in_begin[i] = pick(moved, pick(own, g.begin[i], begin), g.in_begin[i]);
            g.in_size[i] = pick(moved, pick(own, g.degree[i], degree), g.in_size[i]);
            g.begin[i] = pick(moved, begin, g.begin[i]);
            g.degree[i] = pick(moved, degree, g.degree[i]);
            g.sum[i] = pick(moved, sum, g.sum[i]);
            if (weighted) g.scale[i] = pick(moved, real(degree) / sum, g.scale[i]);
            g.linked[i] = pick(moved, linked, g.linked[i]);
            g.total[i] = pick(moved, sum + linked + back, g.total[i]);
        }
    }

    // The weight of the edges from each node back to the one before.
    WEFT_INLINE void ways_back(Group<Id>& g) const {
        if (!graph.directed && graph.simple) {
            for (size_t i = 0; i < group_size; ++i) {
                if constexpr (!weighted)
                    g.back[i] = 1;
                else if (g.moved[i] && !g.returns[i])
                    g.back[i] = static_cast<double>(graph.weight[g.edge[i]]);
            }
            return;
        }
        const uint64_t* const filter = graph.filter.words.data();
        for (size_t i = 0; i < group_size; ++i) {
            const uint64_t h = EdgeFilter::hash(graph.directed, g.node[i], g.before[i]);
            g.word[i] = EdgeFilter::place(h, graph.filter.words.size());
            g.mask[i] = EdgeFilter::mask(h);
            __builtin_prefetch(filter + g.word[i], 0, 2);
        }
        size_t count = 0;
        for (size_t i = 0; i < group_size; ++i) {
            if (!g.moved[i]) continue;
            g.back[i] = 0;
            const uint64_t size = g.row_end[i] - g.row[i];
            if (bias.more <= 0 || size == 0 || (filter[g.word[i]] & g.mask[i]) != g.mask[i]) continue;
            g.pending[count] = static_cast<uint32_t>(i);
            g.search[count++] = {graph.indices.data() + g.row[i], size, static_cast<Id>(g.before[i]), 0};
        }
        search_rows(g.search.data(), count, static_cast<double>(nodes));
        const auto edge_of = [&](const Id* at) { return static_cast<size_t>(at - graph.indices.data()); };
        if constexpr (weighted)
            for (size_t k = 0; k < count; ++k)
                __builtin_prefetch(graph.weight.data() + edge_of(g.search[k].row) + g.search[k].place, 0, 2);
        for (size_t k = 0; k < count; ++k) {
            const RowSearch<Id>& s = g.search[k];
            double sum = 0;
            for (const Id* at = s.row + s.place; at < s.row + s.size && *at == s.node; ++at)
                sum += weighted ? static_cast<double>(graph.weight[edge_of(at)]) : 1.0;
            g.back[g.pending[k]] = sum;
        }
    }

    WEFT_INLINE void walk(const Id* starts, size_t count, size_t length, uint64_t first, Id* out) const {
        Group<Id> g{};
        Id sink{};
        size_t begun = 0;
        for (bool busy = true; busy;) {
            busy = false;
            bool late = false;
            for (size_t i = 0; i < group_size; ++i) {
                if (g.left[i] > 0 && g.degree[i] == 0)  // no way on: it stays where it is
                    for (; g.left[i] > 0; --g.left[i]) *g.out[i]++ = static_cast<Id>(g.node[i]);
                while (g.left[i] == 0 && begun < count) {
                    begin_walk(g, i, starts[begun], length, first + begun, out + begun * (length + 1));
                    ++begun;
                    if (g.degree[i] == 0)
                        for (; g.left[i] > 0; --g.left[i]) *g.out[i]++ = static_cast<Id>(g.node[i]);
                }
                busy |= g.left[i] > 0;
                late |= g.left[i] > 0 && g.failed[i] >= patience + g.degree[i];
            }
            if (!busy) break;
            if (late) {
                for (size_t i = 0; i < group_size; ++i) {
                    g.moved[i] = g.left[i] > 0 && g.failed[i] >= patience + g.degree[i];
                    if (g.moved[i]) choose_exactly(g, i);
                }
                move(g, 0, &sink);
                arrive(g);
            }
            draw_words(g);
            for (size_t j = 0; j < 4; ++j) {
                propose(g, g.draws[j].data());
                look(g);
                if (bias.keep < 1) spare(g, j);
                look_up(g);
                move(g, 1, &sink);
                arrive(g);
            }
            for (size_t i = 0; i < group_size; ++i) ++g.block[i];
        }
    }
};

// Clones cannot be templates.
#define WEFT_WALK_RANGE(NAME, ID, WEIGHTED, SHORTER)                                                              \
    WEFT_CLONES void NAME(const SecondOrder<ID>& graph, std::span<const ID> starts, size_t length, Key key,       \
                          uint64_t first, std::span<ID> out) {                                                    \
        Walker<ID, WEIGHTED, SHORTER>(graph, key).walk(starts.data(), starts.size(), length, first, out.data());  \
    }
WEFT_WALK_RANGE(shorter_range, uint32_t, false, true)
WEFT_WALK_RANGE(shorter_range, int64_t, false, true)
WEFT_WALK_RANGE(uniform_range, uint32_t, false, false)
WEFT_WALK_RANGE(uniform_range, int64_t, false, false)
WEFT_WALK_RANGE(weighted_range, uint32_t, true, false)
WEFT_WALK_RANGE(weighted_range, int64_t, true, false)
#undef WEFT_WALK_RANGE

template <typename Id>
void check_sizes(const SecondOrder<Id>& graph, size_t starts, size_t length, size_t out) {
    const bool weighted = !graph.weight.empty();
    if (graph.indptr.empty()) refuse("indptr must hold at least one element (got 0)");
    if (graph.filter.words.empty()) refuse("the filter of edges must hold at least one word (got 0)");
    if (weighted && (graph.weight.size() != graph.indices.size() || graph.alias.size() != graph.indices.size() ||
                     graph.total.size() + 1 != graph.indptr.size()))
        refuse("weights, alias table and sums must fit the graph");
    if (!(graph.p > 0) || !(graph.q > 0)) refuse("p and q must be above 0");
    if (out != starts * (length + 1))
        refuse("out must hold " + std::to_string(starts * (length + 1)) + " elements (got " + std::to_string(out) +
               ")");
}

}  // namespace

template <typename Id>
void second_order_walks(const SecondOrder<Id>& graph, std::span<const Id> starts, size_t length, uint64_t key,
                        uint64_t first, std::span<Id> out) {
    check_sizes(graph, starts.size(), length, out.size());
    // As many walks as keep the lanes of a group busy, the last of them aside.
    const size_t chunk = std::clamp<size_t>(starts.size() / (4 * static_cast<size_t>(num_threads())), 16 * group_size,
                                            64 * group_size);
    parallel_for((starts.size() + chunk - 1) / chunk, [&](size_t i) {
        const size_t begin = i * chunk;
        const auto some = starts.subspan(begin, std::min(chunk, starts.size() - begin));
        const auto room = out.subspan(begin * (length + 1), some.size() * (length + 1));
        if (!graph.weight.empty())
            weighted_range(graph, some, length, key_of(key), first + begin, room);
        else if (graph.simple && !graph.directed && graph.q > 1)
            shorter_range(graph, some, length, key_of(key), first + begin, room);
        else
            uniform_range(graph, some, length, key_of(key), first + begin, room);
    });
}

template void second_order_walks(const SecondOrder<uint32_t>&, std::span<const uint32_t>, size_t, uint64_t, uint64_t,
                                 std::span<uint32_t>);
template void second_order_walks(const SecondOrder<int64_t>&, std::span<const int64_t>, size_t, uint64_t, uint64_t,
                                 std::span<int64_t>);

}  // namespace weft
