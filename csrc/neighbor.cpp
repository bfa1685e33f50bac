#include "neighbor.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "dispatch.h"
#include "numbering.h"
#include "philox.h"

namespace weft {
namespace {

// Nodes that are sampled for together: memory is asked for all of them before any of it is read.
constexpr size_t group_size = 64;
constexpr size_t patience = 16;     // draws by weight beside four an edge, until all weights are added up
constexpr size_t linear_most = 32;  // so many places are searched one by one for one that was drawn before

[[noreturn, gnu::cold, gnu::noinline]] void refuse(const std::string& what) {
    throw std::invalid_argument("sample neighbors: " + what);
}

[[noreturn, gnu::cold, gnu::noinline]] void bad_row(uint64_t node, uint64_t edges) {
    refuse("the graph is damaged: the row of node " + std::to_string(node) + " in indptr does not lie within the " +
           std::to_string(edges) + " edges or is 2**32 edges long or more; import the graph again");
}

[[noreturn, gnu::cold, gnu::noinline]] void bad_node(uint64_t node, uint64_t nodes) {
    refuse("the graph is damaged: indices hold node " + std::to_string(node) + " of " + std::to_string(nodes) +
           "; import the graph again");
}

[[noreturn, gnu::cold, gnu::noinline]] void bad_slot(uint64_t node) {
    refuse("the alias table does not belong to the graph: a slot of node " + std::to_string(node) +
           " points out of its row; build the table again");
}

struct Row {
    uint64_t begin, degree;
};

// Buffers of a thread, kept from call to call.
template <typename Id>
struct Buffers {
    std::vector<Numbering<Id>> numbering;
    std::vector<uint32_t> words;      // word j of node i of the group: [j * group_size + i]
    std::vector<uint32_t> picked;     // places drawn for a node
    std::vector<uint64_t> marked;     // of many places: one bit each
    std::vector<std::pair<size_t, size_t>> frontier;
};

template <typename Id>
class Sampler {
public:
    Sampler(std::span<const Relation<Id>> relations, std::span<const std::span<const Id>> seeds,
            const NeighborOptions& options, Buffers<Id>& buffers)
        : relations_(relations), options_(options), key_(key_of(options.key)), buffers_(buffers) {
        out_.nodes.resize(seeds.size());
        out_.edges.resize(relations.size());
        buffers.frontier.assign(seeds.size(), {0, 0});
        if (buffers.numbering.size() < seeds.size()) buffers.numbering.resize(seeds.size());
    }

    Neighborhood<Id> run(std::span<const std::span<const Id>> seeds) {
        int64_t tree = 0;
        for (size_t t = 0; t < seeds.size(); ++t) tree = plant(t, seeds[t], tree);
        const size_t hops = relations_.empty() ? 0 : relations_[0].fanout.size();
        for (size_t hop = 0; hop < hops; ++hop) {
            for (size_t r = 0; r < relations_.size(); ++r) expand(r, hop);
            for (size_t t = 0; t < out_.nodes.size(); ++t) {
                const size_t end = out_.nodes[t].id.size();
                out_.nodes[t].of_hop.push_back(static_cast<int64_t>(end - buffers_.frontier[t].second));
                buffers_.frontier[t] = {buffers_.frontier[t].second, end};
            }
        }
        return std::move(out_);
    }

private:
    // Seeds come first, also such as come twice: others that find them find the first.
    int64_t plant(size_t t, std::span<const Id> seeds, int64_t tree) {
        auto& nodes = out_.nodes[t];
        Growing<int64_t>* const trees = options_.disjoint ? &nodes.tree : nullptr;
        Numbering<Id>& numbering = buffers_.numbering[t];
        numbering.begin(nodes.id, trees);
        numbering.reserve(seeds.size());
        for (const Id seed : seeds) {
            const size_t next = nodes.id.size();
            if (numbering.number(seed, tree) != next) {
                nodes.id.push(seed);
                if (trees) trees->push(tree);
            }
            ++tree;
        }
        nodes.of_hop.push_back(static_cast<int64_t>(seeds.size()));
        buffers_.frontier[t] = {0, seeds.size()};
        return tree;
    }

