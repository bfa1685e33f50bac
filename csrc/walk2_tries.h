// The tries of second-order walks: what is proposed, asked of the filter and looked up.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>

#include "dispatch.h"
#include "philox.h"
#include "walk2.h"
#include "walk2_group.h"

namespace weft::columns {

constexpr uint32_t keep_lane = 2;

[[noreturn, gnu::cold, gnu::noinline]] inline void refuse(const std::string& what) {
    throw std::invalid_argument("node2vec walk: " + what);
}

// What the kernel is compiled for. The first two: without weights and parallel edges, and q > 1.
enum class Kind { undirected, directed, uniform, weighted };

template <typename Id, Kind kind>
class Tries {
protected:
    static constexpr bool weighted = kind == Kind::weighted;
    // Linked nodes are proposed from the row of the node or of the one before, whichever has less mass. With weights
    // this is told at run time.
    static constexpr bool shorter = kind == Kind::undirected || kind == Kind::directed;
    using Node = typename Group<Id>::Node;

    Tries(const SecondOrder<Id>& graph, Key key)
        : graph_(graph), bias_(graph.p, graph.q), key_(key), known_(!graph.directed && graph.parallel <= 1),
          turns_(shorter || (graph.parallel <= 1 && graph.q > 1)) {}

    struct Row {
        int64_t begin, end;
    };

    // What stages share, and what one of them needs for itself.
    struct Scratch {
        Column<Row> row;
        Column<uint64_t> word;
        Column<uint8_t> flag;
        Fetches fetches;
        Row no_row{};
        Id sink{};  // of the lanes that never had a walk
    };

    // Where the mass of each walk is hit: an edge of its row, an edge of the row of proposals, the way back.
    WEFT_INLINE void propose(Group<Id>& g, Scratch& s) const {
        if (g.tries % 4 == 0) draw_words(g);
        s.fetches.next();
        const uint32_t* const draws = g.draws[g.tries++ % 4].at.data();
        [[maybe_unused]] const auto table = reinterpret_cast<uintptr_t>(graph_.alias.data());
        // A walk that goes back reads where to in the group itself.
        [[maybe_unused]] const auto own = reinterpret_cast<uintptr_t>(g.before.at.data());
        const auto indices = reinterpret_cast<uintptr_t>(graph_.indices.data());
        const double inverse = bias_.inverse, extra = bias_.extra, more = bias_.more;
        const double parallel = more * static_cast<double>(graph_.parallel);
        [[maybe_unused]] const uint64_t asks = known_ ? 0 : ~uint64_t{0}, turns = turns_ ? ~uint64_t{0} : 0;
#pragma GCC ivdep  // draws are a column as others are, which GCC cannot know
        for (size_t i = 0; i < group_size; ++i) {
            const uint64_t degree = g.degree[i], degree_before = g.degree_before[i];
            const uint64_t second = nonzero(degree_before);
            const double sum = weighted ? g.sum[i] : real(degree);
            const double sum_before = weighted ? g.peak[i] * real(degree_before) : real(degree_before);
            // Linked nodes can be proposed from either row: the one of less mass makes more hits.
            const uint64_t other = shorter    ? below(degree_before, degree)
                                   : weighted ? negative(sum_before - sum) & second & turns
                                              : 0;
            const double least = shorter    ? real(std::min(g.degree[i], g.degree_before[i]))
                                 : weighted ? pick(other, sum_before, sum)
                                            : sum;
            const double linked = shorter ? least * extra : pick(second, least * extra, 0.0);
            const double back = pick(second, weighted ? more * g.back[i] : parallel, 0.0);
            const double y = share(draws[i]) * (sum + linked + back);
            const double rest = y - sum, beyond = rest - linked;
            const uint64_t live = shorter ? ~uint64_t{0} : nonzero(degree);
            const uint64_t any = negative(rest) & live;
            const uint64_t tested = negative(beyond) & ~any & live, turned = tested & other;
            const uint64_t drawn = any | tested;
            double place = rest * inverse;
            if constexpr (shorter) place = place < least ? place : least - 1;
            place = pick(any, y, place);
            if constexpr (weighted) place *= pick(turned, g.unit[i], g.scale[i]);
            place = std::bit_cast<double>(drawn & std::bit_cast<uint64_t>(place));
            double slot = __builtin_floor(place);
            if constexpr (!shorter) {
                g.within[i] = pick(drawn, place - slot, beyond);
                const double last = real(pick(turned, degree_before, degree)) - 1;
                slot = slot > 0 ? slot : 0;
                slot = slot < last ? slot : last;
            }
            const uint64_t edge = pick(turned, g.begin_before[i], g.begin[i]) + whole(slot);
            g.tested[i] = static_cast<uint32_t>(tested);
            if constexpr (kind != Kind::undirected) g.returned[i] = static_cast<uint32_t>(~drawn & asks);
            if constexpr (weighted) {
                g.wanted[i] = pick(turned, indices + sizeof(Id) * edge, table + sizeof(uint64_t) * (edge & drawn));
                g.edge[i] = edge & drawn;
                g.turned[i] = static_cast<uint32_t>(turned);
                g.drawn[i] = static_cast<uint32_t>(drawn);
            } else {
                g.wanted[i] = pick(drawn, indices + sizeof(Id) * edge, own + sizeof(Id) * i);
            }
        }
        s.fetches.add(g.wanted);
        s.fetches.next();
    }

