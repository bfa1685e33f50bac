// One step of skip-gram on a tile: four heads or one, the tail of each, and negatives that they share.
//
// A row is worked on in vectors of P floats, P being what the CPU has: 16, 8 or 4. Every dot product is sixteen
// running sums whatever P is, added up in one order, so every CPU gives the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dispatch.h"

namespace weft::tile {

constexpr size_t lanes = 16;
constexpr size_t heads = 4;  // of a whole tile
constexpr size_t group = 4;  // negatives scored together at most: 4 x 4 running sums are half of AVX-512's registers
constexpr size_t opening = 3;  // beside the tails, which are the fourth

template <size_t P>
struct Vector;
template <>
struct Vector<4> {
    using Float = float __attribute__((vector_size(16)));
    using Int = int32_t __attribute__((vector_size(16)));
};
template <>
struct Vector<8> {
    using Float = float __attribute__((vector_size(32)));
    using Int = int32_t __attribute__((vector_size(32)));
};
template <>
struct Vector<16> {
    using Float = float __attribute__((vector_size(64)));
    using Int = int32_t __attribute__((vector_size(64)));
};
template <size_t P>
using Vec = typename Vector<P>::Float;

template <size_t P>
WEFT_INLINE Vec<P> load(const float* p) {
    Vec<P> v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

template <typename V>
WEFT_INLINE void store(float* p, V v) {
    std::memcpy(p, &v, sizeof v);
}

template <int... I, typename V>
WEFT_INLINE auto pick(V a, V b) {
    return __builtin_shufflevector(a, b, I...);
}

// Sixteen running sums of one dot product, as halves are added until four are left.
template <size_t P>
WEFT_INLINE Vec<4> quarter(const Vec<P> (&x)[lanes / P]) {
    if constexpr (P == 16) {
        const auto a = pick<0, 1, 2, 3, 4, 5, 6, 7>(x[0], x[0]) + pick<8, 9, 10, 11, 12, 13, 14, 15>(x[0], x[0]);
        return pick<0, 1, 2, 3>(a, a) + pick<4, 5, 6, 7>(a, a);
    } else if constexpr (P == 8) {
        const auto a = x[0] + x[1];
        return pick<0, 1, 2, 3>(a, a) + pick<4, 5, 6, 7>(a, a);
    } else {
        return (x[0] + x[2]) + (x[1] + x[3]);
    }
}

// Four such sums at once: (0 + 2) + (1 + 3) of each.
WEFT_INLINE Vec<4> finish(const Vec<4> (&b)[4]) {
    const auto s = pick<0, 1, 4, 5>(b[0], b[1]) + pick<2, 3, 6, 7>(b[0], b[1]);
    const auto t = pick<0, 1, 4, 5>(b[2], b[3]) + pick<2, 3, 6, 7>(b[2], b[3]);
    return pick<0, 2, 4, 6>(s, t) + pick<1, 3, 5, 7>(s, t);
}

// All sixteen sums of a tile at once in AVX-512's registers: each addition halves two vectors into one.
WEFT_INLINE Vec<16> finish(const Vec<16> (&x)[16]) {
    Vec<16> w[8];
    for (size_t k = 0; k < 8; ++k)
        w[k] = pick<0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23>(x[k], x[k + 8]) +
               pick<8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31>(x[k], x[k + 8]);
    Vec<16> q[4];
    for (size_t k = 0; k < 4; ++k)
        q[k] = pick<0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27>(w[k], w[k + 4]) +
               pick<4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31>(w[k], w[k + 4]);
    Vec<16> y[2];
    for (size_t k = 0; k < 2; ++k)
        y[k] = pick<0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29>(q[2 * k], q[2 * k + 1]) +
               pick<2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31>(q[2 * k], q[2 * k + 1]);
    return pick<0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30>(y[0], y[1]) +
           pick<1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31>(y[0], y[1]);
}

template <typename V>
struct Score {
    V miss, loss;  // 1 - sigmoid(x) and -log sigmoid(x)
};

// e^-|x| by 2^-n times a polynomial on |r| <= ln 2 / 2, then log(1 + e) = 2 atanh(e / (2 + e)) by its series.
template <size_t P>
WEFT_INLINE Score<Vec<P>> judge(Vec<P> x) {
    using V = Vec<P>;
    using I = typename Vector<P>::Int;
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
struct alignas(64) Pulls {
    float at[16];    // how far each row goes along the other
    float loss[16];  // of each term
};

template <size_t N, bool TAILS>
constexpr size_t terms = N + (TAILS ? 1 : 0);

// What the terms of a pass have in common.
struct alignas(64) Weights {
    float sign[16];    // of the score
    float weight[16];  // in the loss; 0 where there is no term
    float pull[16];    // rate * weight * sign
};

template <size_t T, size_t N, bool TAILS>
WEFT_INLINE Weights weights_of(float rate, float negative) {
    constexpr size_t M = terms<N, TAILS>;
    Weights w{};
    for (size_t k = 0; k < T * M; ++k) {
        const bool positive = TAILS && k % M == 0;
        w.sign[k] = positive ? 1.0F : -1.0F;
        w.weight[k] = positive ? 1.0F : negative;
        w.pull[k] = (rate * w.weight[k]) * w.sign[k];
    }
    return w;
}

// The running sums of lanes [s, s + P) of heads [first, first + T).
template <size_t P, size_t T, size_t N, bool TAILS>
WEFT_INLINE void add_up(const Rows& r, size_t first, size_t s, Vec<P> (*out)[lanes / P]) {
    constexpr size_t M = terms<N, TAILS>;
    constexpr size_t own = M - N;
    Vec<P> part[T * M] = {};
    for (size_t z = s; z < r.width; z += lanes) {
        Vec<P> c[N + 1];
        for (size_t j = 0; j < N; ++j) c[j] = load<P>(r.negative[j] + z);
        for (size_t i = 0; i < T; ++i) {
            const Vec<P> h = load<P>(r.head[first + i] + z);
            if constexpr (TAILS) part[i * M] += h * load<P>(r.tail[first + i] + z);
            for (size_t j = 0; j < N; ++j) part[i * M + own + j] += h * c[j];
        }
    }
    for (size_t k = 0; k < T * M; ++k) out[first * M + k][s / P] = part[k];
}

// The running sums of all terms of heads [0, T).
template <size_t P, size_t T, size_t N, bool TAILS>
WEFT_INLINE void add_up_all(const Rows& r, Vec<P> (*out)[lanes / P]) {
    constexpr size_t together = P == 16 ? T : std::min<size_t>(T, 2);  // as many as narrow CPUs have registers for
    for (size_t i = 0; i < T; i += together)
        for (size_t s = 0; s < lanes; s += P) add_up<P, together, N, TAILS>(r, i, s, out);
}

// Sixteen dot products from their running sums; `FULL`: none of them is empty.
template <size_t P, bool FULL>
WEFT_INLINE Pulls pulls_of(const Vec<P> (*part)[lanes / P], const Weights& w) {
    alignas(64) float x[16];
    if constexpr (P == 16 && FULL) {
        Vec<16> flat[16];
        for (size_t k = 0; k < 16; ++k) flat[k] = part[k][0];
        store(x, finish(flat));
    } else {
        for (size_t k = 0; k < 16; k += 4) {
            Vec<4> b[4];
            for (size_t q = 0; q < 4; ++q) b[q] = quarter<P>(part[k + q]);
            store(x + k, finish(b));
        }
    }
    Pulls p;
    for (size_t k = 0; k < 16; k += P) {
        const auto s = judge<P>(load<P>(w.sign + k) * load<P>(x + k));
        store(p.at + k, load<P>(w.pull + k) * s.miss);
        store(p.loss + k, load<P>(w.weight + k) * s.loss);
    }
    return p;
}

// No row moves before all scores are taken.
template <size_t P, size_t T, size_t N, bool TAILS>
WEFT_INLINE Pulls score(const Rows& r, const Weights& w) {
    constexpr size_t count = T * terms<N, TAILS>;
    static_assert(count <= 16);
    Vec<P> part[16][lanes / P] = {};
    add_up_all<P, T, N, TAILS>(r, part);
    return pulls_of<P, count == 16>(part, w);
}

// Two tiles with a negative each: what both score fills one vector, the second's from 8 on.
template <size_t P>
WEFT_INLINE Pulls score(const Rows& first, const Rows& second, const Weights& w) {
    Vec<P> part[16][lanes / P];
    add_up_all<P, heads, 1, true>(first, part);
    add_up_all<P, heads, 1, true>(second, part + 8);
    return pulls_of<P, true>(part, w);
}

// Context rows move one after another and are read again for each: a row that occurs twice takes both steps.
// The heads' own steps add up in registers, from `gradient` on unless this is the first pass, and are added to
// the rows, as they are by then, in the last.
template <size_t P, size_t T, size_t N, bool TAILS>
WEFT_INLINE void move(const Rows& r, const float* at, bool last) {
    constexpr size_t M = terms<N, TAILS>;
    constexpr size_t own = M - N;
    using V = Vec<P>;
    for (size_t z = 0; z < r.width; z += P) {
        V h[T];
        V g[T];
        for (size_t i = 0; i < T; ++i) h[i] = load<P>(r.head[i] + z);
        for (size_t i = 0; i < T; ++i) {
            if constexpr (TAILS) {
                const V c = load<P>(r.tail[i] + z);
                g[i] = at[i * M] * c;
                store(r.tail[i] + z, c + at[i * M] * h[i]);
            } else {
                g[i] = load<P>(r.gradient[i] + z);
            }
        }
        for (size_t j = 0; j < N; ++j) {
            const V c = load<P>(r.negative[j] + z);
            V d = at[own + j] * h[0];
            for (size_t i = 1; i < T; ++i) d += at[i * M + own + j] * h[i];
            for (size_t i = 0; i < T; ++i) g[i] += at[i * M + own + j] * c;
            store(r.negative[j] + z, c + d);
        }
        for (size_t i = 0; i < T; ++i) {
            if (last)
                store(r.head[i] + z, load<P>(r.head[i] + z) + g[i]);
            else
                store(r.gradient[i] + z, g[i]);
        }
    }
}

}  // namespace weft::tile
