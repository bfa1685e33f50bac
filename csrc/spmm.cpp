#include "spmm.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "dispatch.h"
#include "pool.h"

namespace weft {
namespace {

constexpr size_t lanes = spmm_lanes;
constexpr size_t ahead = 8;   // entries whose rows are asked for before they are added
constexpr size_t run = 256;   // entries added before the sum so far: a float's rounding then grows with the runs

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument("spmm: " + what); }

typedef float Vector __attribute__((vector_size(64)));
typedef float Loose __attribute__((vector_size(64), aligned(4), may_alias));

WEFT_INLINE const Loose* at(const float* dense, size_t row, size_t width, size_t column) {
    return reinterpret_cast<const Loose*>(dense + row * width + column);
}

WEFT_INLINE Loose* at(float* dense, size_t row, size_t width, size_t column) {
    return reinterpret_cast<Loose*>(dense + row * width + column);
}

struct Product {
    const SparseRows& a;
    const float* scale;  // or null
    const float* x;
    size_t width;
    Affine form;
    float* out;
    size_t columns;
};

void check_row(const SparseRows& a, size_t row) {
    const auto begin = a.indptr[row], end = a.indptr[row + 1];
    if (begin < 0 || end < begin || static_cast<size_t>(end) > a.indices.size())
        refuse("the row " + std::to_string(row) + " does not lie within the " + std::to_string(a.indices.size()) + " entries");
}

[[noreturn, gnu::cold, gnu::noinline]] void bad_column(uint32_t column, size_t columns) {
    refuse("an entry is in column " + std::to_string(column) + " of " + std::to_string(columns));
}

// What becomes of the sum of one row.
template <size_t TILES>
WEFT_INLINE void finish(const Product& p, size_t row, size_t z, Vector* total) {
    const Affine& f = p.form;
    const Loose* own = at(p.x, row, p.width, z);
    Loose* const to = at(p.out, row, p.width, z);
    const float alpha = p.scale ? f.alpha * p.scale[row] : f.alpha;
    for (size_t t = 0; t < TILES; ++t) {
        if (f.loop != 0) total[t] += f.loop * own[t];
        total[t] *= alpha;
        if (f.beta != 0) total[t] += f.beta * own[t];
        if (f.gamma != 0) total[t] += f.gamma * to[t];
        to[t] = total[t];
    }
}

// TILES * 16 columns of one row, from column z.
template <size_t TILES>
WEFT_INLINE void tile(const Product& p, size_t row, size_t z) {
    const auto begin = static_cast<size_t>(p.a.indptr[row]), end = static_cast<size_t>(p.a.indptr[row + 1]);
    const uint32_t* index = p.a.indices.data();
    const float* value = p.a.value.empty() ? nullptr : p.a.value.data();
    Vector total[TILES] = {};
    for (size_t first = begin; first < end; first += run) {
        const size_t last = std::min(end, first + run);
        Vector sum[TILES] = {};
        for (size_t e = first; e < last; ++e) {
            if (e + ahead < end)
                for (size_t t = 0; t < TILES; ++t)
                    __builtin_prefetch(p.x + size_t{index[e + ahead]} * p.width + z + t * lanes);
            const Loose* from = at(p.x, index[e], p.width, z);
            const float v = value ? value[e] : 1.0F;
            for (size_t t = 0; t < TILES; ++t) sum[t] += v * from[t];
        }
        for (size_t t = 0; t < TILES; ++t) total[t] += sum[t];
    }
    finish<TILES>(p, row, z, total);
}

WEFT_CLONES void rows(const Product& p, size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) {
        check_row(p.a, row);
        for (auto e = static_cast<size_t>(p.a.indptr[row]); e < static_cast<size_t>(p.a.indptr[row + 1]); ++e)
            if (p.a.indices[e] >= p.columns) [[unlikely]] bad_column(p.a.indices[e], p.columns);
        size_t z = 0;
        for (; z + 4 * lanes <= p.width; z += 4 * lanes) tile<4>(p, row, z);
        for (; z < p.width; z += lanes) tile<1>(p, row, z);
    }
}