    WEFT_INLINE void draw_words(Group<Id>& g) const {
        for (size_t i = 0; i < group_size; ++i) {
            const uint64_t item = g.item[i];
            const auto words = philox4x32_wide({static_cast<uint32_t>(item), item >> 32, g.block[i], 0}, key_);
            for (size_t j = 0; j < 4; ++j) g.draws[j][i] = static_cast<uint32_t>(words[j]);
            ++g.block[i];
        }
    }

    // From the slot of an alias table to the edge.
    WEFT_INLINE void weigh(Group<Id>& g, Scratch& s) const {
        for (size_t i = 0; i < group_size; ++i) s.word[i] = graph_.alias[g.turned[i] ? 0 : g.edge[i]];
        s.fetches.next();
        const auto indices = reinterpret_cast<uintptr_t>(graph_.indices.data());
        const auto own = reinterpret_cast<uintptr_t>(g.before.at.data());
        uint64_t bad = 0;
        for (size_t i = 0; i < group_size; ++i) {
            const uint64_t drawn = wide(g.drawn[i]), turned = wide(g.turned[i]);
            const uint64_t threshold = static_cast<uint32_t>(s.word[i]);
            const uint64_t stands = negative(g.within[i] - real(threshold) * 0x1p-32);
            const uint64_t edge = pick(stands, g.edge[i] - g.begin[i], s.word[i] >> 32);
            bad |= ~below(edge, g.degree[i]) & drawn & ~turned;
            g.edge[i] = pick(turned, g.edge[i], g.begin[i] + edge) & drawn;
            g.wanted[i] = pick(drawn, indices + sizeof(Id) * g.edge[i], own + sizeof(Id) * i);
        }
        if (bad) [[unlikely]]
            refuse("the alias table does not belong to the graph: a slot points out of its row; build the table again");
        s.fetches.add(g.wanted);
        s.fetches.next();
    }

    // Who is proposed, and the question to the filter: an edge drawn from the node's own row is looked for in
    // that of the one before, all else in its own.
    WEFT_INLINE void look(Group<Id>& g, Scratch& s) const {
#pragma GCC unroll 16
        for (size_t i = 0; i < group_size; ++i) {
            Id next;
            std::memcpy(&next, reinterpret_cast<const void*>(g.wanted[i]), sizeof next);
            g.next[i] = static_cast<Node>(next);
        }
        s.fetches.next();
        const bool directed = kind == Kind::directed || (kind != Kind::undirected && graph_.directed);
        const uint64_t words = graph_.filter.words.size();
        const auto filter = reinterpret_cast<uintptr_t>(graph_.filter.words.data());
        const auto rows = reinterpret_cast<uintptr_t>(graph_.indptr.data());
        for (size_t i = 0; i < group_size; ++i) {
            const Node next = g.next[i], before = g.before[i];
            const uint32_t returned = returns(g, i), asked = g.tested[i] | returned;
            const Node in = elsewhere(g, i) ? g.node[i] : before;
            const uint64_t hash = EdgeFilter::hash(directed, in, next);
            const uint64_t place = EdgeFilter::place(hash, words);
            const uint32_t live = nonzero(g.left[i]) & nonzero(g.degree[i]);
            const uint32_t other = static_cast<uint32_t>(nonzero<Node>(next ^ before)) | returned;
            // One that is not asked about moves on: its row comes next.
            g.wanted[i] = pick(wide(asked), filter + 8 * place, rows + 8 * static_cast<uint64_t>(next));
            g.place[i] = static_cast<uint32_t>(place) & asked;
            g.bits[i] = EdgeFilter::bits(hash);
            g.moved[i] = ~asked & live & 1;
            g.tested[i] = asked & live & other & 1;
        }
        s.fetches.add(g.wanted);
        s.fetches.next();
        // One row in eight ends in the next line.
        const auto shift = static_cast<uint32_t>(rows / 8 + 1);
        for (size_t i = 0; i < group_size; ++i)
            s.flag[i] = static_cast<uint8_t>(g.moved[i] & ~nonzero((static_cast<uint32_t>(g.next[i]) + shift) % 8));
        for (uint64_t bits = bits_of(s.flag); bits; bits &= bits - 1)
            __builtin_prefetch(graph_.indptr.data() + g.next[static_cast<size_t>(std::countr_zero(bits))] + 1, 0, 2);
        if (bias_.keep < 1) spare(g);
    }