    void expand(size_t r, size_t hop) {
        const Relation<Id>& relation = relations_[r];
        auto& edges = out_.edges[r];
        const size_t before = edges.edge.size();
        const auto [begin, end] = buffers_.frontier[relation.into];
        const int64_t fanout = relation.fanout[hop];
        if (fanout != 0) {
            for (size_t at = begin; at < end; at += group_size)
                expand_group(r, fanout, at, std::min(group_size, end - at));
        }
        edges.of_hop.push_back(static_cast<int64_t>(edges.edge.size() - before));
    }

    WEFT_INLINE void expand_group(size_t r, int64_t fanout, size_t first, size_t count) {
        const Relation<Id>& relation = relations_[r];
        auto& edges = out_.edges[r];
        const auto& into = out_.nodes[relation.into].id;
        Row rows[group_size];
        bool draws = options_.replace && fanout > 0;
        for (size_t i = 0; i < count; ++i) {
            rows[i] = row_of(relation, into[first + i]);
            draws |= fanout > 0 && rows[i].degree > static_cast<uint64_t>(fanout);
        }
        // What the next group reads first.
        for (size_t i = first + count; i < std::min(first + 2 * group_size, into.size()); ++i)
            __builtin_prefetch(&relation.indptr[static_cast<size_t>(into[i])]);
        if (draws) draw_words(r, first, static_cast<size_t>(fanout));
        const size_t from_edge = edges.edge.size();
        for (size_t i = 0; i < count; ++i) {
            const size_t had = edges.edge.size();
            choose(r, fanout, rows[i], i, first + i);
            const size_t more = edges.edge.size() - had;
            int64_t* const col = edges.col.room(more);
            for (size_t k = 0; k < more; ++k) {
                col[k] = static_cast<int64_t>(first + i);
                __builtin_prefetch(&relation.indices[static_cast<size_t>(edges.edge[had + k])]);
            }
            edges.col.keep(more);
        }
        number(r, from_edge);
    }

    // The nodes at the other ends of the edges from `begin` on.
    WEFT_INLINE void number(size_t r, size_t begin) {
        const Relation<Id>& relation = relations_[r];
        auto& edges = out_.edges[r];
        auto& numbering = buffers_.numbering[relation.from];
        const size_t more = edges.edge.size() - begin;
        if (out_.nodes[relation.from].id.size() + more >= Numbering<Id>::none)
            refuse("a batch has 2**32 nodes or more; give fewer seeds or neighbors");
        numbering.reserve(more);
        int64_t* const row = edges.row.room(more);
        const auto tree = [&](size_t k) {
            return options_.disjoint ? out_.nodes[relation.into].tree[static_cast<size_t>(edges.col[begin + k])] : 0;
        };
        for (size_t k = 0; k < more; ++k) {
            const Id node = relation.indices[static_cast<size_t>(edges.edge[begin + k])];
            if (static_cast<uint64_t>(node) >= relation.nodes) [[unlikely]]
                bad_node(static_cast<uint64_t>(node), relation.nodes);
            row[k] = static_cast<int64_t>(node);
            numbering.prefetch(node, tree(k));
        }
        for (size_t k = 0; k < more; ++k) row[k] = numbering.number(static_cast<Id>(row[k]), tree(k));
        edges.row.keep(more);
    }

    WEFT_INLINE Row row_of(const Relation<Id>& relation, Id id) const {
        const auto node = static_cast<uint64_t>(id);
        const uint64_t all = relation.indices.size();
        if (node + 1 >= relation.indptr.size()) [[unlikely]]
            refuse("node " + std::to_string(node) + " is not one of the " +
                   std::to_string(relation.indptr.size() - 1) + " that have neighbors");
        const auto begin = static_cast<uint64_t>(relation.indptr[node]);
        const uint64_t degree = static_cast<uint64_t>(relation.indptr[node + 1]) - begin;
        // Unsigned: a negative begin or degree is a huge one.
        if (begin > all || degree > all - begin || degree > UINT32_MAX) [[unlikely]] bad_row(node, all);
        return {begin, degree};
    }

    uint64_t item(size_t node) const { return uint64_t{options_.batch} << 32 | node; }

