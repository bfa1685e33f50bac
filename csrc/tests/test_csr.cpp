#include "csr.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <tuple>

#include "check.h"
#include "pool.h"

using namespace weft;

namespace {

struct Graph {
    std::vector<int64_t> degree;
    std::vector<uint32_t> indices;
    std::vector<float> weights;
    bool operator==(const Graph&) const = default;
};

struct Edges {
    std::vector<uint32_t> src, dst;
    std::vector<float> weight;
};

// Numbers with few bits, so that duplicates and self-loops are common and one node has most edges.
Edges edges(size_t count, uint32_t nodes) {
    Edges all;
    uint64_t state = 1;
    const auto next = [&] { return static_cast<uint32_t>((state = state * 6364136223846793005u + 1442695040888963407u) >> 33); };
    for (size_t e = 0; e < count; ++e) {
        all.src.push_back(next() % 3 == 0 ? next() % nodes : 1);
        all.dst.push_back(next() % nodes);
        all.weight.push_back(static_cast<float>(next() % 16));
    }
    return all;
}

Graph build(const Edges& all, uint32_t nodes, int shift, bool weighted, Duplicates duplicates) {
    const Bucketing how{nodes, shift, 20, true, false};
    std::vector<int64_t> offsets(how.buckets() + 1);
    std::vector<uint64_t> keys(2 * all.src.size());
    std::vector<float> weights(weighted ? keys.size() : 0);
    const std::span<const float> given = weighted ? std::span<const float>(all.weight) : std::span<const float>();
    scatter_edges<uint32_t>(all.src, all.dst, given, how, offsets, keys, weights);
    const auto total = static_cast<size_t>(offsets.back());
    const Run run{std::span(keys).first(total), std::span(weights).first(weighted ? total : 0), offsets};

    Graph out;
    out.degree.resize(nodes);
    std::vector<uint32_t> indices(total);
    const bool with_weights = weighted || duplicates == Duplicates::sum;
    std::vector<float> merged(with_weights ? total : 0);
    std::vector<int64_t> counts(how.buckets());
    sort_buckets<uint32_t>(std::span(&run, 1), shift, 20, duplicates, out.degree, indices, merged, counts);
    for (size_t b = 0; b < counts.size(); ++b) {
        const auto from = static_cast<ptrdiff_t>(offsets[b]), to = from + static_cast<ptrdiff_t>(counts[b]);
        out.indices.insert(out.indices.end(), indices.begin() + from, indices.begin() + to);
        if (with_weights) out.weights.insert(out.weights.end(), merged.begin() + from, merged.begin() + to);
    }
    return out;
}

Graph define(const Edges& all, uint32_t nodes, bool weighted, Duplicates duplicates) {
    std::vector<std::tuple<uint32_t, uint32_t, float>> arcs;
    for (size_t e = 0; e < all.src.size(); ++e) {
        const float w = weighted ? all.weight[e] : 1.0f;
        arcs.emplace_back(all.src[e], all.dst[e], w);
        if (all.src[e] != all.dst[e]) arcs.emplace_back(all.dst[e], all.src[e], w);
    }
    std::stable_sort(arcs.begin(), arcs.end(), [](const auto& a, const auto& b) {
        return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
    });
    Graph out;
    out.degree.resize(nodes);
    for (size_t e = 0; e < arcs.size();) {
        const auto [u, v, w] = arcs[e++];
        double sum = w;
        if (duplicates != Duplicates::keep)
            for (; e < arcs.size() && std::get<0>(arcs[e]) == u && std::get<1>(arcs[e]) == v; ++e)
                if (duplicates == Duplicates::sum) sum += std::get<2>(arcs[e]);
        ++out.degree[u];
        out.indices.push_back(v);
        if (weighted || duplicates == Duplicates::sum) out.weights.push_back(static_cast<float>(sum));
    }
    return out;
}

void equals_definition() {
    for (const size_t count : {size_t{0}, size_t{1}, size_t{100}, size_t{30'000}}) {
        const Edges all = edges(count, 700);
        for (const bool weighted : {false, true})
            for (const auto duplicates : {Duplicates::keep, Duplicates::drop, Duplicates::sum}) {
                const Graph expected = define(all, 700, weighted, duplicates);
                for (const int shift : {0, 4, 10})
                    for (const int threads : {1, 4}) {
                        set_num_threads(threads);
                        CHECK(build(all, 700, shift, weighted, duplicates) == expected);
                    }
            }
    }
}

void refuses() {
    std::vector<int64_t> offsets(2), counts(1), degree(4);
    std::vector<uint64_t> keys(2);
    std::vector<uint32_t> indices(2);
    const std::vector<uint32_t> one{1}, four{4}, two{1, 2};
    const Bucketing how{4, 2, 2, false, false};
    CHECK_THROWS(std::out_of_range, (scatter_edges<uint32_t>(one, four, {}, how, offsets, keys, {})));
    CHECK_THROWS(std::invalid_argument, (scatter_edges<uint32_t>(one, two, {}, how, offsets, keys, {})));
    CHECK_THROWS(std::invalid_argument, (scatter_edges<uint32_t>(one, one, {}, {4, 0, 2, false, false}, offsets, keys, {})));
    CHECK_THROWS(std::invalid_argument, (scatter_edges<uint32_t>(one, one, {}, {4, 2, 1, false, false}, offsets, keys, {})));
    // A key of a row that the bucket does not have.
    const std::vector<uint64_t> foreign{uint64_t{4} << 2};
    const std::vector<int64_t> whole{0, 1}, beyond{0, 9};
    Run run{foreign, {}, whole};
    CHECK_THROWS(std::out_of_range, (sort_buckets<uint32_t>(std::span(&run, 1), 2, 2, Duplicates::keep, degree, indices, {}, counts)));
    run.offsets = beyond;
    CHECK_THROWS(std::invalid_argument, (sort_buckets<uint32_t>(std::span(&run, 1), 2, 2, Duplicates::keep, degree, indices, {}, counts)));
    run.offsets = whole;
    CHECK_THROWS(std::invalid_argument, (sort_buckets<uint32_t>(std::span(&run, 1), 2, 2, Duplicates::sum, degree, indices, {}, counts)));
}

}  // namespace

int main() {
    equals_definition();
    refuses();
}
