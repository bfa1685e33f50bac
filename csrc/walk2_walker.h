// Second-order walks in stages: while memory answers one group of walks the others are worked on.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <span>
#include <string>

#include "dispatch.h"
#include "philox.h"
#include "walk2.h"
#include "walk2_group.h"
#include "walk2_tries.h"

namespace weft::columns {

constexpr uint32_t exact_lane = 1;
constexpr uint64_t patience = 16;   // tries that fail, beside one an edge of the row, until all edges are looked at
constexpr size_t share_size = 256;  // walks that a thread takes at a time
constexpr size_t ahead = 16;        // so many walks before it begins, what one reads is asked for

// The walks of a call.
template <typename Id>
struct Batch {
    std::span<const Id> starts;
    size_t length;
    uint64_t first;
    std::span<Id> out;
    std::atomic<size_t> taken{0};
};

template <typename Id, Kind kind>
class Walker : Tries<Id, kind> {
    using Base = Tries<Id, kind>;
    using typename Base::Node, typename Base::Row, typename Base::Scratch;
    using Base::bias_, Base::graph_, Base::key_, Base::known_, Base::shorter, Base::weighted;

public:
    Walker(const SecondOrder<Id>& graph, Key key, Batch<Id>& batch)
        : Base(graph, key), nodes_(graph.indptr.size() - 1), edges_(graph.indices.size()), batch_(batch) {}

    // Every group goes through the stages in turn, one stage a round; none is in the stage of another.
    WEFT_INLINE void walk() {
        // Local, so that GCC sees that no column overlaps another.
        constexpr size_t stages = weighted ? 5 : 4;
        std::array<Group<Id>, stages> groups{};
        Scratch s{};
        for (Group<Id>& g : groups) {
            g.search = RowSearches<Id, group_size>(nodes_);
            g.at.at.fill(&s.sink);
        }
        for (size_t round = 0, idle = 0; idle < stages; ++round) {
            const auto at = [&](size_t stage) -> Group<Id>& { return groups[(round + stages - stage) % stages]; };
            Group<Id>& first = at(0);
            if (first.busy) advance(first, s);
            if (first.tries % 4 == 0) renew(first, s);
            if (first.busy) this->propose(first, s);
            idle = first.busy ? 0 : idle + 1;
            if (Group<Id>& g = at(stages - 1); g.busy) this->narrow(g);
            s.fetches.next();
            if constexpr (weighted)
                if (Group<Id>& g = at(1); g.busy) this->weigh(g, s);
            if (Group<Id>& g = at(stages - 3); g.busy) this->look(g, s);
            if (Group<Id>& g = at(stages - 2); g.busy) this->test(g, s);
        }
    }

private:
    // Walks whose try was taken go on to the next node and its row.
    WEFT_INLINE void advance(Group<Id>& g, Scratch& s) const {
        g.search.ask([&](uint32_t i, bool linked, const Id* near) {
            if (!shorter && this->elsewhere(g, i))
                g.moved[i] = linked && this->weighs_enough(g, i, near);
            else
                g.moved[i] = linked == bias_.near;
        });
        s.fetches.next();
        const size_t j = (g.tries - 1) % 4;
        const auto indptr = reinterpret_cast<uintptr_t>(graph_.indptr.data());
        const auto none = reinterpret_cast<uintptr_t>(&s.no_row);
        Node worst = 0;
#pragma GCC ivdep
        for (size_t i = 0; i < group_size; ++i) {
            const Node moved = Node{0} - static_cast<Node>(g.moved[i]);
            const Node node = pick(moved, g.next[i], g.node[i]);
            worst = std::max<Node>(worst, moved & g.next[i]);
            g.before[i] = pick(moved, g.node[i], g.before[i]);
            g.node[i] = node;
            g.nodes[j][i] = node;
            // The row of one that has not moved is known, and no longer in the cache.
            g.wanted[i] = pick(wide(static_cast<uint32_t>(moved)), indptr + 8 * static_cast<uint64_t>(node), none);
        }
        if (worst >= nodes_) [[unlikely]] lost(worst);
#pragma GCC unroll 16
        for (size_t i = 0; i < group_size; ++i)
            std::memcpy(&s.row[i], reinterpret_cast<const void*>(g.wanted[i]), sizeof(Row));
        s.fetches.next();
#pragma GCC ivdep
        for (size_t i = 0; i < group_size; ++i) {
            const uint32_t moved = 0 - g.moved[i];
            g.left[i] -= g.moved[i];
            g.failed[i] = (g.failed[i] + 1) & ~moved;
            g.moves[j][i] = static_cast<uint8_t>(g.moved[i] * sizeof(Id));
            g.degree_before[i] = pick(moved, g.degree[i], g.degree_before[i]);
            g.begin_before[i] = pick(wide(moved), g.begin[i], g.begin_before[i]);
        }
        uint64_t bad = 0;
        for (size_t i = 0; i < group_size; ++i) {
            const auto begin = static_cast<uint64_t>(s.row[i].begin), end = static_cast<uint64_t>(s.row[i].end);
            const uint64_t degree = end - begin;
            const uint32_t moved = 0 - g.moved[i];
            bad |= degree >> 32 | (begin | (edges_ - end)) >> 63;
            g.begin[i] = pick(wide(moved), begin, g.begin[i]);
            g.degree[i] = pick(moved, static_cast<uint32_t>(degree), g.degree[i]);
        }
        if (bad) [[unlikely]]
            for (size_t i = 0; i < group_size; ++i) row_of(g.node[i]);
        if constexpr (weighted) {
            for (size_t i = 0; i < group_size; ++i) g.sum[i] = graph_.total[g.node[i]];
            for (size_t i = 0; i < group_size; ++i) g.peak[i] = graph_.peak[g.node[i]];
            for (size_t i = 0; i < group_size; ++i) g.scale[i] = real(g.degree[i]) / g.sum[i];
            for (size_t i = 0; i < group_size; ++i) g.unit[i] = 1 / g.peak[i];
            for (size_t i = 0; i < group_size; ++i)
                if (!known_)
                    g.back[i] = g.peak[i];
                else if (g.moved[i] && g.drawn[i])  // else it went back where it came from
                    g.back[i] = graph_.weight[g.edge[i]];
        }
    }