    // Always for the whole group, so that the loop has no remainder and vectorises.
    WEFT_INLINE void draw_words(size_t r, size_t first, size_t fanout) {
        const size_t blocks = (fanout + 3) / 4;
        buffers_.words.resize(std::max(buffers_.words.size(), 4 * blocks * group_size));
        for (size_t b = 0; b < blocks; ++b) {
            uint32_t* const words = buffers_.words.data() + 4 * b * group_size;
            for (size_t i = 0; i < group_size; ++i) {
                const Counter block = draw(key_, item(first + i), static_cast<uint32_t>(b), lane(r));
                for (size_t j = 0; j < 4; ++j) words[j * group_size + i] = block[j];
            }
        }
    }

    static uint32_t lane(size_t r) { return static_cast<uint32_t>(2 * r); }
    static uint32_t exact_lane(size_t r) { return static_cast<uint32_t>(2 * r + 1); }

    // The edges of one node, which is the i-th of its group.
    WEFT_INLINE void choose(size_t r, int64_t fanout, Row row, size_t i, size_t node) {
        const Relation<Id>& relation = relations_[r];
        auto& edge = out_.edges[r].edge;
        const auto wanted = static_cast<uint64_t>(fanout);
        if (row.degree == 0) return;
        if (fanout < 0 || (!options_.replace && row.degree <= wanted)) {
            int64_t* const at = edge.room(row.degree);
            size_t kept = 0;
            for (uint64_t e = row.begin; e < row.begin + row.degree; ++e) {
                at[kept] = static_cast<int64_t>(e);
                kept += relation.weight.empty() || fanout < 0 || relation.weight[e] > 0;
            }
            edge.keep(kept);
        } else if (options_.replace) {
            int64_t* const at = edge.room(wanted);
            for (size_t j = 0; j < wanted; ++j)
                at[j] = static_cast<int64_t>(row.begin + place(relation, row, word(i, j), node));
            edge.keep(wanted);
        } else if (relation.weight.empty()) {
            without(edge, row, i, wanted);
        } else {
            by_weight(r, row, i, wanted, node);
        }
    }

    uint32_t word(size_t i, size_t j) const { return buffers_.words[j * group_size + i]; }

    WEFT_INLINE uint64_t place(const Relation<Id>& relation, Row row, uint32_t word, size_t node) const {
        const uint64_t product = word * row.degree, own = product >> 32;
        if (relation.alias.empty()) return own;
        const uint64_t slot = relation.alias[row.begin + own];
        const uint64_t at = static_cast<uint32_t>(product) < static_cast<uint32_t>(slot) ? own : slot >> 32;
        if (at >= row.degree) [[unlikely]]
            bad_slot(static_cast<uint64_t>(out_.nodes[relation.into].id[node]));
        return at;
    }

    // Floyd's way to draw without replacement (Bentley, Floyd: "A sample of brilliance", CACM 1987).
    WEFT_INLINE void without(Growing<int64_t>& edge, Row row, size_t i, uint64_t wanted) {
        int64_t* const at = edge.room(wanted);
        const auto begin = static_cast<int64_t>(row.begin);
        const uint64_t least = row.degree - wanted;
        if (wanted <= linear_most) {
            for (size_t j = 0; j < wanted; ++j) {
                auto pick = begin + static_cast<int64_t>(bounded(word(i, j), least + j + 1));
                bool again = false;
                for (size_t k = 0; k < j; ++k) again |= at[k] == pick;
                at[j] = again ? begin + static_cast<int64_t>(least + j) : pick;
            }
        } else {
            auto& marked = buffers_.marked;
            marked.assign(row.degree / 64 + 1, 0);
            for (size_t j = 0; j < wanted; ++j) {
                uint64_t pick = bounded(word(i, j), least + j + 1);
                if (marked[pick / 64] >> pick % 64 & 1) pick = least + j;
                marked[pick / 64] |= uint64_t{1} << pick % 64;
                at[j] = begin + static_cast<int64_t>(pick);
            }
        }
        edge.keep(wanted);
    }

