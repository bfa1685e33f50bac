// Pairs from walks, blocks, and training on them: one result at any number of threads, and bad input refused.
#include "sgns.h"

#include <stdexcept>
#include <vector>

#include "check.h"
#include "pairs.h"
#include "philox.h"
#include "pool.h"

using namespace weft;

namespace {

constexpr size_t parts = 4;
constexpr size_t rows = 25;
constexpr size_t width = 48;
constexpr size_t length = 9;
constexpr size_t window = 3;

struct Run {
    std::vector<float> vertex, context;
    std::vector<double> loss;
    std::vector<uint64_t> pairs;
    std::vector<int64_t> offset;

    bool operator==(const Run&) const = default;
};

std::vector<uint32_t> walks(size_t count) {
    std::vector<uint32_t> out(count * (length + 1));
    for (size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<uint32_t>(bounded(draw({1, 2}, i, 0)[0], parts * rows));
    return out;
}

Run train(int threads, size_t count, uint32_t negatives, bool tied) {
    set_num_threads(threads);
    Run run;
    std::vector<uint32_t> row_of(parts * rows);
    for (size_t i = 0; i < row_of.size(); ++i) row_of[i] = static_cast<uint32_t>(row_of.size() - 1 - i);
    const std::vector<uint8_t> sink = [] {
        std::vector<uint8_t> s(parts * rows, 0);
        s[7] = 1;
        return s;
    }();
    run.pairs.resize(count * pairs_per_walk(length, window));
    run.pairs.resize(window_pairs(walks(count), length, window, row_of, sink, run.pairs));
    std::vector<uint64_t> scratch(run.pairs.size());
    run.offset.resize(parts * parts + 1);
    bucket_pairs(run.pairs, scratch, {rows, 0, parts, 0, parts}, run.offset);
    run.vertex.resize(parts * rows * width);
    run.context.resize(run.vertex.size());
    for (size_t i = 0; i < run.vertex.size(); ++i)
        run.vertex[i] = static_cast<float>(draw({3, 4}, i, 0)[0]) / 4294967296.0F - 0.5F;
    std::vector<uint64_t> alias(parts * rows);
    for (size_t i = 0; i < alias.size(); ++i) alias[i] = (i * 7 % rows) << 32 | 0x80000000u;
    run.loss.resize(parts * parts);
    const std::vector<uint64_t> item(run.offset.begin(), run.offset.end() - 1);
    sgns_train({run.vertex, tied ? run.vertex : run.context, width, rows, alias, 0, 0}, {run.pairs, run.offset, item},
               {5, run.pairs.size(), negatives, 2.5F, 0.1F, 0.001F}, run.loss);
    return run;
}

void same_at_any_number_of_threads() {
    for (const size_t count : {0, 1, 40, 1500})
        for (const uint32_t negatives : {1, 4, 6}) {
            for (const bool tied : {false, true}) {
                const Run one = train(1, count, negatives, tied);
                CHECK(one == train(2, count, negatives, tied));
                CHECK(one == train(4, count, negatives, tied));
            }
        }
}

void refuses() {
    std::vector<uint64_t> pairs{uint64_t{parts * rows} << 32}, scratch(1);
    std::vector<int64_t> offset(parts * parts + 1);
    CHECK_THROWS(std::out_of_range, (bucket_pairs(pairs, scratch, {rows, 0, parts, 0, parts}, offset)));
    std::vector<uint64_t> out(100);
    CHECK_THROWS(std::out_of_range, (window_pairs(std::vector<uint32_t>{0, 5}, 1, 1, std::vector<uint32_t>(5), {}, out)));
    std::vector<float> table(rows * 16), other(rows * 16);
    std::vector<uint64_t> alias(rows, 0);
    std::vector<int64_t> whole{0, 1};
    std::vector<double> loss(1);
    const std::vector<uint64_t> far{rows}, item{0};
    const SgnsStep step{1, 1, 1, 1, 1, 0};
    CHECK_THROWS(std::out_of_range, (sgns_train({table, other, 16, rows, alias, 0, 0}, {far, whole, item}, step, loss)));
    CHECK_THROWS(std::out_of_range, (sgns_train({table, other, 16, rows, alias, 0, rows + 1}, {far, whole, item}, step, loss)));
    CHECK_THROWS(std::invalid_argument, (sgns_train({table, other, 15, rows, alias, 0, 0}, {far, whole, item}, step, loss)));
    CHECK_THROWS(std::invalid_argument, (sgns_train({table, other, 16, rows - 1, alias, 0, 0}, {far, whole, item}, step, loss)));
    CHECK_THROWS(std::invalid_argument, (sgns_train({table, other, 16, rows, alias, 0, 0}, {far, whole, {}}, step, loss)));
}

}  // namespace

int main() {
    same_at_any_number_of_threads();
    refuses();
    return 0;
}
