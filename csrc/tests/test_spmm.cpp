#include "spmm.h"

#include <stdexcept>
#include <vector>

#include "check.h"
#include "philox.h"
#include "pool.h"

using weft::spmm;
using weft::spmm_transposed;

struct Toy {
    std::vector<int64_t> indptr{0};
    std::vector<uint32_t> indices;
    std::vector<float> value;
    size_t n;

    explicit Toy(size_t n) : n(n) {
        for (size_t row = 0; row < n; ++row) {
            const size_t degree = row == n / 2 ? 700 : row % 5;
            for (size_t e = 0; e < degree; ++e) {
                indices.push_back(weft::draw({1, 2}, row, static_cast<uint32_t>(e))[0] % static_cast<uint32_t>(n));
                value.push_back(0.25F * static_cast<float>(e % 7) - 0.5F);
            }
            indptr.push_back(static_cast<int64_t>(indices.size()));
        }
    }
    weft::SparseRows rows() const { return {indptr, indices, value}; }
};

static std::vector<float> dense(size_t n, size_t width) {
    std::vector<float> x(n * width);
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 13) - 6;
    return x;
}

static void products_do_not_depend_on_threads() {
    const Toy toy(301);
    for (const size_t width : {16, 80, 144}) {
        const auto x = dense(toy.n, width);
        std::vector<float> scale(toy.n, 0.5F), first, second;
        for (const int threads : {1, 2, 4}) {
            weft::set_num_threads(threads);
            std::vector<float> out(x.size(), 1), turned(x.size(), 99);
            spmm(toy.rows(), scale, x, width, {2, 1, 3, -1}, out);
            spmm_transposed(toy.rows(), x, width, turned);
            if (threads == 1) {
                first = out;
                second = turned;
            }
            CHECK(out == first && turned == second);
        }
    }
}

static void transposed_is_the_transpose() {
    // Whole numbers and quarters: every float32 sum is exact, so the two forms must agree exactly.
    const Toy toy(40);
    const auto x = dense(toy.n, 16);
    std::vector<float> out(x.size(), 99), wanted(x.size(), 0);
    spmm_transposed(toy.rows(), x, 16, out);
    for (size_t row = 0; row < toy.n; ++row)
        for (auto e = static_cast<size_t>(toy.indptr[row]); e < static_cast<size_t>(toy.indptr[row + 1]); ++e)
            for (size_t z = 0; z < 16; ++z) wanted[toy.indices[e] * 16 + z] += toy.value[e] * x[row * 16 + z];
    CHECK(out == wanted);
}

static void damage_throws() {
    Toy toy(40);
    const auto x = dense(toy.n, 16);
    std::vector<float> out(x.size());
    toy.indices[3] = 40;
    CHECK_THROWS(std::invalid_argument, spmm(toy.rows(), {}, x, 16, {}, out));
    CHECK_THROWS(std::invalid_argument, spmm_transposed(toy.rows(), x, 16, out));
    toy.indices[3] = 0;
    toy.indptr[2] = 1 << 20;
    CHECK_THROWS(std::invalid_argument, spmm(toy.rows(), {}, x, 16, {}, out));
    CHECK_THROWS(std::invalid_argument, spmm_transposed(toy.rows(), x, 16, out));
    CHECK_THROWS(std::invalid_argument, spmm(toy.rows(), {}, x, 8, {}, out));
}

int main() {
    products_do_not_depend_on_threads();
    transposed_is_the_transpose();
    damage_throws();
}