    // One after the other by weight, each among those left: what was drawn before is drawn again.
    [[gnu::noinline]] void by_weight(size_t r, Row row, size_t i, uint64_t wanted, size_t node) {
        const Relation<Id>& relation = relations_[r];
        auto& picked = buffers_.picked;
        picked.clear();
        Counter block{};
        const uint64_t most = patience + 4 * wanted;
        for (uint64_t n = 0; n < most && picked.size() < wanted; ++n) {
            const bool known = n < 4 * ((wanted + 3) / 4);
            if (!known && n % 4 == 0) block = draw(key_, item(node), static_cast<uint32_t>(n / 4), lane(r));
            const auto at =
                static_cast<uint32_t>(place(relation, row, known ? word(i, n) : block[n % 4], node));
            if (std::find(picked.begin(), picked.end(), at) == picked.end()) picked.push_back(at);
        }
        while (picked.size() < wanted && pick_exactly(r, row, node)) {
        }
        int64_t* const at = out_.edges[r].edge.room(picked.size());
        for (size_t j = 0; j < picked.size(); ++j) at[j] = static_cast<int64_t>(row.begin + picked[j]);
        out_.edges[r].edge.keep(picked.size());
    }

    // Adds up the weights of all edges that are left. None is, when these are zero.
    bool pick_exactly(size_t r, Row row, size_t node) {
        auto& picked = buffers_.picked;
        auto& marked = buffers_.marked;
        marked.assign(row.degree / 64 + 1, 0);
        for (const uint32_t at : picked) marked[at / 64] |= uint64_t{1} << at % 64;
        const auto weight = relations_[r].weight.subspan(row.begin, row.degree);
        const auto left = [&](size_t k) {
            return marked[k / 64] >> k % 64 & 1 ? 0.0 : static_cast<double>(weight[k]);
        };
        double total = 0;
        for (size_t k = 0; k < weight.size(); ++k) total += left(k);
        if (!(total > 0)) return false;
        const Counter words = draw(key_, item(node), static_cast<uint32_t>(picked.size()), exact_lane(r));
        const double u = static_cast<double>((uint64_t{words[0]} << 32 | words[1]) >> 11) * 0x1p-53;
        double sum = 0;
        size_t last = 0;
        for (size_t k = 0; k < weight.size(); ++k) {
            const double mass = left(k);
            sum += mass;
            if (mass > 0) last = k;
            if (sum > u * total) break;
        }
        picked.push_back(static_cast<uint32_t>(last));
        return true;
    }

    const std::span<const Relation<Id>> relations_;
    const NeighborOptions& options_;
    const Key key_;
    Buffers<Id>& buffers_;
    Neighborhood<Id> out_;
};

template <typename Id>
void check(std::span<const Relation<Id>> relations, std::span<const std::span<const Id>> seeds) {
    for (const Relation<Id>& r : relations) {
        if (r.from >= seeds.size() || r.into >= seeds.size())
            refuse("a relation between types " + std::to_string(r.from) + " and " + std::to_string(r.into) + " of " +
                   std::to_string(seeds.size()));
        if (r.indptr.empty()) refuse("indptr must hold at least one element (got 0)");
        if (r.fanout.size() != relations[0].fanout.size()) refuse("relations must have the same number of hops");
        if (r.weight.size() != r.alias.size() || (!r.weight.empty() && r.weight.size() != r.indices.size()))
            refuse("weights and alias table must fit the edges");
    }
    for (const auto& some : seeds)
        if (some.size() >= UINT32_MAX) refuse("a batch has 2**32 seeds or more; give fewer");
}

// Clones cannot be templates.
#define WEFT_SAMPLE(NAME, ID)                                                                              \
    WEFT_CLONES Neighborhood<ID> NAME(std::span<const Relation<ID>> relations,                             \
                                      std::span<const std::span<const ID>> seeds,                          \
                                      const NeighborOptions& options, Buffers<ID>& buffers) {              \
        return Sampler<ID>(relations, seeds, options, buffers).run(seeds);                                 \
    }
WEFT_SAMPLE(sample, uint32_t)
WEFT_SAMPLE(sample, int64_t)
#undef WEFT_SAMPLE

}  // namespace

template <typename Id>
Neighborhood<Id> sample_neighbors(std::span<const Relation<Id>> relations, std::span<const std::span<const Id>> seeds,
                                  const NeighborOptions& options) {
    check(relations, seeds);
    static thread_local Buffers<Id> buffers;
    return sample(relations, seeds, options, buffers);
}

template Neighborhood<uint32_t> sample_neighbors(std::span<const Relation<uint32_t>>,
                                                 std::span<const std::span<const uint32_t>>, const NeighborOptions&);
template Neighborhood<int64_t> sample_neighbors(std::span<const Relation<int64_t>>,
                                                std::span<const std::span<const int64_t>>, const NeighborOptions&);

}  // namespace weft
