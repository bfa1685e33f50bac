#include "walk2.h"

#include <array>
#include <limits>
#include <stdexcept>
#include <vector>

#include "alias.h"
#include "check.h"
#include "pool.h"
#include "row_search.h"

using weft::fill_filter;
using weft::row_peaks;
using weft::second_order_walks;

// Two cliques of six, joined by a path over node 12; node 13 has no edge.
template <typename Id>
struct Toy {
    std::vector<int64_t> indptr{0};
    std::vector<Id> indices;
    std::vector<float> weight;
    std::vector<uint64_t> alias;
    std::vector<double> total;
    std::vector<float> peak;
    std::vector<uint64_t> words = std::vector<uint64_t>(5);
    bool directed = false;
    uint64_t parallel = 1;

    explicit Toy(bool weighted) {
        for (size_t u = 0; u < 14; ++u) {
            for (size_t v = 0; v < 14; ++v)
                if (linked(u, v)) indices.push_back(static_cast<Id>(v));
            indptr.push_back(static_cast<int64_t>(indices.size()));
        }
        parallel = fill_filter<Id>(indptr, indices, directed, words);
        if (!weighted) return;
        weight.assign(indices.size(), 2);
        alias.resize(indices.size());
        weft::alias_tables<float>(indptr, weight, alias);
        peak.resize(14);
        row_peaks<Id>(indptr, indices, weight, peak);
        for (size_t u = 0; u < 14; ++u) total.push_back(2.0 * static_cast<double>(indptr[u + 1] - indptr[u]));
    }

    static bool linked(size_t u, size_t v) {
        if (u == v || u == 13 || v == 13) return false;
        if (u == 12 || v == 12) return u + v - 12 == 0 || u + v - 12 == 6;
        return (u < 6) == (v < 6);
    }

    std::vector<Id> walks(size_t count, size_t length, double p, double q, uint64_t first = 0) const {
        std::vector<Id> starts(count), out(count * (length + 1), 99);
        for (size_t i = 0; i < count; ++i) starts[i] = static_cast<Id>((first + i) % 14);
        second_order_walks<Id>({.indptr = indptr,
                                .indices = indices,
                                .weight = weight,
                                .alias = alias,
                                .total = total,
                                .peak = peak,
                                .filter = {.words = words, .directed = directed},
                                .directed = directed,
                                .parallel = parallel,
                                .p = p,
                                .q = q},
                               starts, length, 7, first, out);
        return out;
    }
};

constexpr std::array<std::array<double, 2>, 5> biases{{{0.25, 4}, {4, 0.25}, {1, 1}, {1e-6, 1e6}, {1e6, 1e-6}}};

template <typename Id>
static void walks_follow_edges(bool weighted, bool directed, uint64_t parallel) {
    Toy<Id> toy(weighted);
    CHECK(toy.parallel == 1);
    toy.parallel = parallel;  // a bound: it may be larger than it is
    toy.directed = directed;
    if (directed) {
        toy.words.assign(5, 0);
        fill_filter<Id>(toy.indptr, toy.indices, true, toy.words);
    }
    for (const auto& [p, q] : biases) {
        for (const size_t count : {0, 1, 63, 64, 65, 3000}) {
            for (const size_t length : {0, 1, 2, 21}) {
                const auto out = toy.walks(count, length, p, q);
                for (size_t i = 0; i < count; ++i)
                    for (size_t s = 0; s < length; ++s) {
                        const auto u = static_cast<size_t>(out[i * (length + 1) + s]);
                        const auto v = static_cast<size_t>(out[i * (length + 1) + s + 1]);
                        CHECK(Toy<Id>::linked(u, v) || (u == 13 && v == 13));
                    }
            }
        }
    }
}

