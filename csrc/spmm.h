// Products of a sparse matrix, in compressed rows, and a dense one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weft {

// Dense matrices have `width` columns, a multiple of spmm_lanes, one row after another.
inline constexpr size_t spmm_lanes = 16;

struct SparseRows {
    std::span<const int64_t> indptr;    // [R + 1]
    std::span<const uint32_t> indices;  // [E], columns, less than C
    std::span<const float> value;       // [E], or empty: every entry is 1
};

// out [R, width] = alpha * scale * (A x + loop * x) + beta * x + gamma * out, where scale [R] multiplies rows (empty: 1).
// loop and beta other than 0 need R = C. x [C, width] and out must not overlap.
// Entries of a row are added in their order, 256 at a time: no result depends on the number of threads.
struct Affine {
    float alpha = 1, loop = 0, beta = 0, gamma = 0;
};
void spmm(const SparseRows& a, std::span<const float> scale, std::span<const float> x, size_t width,
          const Affine& form, std::span<float> out);

// out [C, width] = transpose of A, times x [R, width]; rows of A are added in their order.
void spmm_transposed(const SparseRows& a, std::span<const float> x, size_t width, std::span<float> out);

}  // namespace weft
