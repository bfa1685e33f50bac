#include "walk.h"

#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "alias.h"
#include "check.h"
#include "philox.h"
#include "pool.h"
#include "probe.h"

using weft::alias_tables;
using weft::random_walks;

template <typename Id>
struct Toy {
    std::vector<int64_t> indptr{0, 3, 4, 4, 6};
    std::vector<Id> indices{1, 2, 3, 0, 0, 3};  // node 2 has no out-edge, node 3 a loop
    std::vector<float> weight{1, 0, 3, 2, 1, 1};

    std::vector<Id> walks(size_t count, size_t length, uint64_t first = 0, std::vector<uint64_t> alias = {}) const {
        std::vector<Id> starts(count), out(count * (length + 1), 99);
        for (size_t i = 0; i < count; ++i) starts[i] = static_cast<Id>((first + i) % 4);
        const bool weighted = !alias.empty();
        random_walks<Id>({.indptr = indptr, .indices = indices, .alias = alias, .weighted = weighted}, starts, length,
                         7, first, out);
        return out;
    }
};

template <typename Id>
static void walks_follow_edges() {
    const Toy<Id> toy;
    for (const size_t count : {0, 1, 63, 64, 65, 5000}) {
        for (const size_t length : {0, 1, 3, 4, 5, 41}) {
            const auto out = toy.walks(count, length);
            for (size_t i = 0; i < count; ++i) {
                for (size_t s = 0; s < length; ++s) {
                    const auto u = static_cast<size_t>(out[i * (length + 1) + s]);
                    const Id next = out[i * (length + 1) + s + 1];
                    bool found = u == 2 && next == 2;
                    for (int64_t e = toy.indptr[u]; e < toy.indptr[u + 1]; ++e)
                        found |= toy.indices[static_cast<size_t>(e)] == next;
                    CHECK(found);
                }
            }
        }
    }
}

static void walks_do_not_depend_on_threads_or_the_cut() {
    const Toy<uint32_t> toy;
    weft::set_num_threads(1);
    const auto whole = toy.walks(5000, 10);
    weft::set_num_threads(4);
    CHECK(toy.walks(5000, 10) == whole);
    auto head = toy.walks(1236, 10);
    const auto tail = toy.walks(5000 - 1236, 10, 1236);
    head.insert(head.end(), tail.begin(), tail.end());
    CHECK(head == whole);
}

static void damaged_graphs_are_refused() {
    for (const int64_t wrong : {int64_t{-1}, int64_t{5}, int64_t{7}, std::numeric_limits<int64_t>::max(),
                                std::numeric_limits<int64_t>::min()}) {
        Toy<uint32_t> toy;
        toy.indptr[1] = wrong;
        CHECK_THROWS(std::invalid_argument, toy.walks(100, 10));
    }
    Toy<uint32_t> far;
    far.indices[3] = 4;
    CHECK_THROWS(std::invalid_argument, far.walks(100, 10));
    Toy<int64_t> negative;
    negative.indices[3] = -1;
    CHECK_THROWS(std::invalid_argument, negative.walks(100, 10));
    const Toy<uint32_t> toy;
    CHECK_THROWS(std::invalid_argument, toy.walks(100, 10, 0, std::vector<uint64_t>(5)));
    CHECK_THROWS(std::invalid_argument, toy.walks(100, 10, 0, std::vector<uint64_t>(6, uint64_t{3} << 32)));
}

static void alias_tables_hold_the_weights() {
    const std::vector<double> weight{0, 5, 1e-9, 0, 2.5, 1e9, 7, 0};
    const std::vector<int64_t> indptr{0, 0, 5, 8, 8};
    std::vector<uint64_t> table(8);
    alias_tables<double>(indptr, weight, table);
    for (const auto& [begin, end] : {std::array<size_t, 2>{0, 5}, std::array<size_t, 2>{5, 8}}) {
        std::vector<double> share(end - begin);
        double total = 0;
        for (size_t i = begin; i < end; ++i) {
            const double below = static_cast<double>(table[i] & UINT32_MAX) / 4294967296.0;
            CHECK(table[i] >> 32 < end - begin);
            share[i - begin] += below;
            share[table[i] >> 32] += 1 - below;
            total += weight[i];
        }
        for (size_t i = begin; i < end; ++i) {
            const double slots = static_cast<double>(end - begin);
            CHECK(std::abs(share[i - begin] / slots - weight[i] / total) < 1e-9);
            CHECK(weight[i] > 0 || share[i - begin] == 0);
        }
    }
}

static void bad_weights_are_refused() {
    const std::vector<int64_t> indptr{0, 2};
    std::vector<uint64_t> table(2);
    for (const float bad : {-1.0F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
        CHECK_THROWS(std::invalid_argument, alias_tables<float>(indptr, std::vector<float>{1, bad}, table));
    CHECK_THROWS(std::invalid_argument, alias_tables<float>(indptr, std::vector<float>{0, 0}, table));
    const std::vector<double> huge{1.7e308, 1.7e308};
    CHECK_THROWS(std::invalid_argument, alias_tables<double>(indptr, huge, table));
    for (const int64_t wrong : {-1, 3}) {
        const std::vector<int64_t> damaged{0, wrong};
        CHECK_THROWS(std::invalid_argument, alias_tables<float>(damaged, std::vector<float>{1, 1}, table));
    }
}

static void the_probe_reads() {
    const std::vector<uint32_t> ones(1001, 1);
    for (const uint64_t reads : {0, 16, 1600000}) CHECK(weft::probe_random_reads(ones, reads, 3) == reads);
    CHECK_THROWS(std::invalid_argument, weft::probe_random_reads({}, 1, 0));
}

int main() {
    weft::set_num_threads(2);
    walks_follow_edges<uint32_t>();
    walks_follow_edges<int64_t>();
    walks_do_not_depend_on_threads_or_the_cut();
    damaged_graphs_are_refused();
    alias_tables_hold_the_weights();
    bad_weights_are_refused();
    the_probe_reads();
}