    // Masks: whether the way back was drawn and is not known; whether what was drawn is not of the node's own row.
    WEFT_INLINE static uint32_t returns(Group<Id>& g, size_t i) {
        return kind == Kind::undirected ? 0 : g.returned[i];
    }
    WEFT_INLINE static uint32_t elsewhere(Group<Id>& g, size_t i) {
        if constexpr (weighted) return g.turned[i] | returns(g, i);
        const auto turned = static_cast<uint32_t>(below(g.degree_before[i], g.degree[i]));
        return shorter ? turned | returns(g, i) : returns(g, i);
    }

    // The way back as one edge among all, when it weighs less than they do.
    WEFT_INLINE void spare(Group<Id>& g) const {
        for (size_t i = 0; i < group_size; ++i)
            if (g.moved[i] && g.next[i] == g.before[i] && g.degree_before[i] > 0 &&
                draw(key_, g.item[i], g.block[i] - 1, keep_lane)[(g.tries - 1) % 4] * 0x1p-32 >= bias_.keep)
                g.moved[i] = 0;
    }

    // What the filter says; edges that it cannot exclude are looked up.
    WEFT_INLINE void test(Group<Id>& g, Scratch& s) const {
        const uint64_t* const filter = graph_.filter.words.data();
        const Id* const indices = graph_.indices.data();
        const int64_t* const rows = graph_.indptr.data();
#pragma GCC unroll 16
        for (size_t i = 0; i < group_size; ++i) s.word[i] = filter[g.place[i]];
        s.fetches.next();
        for (size_t i = 0; i < group_size; ++i)
            s.flag[i] = static_cast<uint8_t>(EdgeFilter::ask(s.word[i], g.bits[i]) & g.tested[i]);
        if (!bias_.near) {
            for (size_t i = 0; i < group_size; ++i) g.moved[i] |= (g.tested[i] ^ s.flag[i]) & ~returns(g, i);
            for (size_t i = 0; i < group_size; ++i) __builtin_prefetch(rows + g.next[i], 0, 2);
        }
        for (uint64_t bits = bits_of(s.flag); bits; bits &= bits - 1) {
            const auto i = static_cast<size_t>(std::countr_zero(bits));
            // Which row it is cannot be foreseen: no branch.
            const uint32_t own = elsewhere(g, i);
            g.search.add(indices + pick(wide(own), g.begin[i], g.begin_before[i]),
                         pick(own, g.degree[i], g.degree_before[i]), static_cast<Id>(g.next[i]),
                         static_cast<uint32_t>(i));
            __builtin_prefetch(rows + g.next[i], 0, 2);
            __builtin_prefetch(rows + g.next[i] + 1, 0, 2);
        }
        if constexpr (weighted) {
            for (size_t i = 0; i < group_size; ++i) s.flag[i] |= static_cast<uint8_t>(g.moved[i]);
            for (uint64_t bits = bits_of(s.flag); bits; bits &= bits - 1) {
                const auto i = static_cast<size_t>(std::countr_zero(bits));
                __builtin_prefetch(graph_.total.data() + g.next[i], 0, 2);
                __builtin_prefetch(graph_.peak.data() + g.next[i], 0, 2);
                if (known_) __builtin_prefetch(graph_.weight.data() + g.edge[i], 0, 2);
            }
        }
    }

    WEFT_INLINE void narrow(Group<Id>& g) const {
        g.search.narrow([&](uint32_t i, const Id* first, const Id* last) {
            if (!weighted || !elsewhere(g, i)) return;
            const Id* const indices = graph_.indices.data();
            __builtin_prefetch(graph_.weight.data() + (first - indices), 0, 2);
            __builtin_prefetch(graph_.weight.data() + (last - indices), 0, 2);
        });
    }

    // Whether an edge of the node's row is taken of which a bound of the weight was drawn. `near`: the first of
    // those to its end, or one that lies shortly before.
    WEFT_INLINE bool weighs_enough(Group<Id>& g, size_t i, const Id* near) const {
        const Id* const begin = graph_.indices.data() + g.begin[i];
        const Id* const end = begin + g.degree[i];
        const auto next = static_cast<Id>(g.next[i]);
        while (*near < next) ++near;
        while (near > begin && near[-1] == next) --near;
        double weight = 0;
        for (const Id* at = near; at < end && *at == next; ++at)
            weight += weighted ? static_cast<double>(graph_.weight[static_cast<size_t>(at - graph_.indices.data())]) : 1;
        if constexpr (weighted) {
            g.edge[i] = static_cast<uint64_t>(near - graph_.indices.data());
            if (g.turned[i]) return g.within[i] * g.peak[i] < weight;
        }
        return weight >= (weighted ? g.back[i] : static_cast<double>(graph_.parallel)) ||
               g.within[i] < bias_.more * weight;
    }

    const SecondOrder<Id>& graph_;
    const Bias bias_;
    const Key key_;
    const bool known_;  // undirected, no parallel edges: the way back weighs as the edge taken, else it is looked up
    const bool turns_;
};

}  // namespace weft::columns
