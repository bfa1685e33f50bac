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
        float s = 0;
        for (size_t i = 0; i < n; ++i) s += a[i * lanes + z] * b[i * lanes + z];
        sum[z] = s;
    }
    for (size_t z = 0; z < 8; ++z) sum[z] += sum[z + 8];
    for (size_t z = 0; z < 4; ++z) sum[z] += sum[z + 4];
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
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

// One pair: v is the head's row, g and scores are scratch, rows the 1 + K contexts.
template <size_t CHUNKS>
WEFT_INLINE float pair(const Block& b, const uint32_t* rows, float* __restrict v, float* __restrict g, float* pull) {
    const size_t chunks = b.tables.width / lanes;
    const size_t width = CHUNKS ? CHUNKS * lanes : b.tables.width;
    const size_t count = 1 + b.step.negatives;
    float* table = b.tables.context.data();
    float loss = 0;
    for (size_t k = 0; k < count; ++k) {
        const float x = dot<CHUNKS>(v, table + rows[k] * width, chunks);
        const Score s = judge(b.curve, k == 0 ? x : -x);
        const float weight = k == 0 ? 1.0F : b.step.negative_weight;
        loss += weight * s.loss;
        pull[k] = b.rate * weight * (k == 0 ? s.miss : -s.miss);
    }
    for (size_t z = 0; z < width; ++z) g[z] = 0;
    for (size_t k = 0; k < count; ++k) {
        float* __restrict c = table + rows[k] * width;
        const float weight = k == 0 ? 1.0F : b.step.negative_weight;
        const float keep = 1 - b.rate * weight * b.step.weight_decay;
        const float a = pull[k];
        for (size_t z = 0; z < width; ++z) {
            g[z] += a * c[z];
            c[z] = keep * c[z] + a * v[z];
        }
    }
    const float total = 1 + static_cast<float>(b.step.negatives) * b.step.negative_weight;
    const float keep = 1 - b.rate * total * b.step.weight_decay;
    for (size_t z = 0; z < width; ++z) v[z] = keep * v[z] + g[z];
    return loss;
}

template <size_t CHUNKS>
WEFT_INLINE double block(const Block& b) {
    const size_t width = CHUNKS ? CHUNKS * lanes : b.tables.width;
    const size_t stride = 1 + b.step.negatives;
    std::vector<uint32_t> rows(batch * stride);
    std::vector<float> pull(stride);
    std::vector<Counter> words(batch);
    std::vector<Lanes> scratch(2 * width / lanes);
    float* v = scratch.front().at;
    float* g = v + width;
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
            loss += pair<CHUNKS>(b, rows.data() + i * stride, v, g, pull.data());
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
