#include "paths.h"

#include <stdexcept>
#include <vector>

#include "alias.h"
#include "check.h"
#include "pool.h"

using weft::PathGraph;
using weft::PathSampling;

// A hub joined to all others, which also form a ring.
struct Toy {
    std::vector<int64_t> indptr{0};
    std::vector<uint32_t> indices;
    std::vector<float> weight;
    std::vector<uint64_t> alias;
    std::vector<double> degree;
    size_t n;

    explicit Toy(size_t n, bool weighted) : degree(n, 0), n(n) {
        for (uint32_t u = 0; u < n; ++u) {
            if (u == 0)
                for (uint32_t v = 1; v < n; ++v) indices.push_back(v);
            else
                for (const uint32_t v : {uint32_t{0}, u == 1 ? static_cast<uint32_t>(n - 1) : u - 1,
                                         u + 1 == n ? uint32_t{1} : u + 1})
                    indices.push_back(v);
            indptr.push_back(static_cast<int64_t>(indices.size()));
        }
        for (size_t u = 0; u < n; ++u)
            for (auto e = static_cast<size_t>(indptr[u]); e < static_cast<size_t>(indptr[u + 1]); ++e) {
                if (weighted) weight.push_back(1 + static_cast<float>((u + indices[e]) % 3));
                degree[u] += weighted ? weight[e] : 1;
            }
        if (weighted) {
            alias.resize(indices.size());
            weft::alias_tables<float>(indptr, weight, alias);
        }
    }
    PathGraph graph() const { return {indptr, indices, weight, alias, degree, degree}; }
};

struct Rows {
    std::vector<int64_t> degree;
    std::vector<uint32_t> columns;
    std::vector<float> values;
    bool operator==(const Rows&) const = default;
};

static Rows rows_of(const Toy& toy, const PathSampling& how, size_t cut) {
    std::vector<int64_t> walks(toy.n);
    weft::path_counts(toy.graph(), how, walks);
    const std::vector<double> scale(toy.n, 1e-9), one(toy.n, 1);
    Rows out{std::vector<int64_t>(toy.n), {}, {}};
    for (const auto& [begin, end] : {std::pair{size_t{0}, cut}, std::pair{cut, toy.n}}) {
        size_t room = 0;
        for (size_t u = begin; u < end; ++u) room += weft::path_room(toy.graph(), how, u, walks[u]);
        std::vector<uint32_t> columns(room);
        std::vector<float> values(room);
        const size_t used = weft::path_rows(toy.graph(), how, begin, std::span(walks).subspan(begin, end - begin), scale,
                                            one, std::span(out.degree).subspan(begin, end - begin), columns, values);
        out.columns.insert(out.columns.end(), columns.begin(), columns.begin() + static_cast<ptrdiff_t>(used));
        out.values.insert(out.values.end(), values.begin(), values.begin() + static_cast<ptrdiff_t>(used));
    }
    return out;
}

static void rows_do_not_depend_on_threads_or_the_cut() {
    const PathSampling how{.samples = 4.5, .keep = 2, .window = 6, .key = 7};
    for (const bool weighted : {false, true}) {
        const Toy toy(3000, weighted);
        weft::set_num_threads(1);
        const Rows whole = rows_of(toy, how, toy.n);
        CHECK(!whole.columns.empty());
        weft::set_num_threads(4);
        CHECK(rows_of(toy, how, toy.n) == whole);
        CHECK(rows_of(toy, how, 1234) == whole);
    }
}

static void damage_throws() {
    const PathSampling how{.samples = 4.5, .keep = 2, .window = 6, .key = 7};
    Toy toy(100, true);
    toy.indices[200] = 100;
    CHECK_THROWS(std::invalid_argument, rows_of(toy, how, 50));
    toy.indices[200] = 0;
    toy.alias[150] = uint64_t{9} << 32;
    CHECK_THROWS(std::invalid_argument, rows_of(toy, how, 50));
    toy.alias.clear();
    toy.indptr[9] = 1 << 20;
    CHECK_THROWS(std::invalid_argument, rows_of(toy, how, 50));
    CHECK_THROWS(std::invalid_argument, rows_of(Toy(100, true), {1e12, 2, 6, 7}, 50));
}

int main() {
    rows_do_not_depend_on_threads_or_the_cut();
    damage_throws();
}
