#include "sgns.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "philox.h"
#include "pool.h"

namespace weft {
namespace {

constexpr size_t lanes = 16;   // partial sums of a dot product; fixed, so that every CPU adds in one order
constexpr size_t batch = 32;   // pairs whose negatives are drawn together: their rows stay in a 32 KiB L1
constexpr float bound = 8.0F;  // scores beyond are saturated: the sigmoid's tail is 3.4e-4 there
constexpr int resolution = 32;

// At y = |score|: tail = 1 / (1 + e^y) and softplus = log(1 + e^-y). Linear between entries, off by at
// most 1.2e-5 and 3.1e-5; libm's exp would cost as much as the two dot products of a pair.
struct Curve {
    struct Entry {
        float tail, softplus;
    };
    Entry at[static_cast<int>(bound) * resolution + 2];

    Curve() {
        for (size_t i = 0; i < std::size(at); ++i) {
            const double e = std::exp(-static_cast<double>(i) / resolution);
            at[i] = {static_cast<float>(e / (1 + e)), static_cast<float>(std::log1p(e))};
        }
    }
};

struct Score {
    float miss, loss;  // 1 - sigmoid(x) and -log sigmoid(x)
};

WEFT_INLINE Score judge(const Curve& curve, float x) {
    const float size = std::fabs(x);
    const float y = (size < bound ? size : bound) * resolution;  // NaN becomes the bound: never an index
    const int i = static_cast<int>(y);
    const float f = y - static_cast<float>(i);
    const auto& a = curve.at[i];
    const auto& b = curve.at[i + 1];
    const float tail = a.tail + (b.tail - a.tail) * f;
    // The last term is max(-x, 0), written so that a NaN or infinite score makes the loss so too.
    const float loss = a.softplus + (b.softplus - a.softplus) * f + 0.5F * (size - x);
    return {x > 0 ? tail : 1 - tail, loss};
}

// CHUNKS * 16 floats known at compile time, or `chunks` * 16 when CHUNKS is 0.
template <size_t CHUNKS>
WEFT_INLINE float dot(const float* a, const float* b, size_t chunks) {
    const size_t n = CHUNKS ? CHUNKS : chunks;
    float sum[lanes];
    // The outer loop is the vector: each lane is its own chain, so no reordering is needed.
    for (size_t z = 0; z < lanes; ++z) {
        float even = 0;
        float odd = 0;
        for (size_t i = 0; i + 1 < n; i += 2) {
            even += a[i * lanes + z] * b[i * lanes + z];
            odd += a[(i + 1) * lanes + z] * b[(i + 1) * lanes + z];
        }
        sum[z] = even + odd;
    }
    if (n % 2)
        for (size_t z = 0; z < lanes; ++z) sum[z] += a[(n - 1) * lanes + z] * b[(n - 1) * lanes + z];
    float four[4];
    for (size_t z = 0; z < 4; ++z) four[z] = (sum[z] + sum[z + 4]) + (sum[z + 8] + sum[z + 12]);
    return (four[0] + four[2]) + (four[1] + four[3]);
}

struct alignas(64) Lanes {
    float at[lanes];
};

struct Block {
    const SgnsTables& tables;
    const SgnsStep& step;
    const Curve& curve;
    const uint64_t* pairs;  // of the whole call
    size_t begin, end;
    size_t head_first, tail_first, rows;  // rows of a part
    float rate;
};

WEFT_INLINE void prefetch(const float* row, size_t width) {
    for (size_t z = 0; z < width; z += lanes) __builtin_prefetch(row + z, 1);
}

// The context rows of pairs [q, q + count): the tail, then the negatives.
WEFT_INLINE void contexts(const Block& b, size_t q, size_t count, uint32_t* rows, Counter* words) {
    const Key key = key_of(b.step.key);
    const size_t stride = 1 + b.step.negatives;
    const uint64_t* alias = b.tables.alias.data() + b.tail_first;
    for (size_t i = 0; i < count; ++i) {
        const uint64_t head = b.pairs[q + i] >> 32;
        const uint32_t tail = static_cast<uint32_t>(b.pairs[q + i]);
        if (head - b.head_first >= b.rows || tail - b.tail_first >= b.rows)
            throw std::out_of_range("sgns_train: pair " + std::to_string(q + i) + " lies outside its block; " +
                                    "bucket the pairs with the same number of parts");
        rows[i * stride] = tail;
    }
    for (uint32_t k = 0; k < b.step.negatives; ++k) {
        if (k % 4 == 0)
            for (size_t i = 0; i < count; ++i) words[i] = draw(key, b.step.first + q + i, k / 4);
        for (size_t i = 0; i < count; ++i) {
            const uint64_t spot = uint64_t{words[i][k % 4]} * b.rows;
            const uint64_t entry = alias[spot >> 32];
            const uint64_t slot = static_cast<uint32_t>(spot) < static_cast<uint32_t>(entry) ? spot >> 32 : entry >> 32;
            // A foreign table may name a slot past the part; the minimum costs less than a branch.
            rows[i * stride + 1 + k] = static_cast<uint32_t>(b.tail_first + std::min<uint64_t>(slot, b.rows - 1));
        }
    }
    for (size_t i = 0; i < count * stride; ++i)
        prefetch(b.tables.context.data() + rows[i] * b.tables.width, b.tables.width);
}

// The step that one term of the loss asks of two rows.
struct Pull {
    float loss;   // of the term, weighted
    float share;  // of the other row that is added
    float keep;   // of the row itself: 1 less its decay
};

template <size_t CHUNKS>
WEFT_INLINE Pull pull(const Block& b, const float* v, const float* c, bool positive) {
    const float x = dot<CHUNKS>(v, c, b.tables.width / lanes);
    const Score s = judge(b.curve, positive ? x : -x);
    const float weight = positive ? 1.0F : b.step.negative_weight;
    return {weight * s.loss, b.rate * weight * (positive ? s.miss : -s.miss), 1 - b.rate * weight * b.step.weight_decay};
}

// One pair with one negative, the default: one pass over three rows.
template <size_t CHUNKS>
WEFT_INLINE float pair_of_two(const Block& b, float* __restrict v, float* __restrict c, float* __restrict d, float keep) {
    const size_t width = CHUNKS ? CHUNKS * lanes : b.tables.width;
    const Pull p = pull<CHUNKS>(b, v, c, true);
    const Pull n = pull<CHUNKS>(b, v, d, false);
    for (size_t z = 0; z < width; ++z) {
        const float g = p.share * c[z] + n.share * d[z];
        c[z] = p.keep * c[z] + p.share * v[z];
        d[z] = n.keep * d[z] + n.share * v[z];
        v[z] = keep * v[z] + g;
    }
    return p.loss + n.loss;
}

// One pair: v is the head's row, g and pulls are scratch, rows the 1 + K contexts.
template <size_t CHUNKS>
WEFT_INLINE float pair(const Block& b, const uint32_t* rows, float* __restrict v, float* __restrict g, Pull* pulls, float keep) {
    const size_t width = CHUNKS ? CHUNKS * lanes : b.tables.width;
    const size_t count = 1 + b.step.negatives;
    float* table = b.tables.context.data();
    if (count == 2 && rows[0] != rows[1])
        return pair_of_two<CHUNKS>(b, v, table + rows[0] * width, table + rows[1] * width, keep);
    float loss = 0;
    for (size_t k = 0; k < count; ++k) {
        pulls[k] = pull<CHUNKS>(b, v, table + rows[k] * width, k == 0);
        loss += pulls[k].loss;
    }
    for (size_t k = 0; k < count; ++k) {
        float* __restrict c = table + rows[k] * width;
        const Pull p = pulls[k];
        if (k == 0)
            for (size_t z = 0; z < width; ++z) g[z] = p.share * c[z];
        else
            for (size_t z = 0; z < width; ++z) g[z] += p.share * c[z];
        for (size_t z = 0; z < width; ++z) c[z] = p.keep * c[z] + p.share * v[z];
    }
    for (size_t z = 0; z < width; ++z) v[z] = keep * v[z] + g[z];
    return loss;
}

template <size_t CHUNKS>
WEFT_INLINE double block(const Block& b) {
    const size_t width = CHUNKS ? CHUNKS * lanes : b.tables.width;
    const size_t stride = 1 + b.step.negatives;
    std::vector<uint32_t> rows(batch * stride);
    std::vector<Pull> pulls(stride);
    std::vector<Counter> words(batch);
    std::vector<Lanes> scratch(2 * width / lanes);
    float* v = scratch.front().at;
    float* g = v + width;
    const float total = 1 + static_cast<float>(b.step.negatives) * b.step.negative_weight;
    const float keep = 1 - b.rate * total * b.step.weight_decay;
    float* home = nullptr;
    double loss = 0;
    for (size_t q = b.begin; q < b.end; q += batch) {
        const size_t count = std::min(batch, b.end - q);
        contexts(b, q, count, rows.data(), words.data());
        for (size_t i = 0; i < count; ++i) {
            float* row = b.tables.vertex.data() + (b.pairs[q + i] >> 32) * width;
            // Pairs are sorted by head: its row stays here over the whole run.
            if (row != home) {
                if (home) std::copy_n(v, width, home);
                std::copy_n(row, width, v);
                home = row;
            }
            loss += pair<CHUNKS>(b, rows.data() + i * stride, v, g, pulls.data(), keep);
        }
    }
    if (home) std::copy_n(v, width, home);
    return loss;
}

WEFT_CLONES double train_block(const Block& b) {
    switch (b.tables.width / lanes) {
        case 2: return block<2>(b);
        case 4: return block<4>(b);
        case 8: return block<8>(b);
        case 16: return block<16>(b);
        default: return block<0>(b);
    }
}

void check(const SgnsTables& t, std::span<const uint64_t> pairs, std::span<const int64_t> offset, const SgnsStep& step,
           std::span<double> loss) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("sgns_train: " + what); };
    if (t.width == 0 || t.width % lanes != 0)
        refuse("rows must be padded to a multiple of 16 floats (got " + std::to_string(t.width) + ")");
    const size_t rows = t.alias.size();
    if (t.parts == 0 || rows % t.parts != 0)
        refuse(std::to_string(rows) + " rows do not split into " + std::to_string(t.parts) + " equal parts");
    if (t.vertex.size() != rows * t.width || t.context.size() != t.vertex.size())
        refuse("vertex, context and alias must have the same number of rows");
    if (offset.size() != t.parts * t.parts + 1 || loss.size() + 1 != offset.size())
        refuse("offset and loss must hold one block for each pair of parts");
    if (offset.front() != 0 || offset.back() != static_cast<int64_t>(pairs.size()) || !std::is_sorted(offset.begin(), offset.end()))
        refuse("offset must rise from 0 to the number of pairs");
    if (step.first > step.total || pairs.size() > step.total - step.first)
        refuse("first + pairs exceeds total (" + std::to_string(step.total) + ")");
}

}  // namespace

void sgns_train(const SgnsTables& tables, std::span<const uint64_t> pairs, std::span<const int64_t> offset,
                const SgnsStep& step, std::span<double> loss) {
    check(tables, pairs, offset, step, loss);
    static const Curve curve;
    const size_t parts = tables.parts;
    const size_t rows = tables.alias.size() / parts;
    uint64_t done = step.first;
    for (size_t round = 0; round < parts; ++round) {
        const double left = step.total ? 1 - static_cast<double>(done) / static_cast<double>(step.total) : 1;
        const float rate = static_cast<float>(static_cast<double>(step.learning_rate) * std::max(left, 1e-4));
        parallel_for(parts, [&](size_t i) {
            const size_t j = (i + round) % parts;
            const size_t at = i * parts + j;
            loss[at] = train_block({tables, step, curve, pairs.data(), static_cast<size_t>(offset[at]),
                                    static_cast<size_t>(offset[at + 1]), i * rows, j * rows, rows, rate});
        });
        for (size_t i = 0; i < parts; ++i) {
            const size_t at = i * parts + (i + round) % parts;
            done += static_cast<uint64_t>(offset[at + 1] - offset[at]);
        }
    }
}

}  // namespace weft