static void walks_do_not_depend_on_threads_or_the_cut() {
    const Toy<uint32_t> toy(true);
    weft::set_num_threads(1);
    const auto whole = toy.walks(5000, 10, 0.5, 2);
    weft::set_num_threads(4);
    CHECK(toy.walks(5000, 10, 0.5, 2) == whole);
    auto head = toy.walks(1236, 10, 0.5, 2);
    const auto tail = toy.walks(5000 - 1236, 10, 0.5, 2, 1236);
    head.insert(head.end(), tail.begin(), tail.end());
    CHECK(head == whole);
}

static void damaged_graphs_are_refused() {
    for (const bool weighted : {false, true}) {
        for (const int64_t wrong : {int64_t{-1}, int64_t{80}, std::numeric_limits<int64_t>::max(),
                                    std::numeric_limits<int64_t>::min()}) {
            Toy<uint32_t> toy(weighted);
            toy.indptr[3] = wrong;
            CHECK_THROWS(std::invalid_argument, toy.walks(100, 10, 0.5, 2));
            CHECK_THROWS(std::invalid_argument, fill_filter<uint32_t>(toy.indptr, toy.indices, false, toy.words));
        }
        Toy<uint32_t> far(weighted);
        far.indices[4] = 14;
        CHECK_THROWS(std::invalid_argument, far.walks(100, 40, 0.5, 2));
        CHECK_THROWS(std::invalid_argument, fill_filter<uint32_t>(far.indptr, far.indices, false, far.words));
        Toy<int64_t> negative(weighted);
        for (int64_t& node : negative.indices) node = -1;
        CHECK_THROWS(std::invalid_argument, negative.walks(100, 10, 0.5, 2));
    }
    Toy<uint32_t> foreign(true);
    for (uint64_t& slot : foreign.alias) slot = uint64_t{30} << 32;
    CHECK_THROWS(std::invalid_argument, foreign.walks(100, 10, 0.5, 2));
    foreign.alias.pop_back();
    CHECK_THROWS(std::invalid_argument, foreign.walks(100, 10, 0.5, 2));
    Toy<uint32_t> bare(false);
    bare.words.clear();
    CHECK_THROWS(std::invalid_argument, bare.walks(100, 10, 0.5, 2));
    CHECK_THROWS(std::invalid_argument, fill_filter<uint32_t>(bare.indptr, bare.indices, false, bare.words));
}

static void searches_find_what_is_there() {
    for (const size_t size : {1, 5, 32, 33, 100, 5000}) {
        for (const uint32_t step : {0U, 1U, 7U, 200U}) {
            std::vector<uint32_t> row(size);
            for (size_t i = 0; i < size; ++i) row[i] = static_cast<uint32_t>(i / 3) * step;
            for (const uint32_t node : {0U, 1U, 7U, 8U, 1000U, 4'000'000'000U}) {
                const bool held = std::binary_search(row.begin(), row.end(), node);
                weft::RowSearches<uint32_t, 2> searches(5000);
                for (int round = 0; round < 2; ++round) {
                    searches.add(row.data(), static_cast<uint32_t>(size), node, 7);
                    searches.add(row.data(), static_cast<uint32_t>(size), row.back(), 9);
                    searches.narrow([&](uint32_t, const uint32_t* from, const uint32_t*) {
                        CHECK(from >= row.data() && from < row.data() + size);
                    });
                    searches.ask([&](uint32_t whose, bool found, const uint32_t* from) {
                        CHECK(found == (whose == 9 || held));
                        CHECK(!found || *from <= (whose == 9 ? row.back() : node));
                    });
                    CHECK(searches.count() == 0);
                }
            }
        }
    }
}

int main() {
    weft::set_num_threads(2);
    for (const bool weighted : {false, true})
        for (const bool directed : {false, true})
            for (const uint64_t parallel : {1, 2}) {
                walks_follow_edges<uint32_t>(weighted, directed, parallel);
                walks_follow_edges<int64_t>(weighted, directed, parallel);
            }
    walks_do_not_depend_on_threads_or_the_cut();
    damaged_graphs_are_refused();
    searches_find_what_is_there();
}
