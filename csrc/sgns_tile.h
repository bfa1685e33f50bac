// One step of skip-gram on a tile: four heads or one, the tail of each, and negatives that they share.
// Only vectors of sixteen floats and their sums in a fixed order: every CPU gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dispatch.h"

namespace weft::tile {

constexpr size_t lanes = 16;
constexpr size_t heads = 4;  // of a whole tile
constexpr size_t group = 4;  // negatives scored together at most: 4 x 4 running sums are half of AVX-512's registers
constexpr size_t opening = 3;  // beside the tails, which are the fourth

using V = float __attribute__((vector_size(lanes * sizeof(float))));

WEFT_INLINE V load(const float* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

WEFT_INLINE void store(float* p, V v) { std::memcpy(p, &v, sizeof v); }

template <int... I>
WEFT_INLINE V pick(V a, V b) {
    return __builtin_shufflevector(a, b, I...);
}

// Halves are added until one number is left.
WEFT_INLINE float sum(V x) {
    const V a = x + pick<8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7>(x, x);
    const V b = a + pick<4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11>(a, a);
    return (b[0] + b[2]) + (b[1] + b[3]);
}

// The same sums of sixteen vectors at once, vector k's in lane k: each addition halves two vectors into one.
WEFT_INLINE V sums(const V (&x)[16]) {
    V w[8];
    for (size_t k = 0; k < 8; ++k)
        w[k] = pick<0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23>(x[k], x[k + 8]) +
               pick<8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31>(x[k], x[k + 8]);
    V q[4];
    for (size_t k = 0; k < 4; ++k)
        q[k] = pick<0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27>(w[k], w[k + 4]) +
               pick<4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31>(w[k], w[k + 4]);
    V y[2];
    for (size_t k = 0; k < 2; ++k)
        y[k] = pick<0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29>(q[2 * k], q[2 * k + 1]) +
               pick<2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31>(q[2 * k], q[2 * k + 1]);
    return pick<0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30>(y[0], y[1]) +
           pick<1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31>(y[0], y[1]);
}

struct Score {
    V miss, loss;  // 1 - sigmoid(x) and -log sigmoid(x)
};

// e^-|x| by 2^-n times a polynomial on |r| <= ln 2 / 2, then log(1 + e) = 2 atanh(e / (2 + e)) by its series.
WEFT_INLINE Score judge(V x) {
    using I = int32_t __attribute__((vector_size(lanes * sizeof(int32_t))));
    const V size = x < 0 ? -x : x;
    const V y = size < 80 ? size : V{} + 80;  // NaN becomes 80: never an odd power
    const I n = __builtin_convertvector(y * 1.44269504F + 0.5F, I);
    const V r = __builtin_convertvector(n, V) * 0.693147181F - y;
    const V p = (1 + r) + (r * r) * ((0.5F + r * 0.166666667F) + (r * r) * (0.0416666667F + r * 0.00833333333F));
    const I bits = (127 - n) << 23;
    V power;
    std::memcpy(&power, &bits, sizeof power);
    const V e = p * power;
    const V tail = e / (1 + e);
    const V s = e / (2 + e);
    const V z = s * s;
    const V soft = (s + s) * (1 + z * (0.333333333F + z * (0.2F + z * (0.142857143F + z * 0.111111111F))));
    // The last term is max(-x, 0), written so that a NaN or infinite score makes the loss so too.
    return {x > 0 ? tail : 1 - tail, soft + 0.5F * (size - x)};
}

// What one pass works on: T heads, the tail of each in the first pass, N negatives of all.
struct Rows {
    float* head[heads];
    float* tail[heads];
    float* negative[group];
    float* gradient[heads];  // where the heads' steps add up between passes
    size_t width;            // floats in a row, a multiple of `lanes`
};

// Head i and its tail at i * M, head i and negative j behind it.
struct Pulls {
    float at[16];  // how far each row goes along the other
    V loss;        // of each term
};

template <size_t T, size_t N, bool TAILS>
constexpr size_t terms = N + (TAILS ? 1 : 0);

// What the terms of a pass have in common.
struct Weights {
    V sign;    // of the score
    V weight;  // in the loss; 0 where there is no term
    V pull;    // rate * weight * sign
};

template <size_t T, size_t N, bool TAILS>
WEFT_INLINE Weights weights_of(float rate, float negative) {
    constexpr size_t M = terms<T, N, TAILS>;
    Weights w{};
    for (size_t k = 0; k < T * M; ++k) {
        const bool positive = TAILS && k % M == 0;
        w.sign[k] = positive ? 1.0F : -1.0F;
        w.weight[k] = positive ? 1.0F : negative;
    }
    w.pull = (rate * w.weight) * w.sign;
    return w;
}

// No row moves before all scores are taken.
template <size_t T, size_t N, bool TAILS>
WEFT_INLINE Pulls score(const Rows& r, const Weights& w) {
    constexpr size_t M = terms<T, N, TAILS>;
    constexpr size_t own = M - N;
    static_assert(T * M <= 16);
    V part[16] = {};
    for (size_t z = 0; z < r.width; z += lanes) {
        V c[group];
        for (size_t j = 0; j < N; ++j) c[j] = load(r.negative[j] + z);
        for (size_t i = 0; i < T; ++i) {
            const V h = load(r.head[i] + z);
            if constexpr (TAILS) part[i * M] += h * load(r.tail[i] + z);
            for (size_t j = 0; j < N; ++j) part[i * M + own + j] += h * c[j];
        }
    }
    V x = {};
    if constexpr (T * M == 16)
        x = sums(part);
    else
        for (size_t k = 0; k < T * M; ++k) x[k] = sum(part[k]);
    const Score s = judge(w.sign * x);
    Pulls p;
    store(p.at, w.pull * s.miss);
    p.loss = w.weight * s.loss;
    return p;
}

// Context rows move one after another and are read again for each: a row that occurs twice takes both steps.
// The heads' own steps add up in registers, from `gradient` on unless this is the first pass, and are added to
// the rows, as they are by then, in the last.
template <size_t T, size_t N, bool TAILS>
WEFT_INLINE void move(const Rows& r, const Pulls& p, bool last) {
    constexpr size_t M = terms<T, N, TAILS>;
    constexpr size_t own = M - N;
    for (size_t z = 0; z < r.width; z += lanes) {
        V h[T];
        V g[T];
        for (size_t i = 0; i < T; ++i) h[i] = load(r.head[i] + z);
        for (size_t i = 0; i < T; ++i) {
            if constexpr (TAILS) {
                const V c = load(r.tail[i] + z);
                g[i] = p.at[i * M] * c;
                store(r.tail[i] + z, c + p.at[i * M] * h[i]);
            } else {
                g[i] = load(r.gradient[i] + z);
            }
        }
        for (size_t j = 0; j < N; ++j) {
            const V c = load(r.negative[j] + z);
            V d = p.at[own + j] * h[0];
            for (size_t i = 1; i < T; ++i) d += p.at[i * M + own + j] * h[i];
            for (size_t i = 0; i < T; ++i) g[i] += p.at[i * M + own + j] * c;
            store(r.negative[j] + z, c + d);
        }
        for (size_t i = 0; i < T; ++i) {
            if (last)
                store(r.head[i] + z, load(r.head[i] + z) + g[i]);
            else
                store(r.gradient[i] + z, g[i]);
        }
    }
}

}  // namespace weft::tile
