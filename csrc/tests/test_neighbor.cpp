#include "neighbor.h"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "alias.h"
#include "check.h"

using weft::Neighborhood;
using weft::Relation;
using weft::sample_neighbors;

// Node u of n has an edge to each of the next u % 40 nodes.
template <typename Id>
struct Ring {
    std::vector<int64_t> indptr{0};
    std::vector<Id> indices;
    std::vector<float> weight;
    std::vector<uint64_t> alias;
    size_t nodes;

    Ring(size_t n, bool weighted) : nodes(n) {
        for (size_t u = 0; u < n; ++u) {
            for (size_t k = 1; k <= u % 40; ++k) indices.push_back(static_cast<Id>((u + k) % n));
            indptr.push_back(static_cast<int64_t>(indices.size()));
        }
        if (!weighted) return;
        for (size_t e = 0; e < indices.size(); ++e) weight.push_back(static_cast<float>(1 + e % 5));
        alias.resize(indices.size());
        weft::alias_tables<float>(indptr, weight, alias);
    }

    Neighborhood<Id> sample(const std::vector<Id>& seeds, const std::vector<int64_t>& fanout, bool replace,
                            bool disjoint) const {
        const std::vector<Relation<Id>> relations{{indptr, indices, weight, alias, 0, 0, nodes, fanout}};
        const std::vector<std::span<const Id>> some{seeds};
        return sample_neighbors<Id>(relations, some, {.key = 5, .batch = 3, .replace = replace, .disjoint = disjoint});
    }
};

template <typename Id>
void edges_are_edges(bool weighted, bool replace, bool disjoint) {
    const Ring<Id> ring(5000, weighted);
    std::vector<Id> seeds;
    for (size_t i = 0; i < 300; ++i) seeds.push_back(static_cast<Id>(i * 7 % 5000));
    seeds.push_back(seeds[0]);
    for (const std::vector<int64_t>& fanout : {std::vector<int64_t>{4, 3}, {-1, 2, 36}, {50}, {}}) {
        const auto found = ring.sample(seeds, fanout, replace, disjoint);
        const auto& [ids, trees, of_hop] = found.nodes[0];
        const auto& edges = found.edges[0];
        CHECK(of_hop.size() == fanout.size() + 1 && edges.of_hop.size() == fanout.size());
        CHECK(edges.row.size() == edges.edge.size() && edges.col.size() == edges.edge.size());
        CHECK(trees.size() == (disjoint ? ids.size() : 0));
        for (size_t k = 0; k < edges.edge.size(); ++k) {
            const auto row = static_cast<size_t>(edges.row[k]), col = static_cast<size_t>(edges.col[k]);
            const auto e = edges.edge[k];
            CHECK(ids[row] == ring.indices[static_cast<size_t>(e)]);
            CHECK(ring.indptr[ids[col]] <= e && e < ring.indptr[static_cast<size_t>(ids[col]) + 1]);
            if (disjoint) CHECK(trees[row] == trees[col]);
        }
    }
}

// Threads sample from one graph at once, and get what one alone gets.
void threads_do_not_meet() {
    const Ring<uint32_t> ring(20000, true);
    std::vector<uint32_t> seeds;
    for (uint32_t i = 0; i < 2000; ++i) seeds.push_back(i * 3);
    const auto alone = ring.sample(seeds, {10, 5}, false, false);
    std::vector<std::thread> threads;
    std::vector<int> same(4, 0);
    for (size_t t = 0; t < same.size(); ++t)
        threads.emplace_back([&, t] {
            const auto found = ring.sample(seeds, {10, 5}, false, false);
            const auto a = found.edges[0].edge.span(), b = alone.edges[0].edge.span();
            same[t] = std::equal(a.begin(), a.end(), b.begin(), b.end());
        });
    for (auto& thread : threads) thread.join();
    for (const int equal : same) CHECK(equal == 1);
}

template <typename Do>
bool refused(Do&& act, const std::string& why) {
    try {
        act();
    } catch (const std::invalid_argument& error) {
        return std::string(error.what()).find(why) != std::string::npos;
    }
    return false;
}

void damage_is_refused() {
    const std::vector<uint32_t> seeds{39};
    Ring<uint32_t> ring(100, false);
    CHECK(refused([&] { ring.sample({100}, {2}, false, false); }, "node 100 is not one of the 100"));
    ring.indices[static_cast<size_t>(ring.indptr[39])] = 100;
    CHECK(refused([&] { ring.sample(seeds, {-1}, false, false); }, "indices hold node 100 of 100"));
    ring.indptr[40] = -1;
    CHECK(refused([&] { ring.sample(seeds, {2}, false, false); }, "row of node 39"));
    ring.indptr[40] = int64_t{1} << 40;
    CHECK(refused([&] { ring.sample(seeds, {2}, true, false); }, "row of node 39"));
}

int main() {
    for (const bool weighted : {false, true})
        for (const bool replace : {false, true})
            for (const bool disjoint : {false, true}) {
                edges_are_edges<uint32_t>(weighted, replace, disjoint);
                edges_are_edges<int64_t>(weighted, replace, disjoint);
            }
    threads_do_not_meet();
    damage_is_refused();
}