// TILES * 16 columns of the transposed product, from column z.
template <size_t TILES>
WEFT_INLINE void slice(const Product& p, size_t z) {
    const uint32_t* index = p.a.indices.data();
    const float* value = p.a.value.empty() ? nullptr : p.a.value.data();
    float* const out = p.out + z;
    for (size_t column = 0; column < p.columns; ++column) std::fill_n(out + column * p.width, TILES * lanes, 0.0F);
    for (size_t row = 0; row + 1 < p.a.indptr.size(); ++row) {
        check_row(p.a, row);
        const auto begin = static_cast<size_t>(p.a.indptr[row]), end = static_cast<size_t>(p.a.indptr[row + 1]);
        Vector own[TILES];
        for (size_t t = 0; t < TILES; ++t) own[t] = at(p.x, row, p.width, z)[t];
        for (size_t e = begin; e < end; ++e) {
            if (e + ahead < end)
                for (size_t t = 0; t < TILES; ++t)
                    __builtin_prefetch(out + size_t{index[e + ahead]} * p.width + t * lanes, 1);
            if (index[e] >= p.columns) [[unlikely]] bad_column(index[e], p.columns);
            Loose* const to = at(p.out, index[e], p.width, z);
            const float v = value ? value[e] : 1.0F;
            for (size_t t = 0; t < TILES; ++t) to[t] = to[t] + v * own[t];
        }
    }
}

WEFT_CLONES void narrow(const Product& p, size_t z) { slice<1>(p, z); }
WEFT_CLONES void wide(const Product& p, size_t z) { slice<4>(p, z); }

// Gives the rows of the dense matrix that columns of A name.
void check(const SparseRows& a, size_t width, size_t rows_floats) {
    if (a.indptr.empty()) refuse("indptr must not be empty");
    if (!a.value.empty() && a.value.size() != a.indices.size()) refuse("value must be empty or hold one for each entry");
    if (width == 0 || width % lanes != 0) refuse("the width must be a multiple of 16 (got " + std::to_string(width) + ")");
    if (rows_floats != (a.indptr.size() - 1) * width)
        refuse("a dense matrix must have " + std::to_string(a.indptr.size() - 1) + " rows of " + std::to_string(width));
}

}  // namespace

void spmm(const SparseRows& a, std::span<const float> scale, std::span<const float> x, size_t width,
          const Affine& form, std::span<float> out) {
    check(a, width, out.size());
    const size_t n = a.indptr.size() - 1;
    if (x.size() % width != 0) refuse("x must hold rows of " + std::to_string(width));
    if (!scale.empty() && scale.size() != n) refuse("scale must be empty or hold one for each row");
    if ((form.loop != 0 || form.beta != 0) && x.size() != out.size()) refuse("loop and beta need a square matrix");
    const Product p{a, scale.empty() ? nullptr : scale.data(), x.data(), width, form, out.data(), x.size() / width};
    // Tasks of as many entries as each other: rows are as long as degrees are.
    const size_t grain = std::max<size_t>(1 << 12, a.indices.size() / 256 + 1);
    std::vector<size_t> begin{0};
    for (size_t row = 0, work = 0; row < n; ++row) {
        work += static_cast<size_t>(std::max<int64_t>(0, a.indptr[row + 1] - a.indptr[row])) + 1;
        if (work >= grain || row + 1 == n) {
            begin.push_back(row + 1);
            work = 0;
        }
    }
    parallel_for(begin.size() - 1, [&](size_t t) { rows(p, begin[t], begin[t + 1]); });
}

void spmm_transposed(const SparseRows& a, std::span<const float> x, size_t width, std::span<float> out) {
    check(a, width, x.size());
    if (out.size() % width != 0) refuse("out must hold rows of " + std::to_string(width));
    const Product p{a, nullptr, x.data(), width, {}, out.data(), out.size() / width};
    const size_t tiles = width / lanes, wides = tiles / 4 >= static_cast<size_t>(num_threads()) ? tiles / 4 : 0;
    parallel_for(wides + tiles - 4 * wides, [&](size_t t) {
        if (t < wides)
            wide(p, t * 4 * lanes);
        else
            narrow(p, (4 * wides + t - wides) * lanes);
    });
}

}  // namespace weft