    // Writes out, sees to walks whose tries all fail or that cannot go on, and begins others for those that ended.
    WEFT_INLINE void renew(Group<Id>& g, Scratch& s) {
        if (g.tries > 0 && !g.busy) return;  // it has ended
#pragma GCC unroll 16
        for (size_t i = 0; i < group_size; ++i) {
            // One that has not moved writes its node again.
            auto* at = reinterpret_cast<std::byte*>(g.at[i]);
#pragma GCC unroll 4
            for (size_t j = 0; j < 4; ++j) {
                const auto node = static_cast<Id>(g.nodes[j][i]);
                at += g.moves[j][i];
                std::memcpy(at, &node, sizeof node);
            }
            g.at[i] = reinterpret_cast<Id*>(at);
            __builtin_prefetch(at + 64, 1, 2);
        }
        for (size_t i = 0; i < group_size; ++i) {
            const uint32_t ended = ~(nonzero(g.left[i]) & nonzero(g.degree[i]));
            s.flag[i] = static_cast<uint8_t>((ended | ~below(g.failed[i], patience + g.degree[i])) & 1);
        }
        for (uint64_t bits = bits_of(s.flag); bits; bits &= bits - 1) {
            const auto i = static_cast<size_t>(std::countr_zero(bits));
            if (g.left[i] > 0 && g.degree[i] > 0) [[unlikely]] choose_exactly(g, i);
            stay(g, i);
            while (g.left[i] == 0 && take()) begin_walk(g, i);
            if (g.left[i] > 0) s.flag[i] = 0;
        }
        g.busy = bits_of(s.flag) != ~uint64_t{0};
    }

    // Whether there is another walk to begin.
    WEFT_INLINE bool take() {
        if (begun_ < until_) return true;
        const size_t count = batch_.starts.size();
        if (batch_.taken.load(std::memory_order_relaxed) >= count) return false;
        begun_ = batch_.taken.fetch_add(share_size, std::memory_order_relaxed);
        until_ = std::min(begun_ + share_size, count);
        for (size_t walk = begun_; walk < std::min(begun_ + ahead, until_); ++walk) expect(walk);
        return begun_ < until_;
    }

    WEFT_INLINE void expect(size_t walk) const {
        __builtin_prefetch(graph_.indptr.data() + batch_.starts[walk], 0, 2);
        __builtin_prefetch(batch_.out.data() + walk * (batch_.length + 1), 1, 2);
    }

    // The walk enters its first node: its first step is of first order.
    WEFT_INLINE void begin_walk(Group<Id>& g, size_t i) {
        const size_t walk = begun_++;
        expect(std::min(walk + ahead, until_ - 1));
        const auto node = static_cast<Node>(batch_.starts[walk]);
        if (node >= nodes_) [[unlikely]]
            refuse("starts hold node " + std::to_string(node) + " of " + std::to_string(nodes_));
        g.at[i] = batch_.out.data() + walk * (batch_.length + 1);
        *g.at[i] = static_cast<Id>(node);
        g.left[i] = static_cast<uint32_t>(batch_.length);
        g.item[i] = batch_.first + walk;
        g.block[i] = 0;
        g.degree[i] = 0;
        enter(g, i, node);
        stay(g, i);
    }

    WEFT_INLINE void enter(Group<Id>& g, size_t i, Node node) const {
        const Row row = row_of(node);
        g.before[i] = g.node[i];
        g.begin_before[i] = g.begin[i];
        g.degree_before[i] = g.degree[i];
        g.node[i] = node;
        g.begin[i] = static_cast<uint64_t>(row.begin);
        g.degree[i] = static_cast<uint32_t>(row.end - row.begin);
        g.failed[i] = 0;
        if constexpr (weighted) {
            g.sum[i] = graph_.total[node];
            g.scale[i] = real(g.degree[i]) / g.sum[i];
            g.peak[i] = graph_.peak[node];
            g.unit[i] = 1 / g.peak[i];
            g.back[i] = g.peak[i];
        }
    }

    // A walk that cannot go on stays where it is.
    WEFT_INLINE void stay(Group<Id>& g, size_t i) const {
        if (g.degree[i] == 0)
            for (; g.left[i] > 0; --g.left[i]) *++g.at[i] = static_cast<Id>(g.node[i]);
    }

    // All edges of the node in turn, for a walk whose tries failed too often.
    [[gnu::noinline]] void choose_exactly(Group<Id>& g, size_t i) const {
        const Counter words = draw(key_, g.item[i], g.block[i], exact_lane);
        const double u = static_cast<double>((uint64_t{words[0]} << 32 | words[1]) >> 11) * 0x1p-53;
        const auto node = static_cast<Id>(g.before[i]);
        const auto row = graph_.indices.subspan(g.begin_before[i], g.degree_before[i]);
        const auto walk_row = [&](auto&& visit) {
            auto at = row.begin();
            double sum = 0;
            for (uint64_t e = g.begin[i]; e < g.begin[i] + g.degree[i]; ++e) {
                const Id x = graph_.indices[e];
                at = std::lower_bound(at, row.end(), x);  // both rows rise
                const bool linked = at != row.end() && *at == x;
                double mass = x == node ? bias_.back : linked == bias_.near ? 1 + bias_.extra : 1;
                if constexpr (weighted) mass *= static_cast<double>(graph_.weight[e]);
                sum += mass;
                if (visit(e, mass, sum)) break;
            }
            return sum;
        };
        const double target = u * walk_row([](uint64_t, double, double) { return false; });
        uint64_t edge = g.begin[i];
        walk_row([&](uint64_t e, double mass, double sum) {
            if (mass > 0) edge = e;
            return sum > target;
        });
        const auto next = static_cast<Node>(graph_.indices[edge]);
        if (next >= nodes_) [[unlikely]] lost(next);
        enter(g, i, next);
        --g.left[i];
        *++g.at[i] = static_cast<Id>(next);
        if constexpr (weighted)
            if (known_) g.back[i] = graph_.weight[edge];
    }

    Row row_of(Node node) const {
        const int64_t begin = graph_.indptr[node], end = graph_.indptr[node + 1];
        if (begin < 0 || end < begin || static_cast<uint64_t>(end) > edges_ || end - begin > UINT32_MAX) [[unlikely]]
            refuse("the graph is damaged: the row of node " + std::to_string(node) +
                   " in indptr does not lie within the " + std::to_string(edges_) +
                   " edges or is 2**32 edges long or more; import the graph again");
        return {begin, end};
    }

    [[noreturn, gnu::cold, gnu::noinline]] void lost(Node node) const {
        refuse("the graph is damaged: indices hold node " + std::to_string(node) + " of " + std::to_string(nodes_) +
               "; import the graph again");
    }

    const uint64_t nodes_, edges_;
    Batch<Id>& batch_;
    size_t begun_ = 0, until_ = 0;
};

}  // namespace weft::columns
