#include "sgns.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "philox.h"
#include "sgns_tile.h"
#include "wavefront.h"

namespace weft {
namespace {

using tile::heads;
using tile::lanes;

struct Block {
    const SgnsTables& tables;
    const SgnsStep& step;
    std::span<const uint64_t> pairs;
    uint64_t head_first, tail_first;  // of the block's parts, as pairs count them
    float* vertex;                    // of its parts
    float* context;
    const uint64_t* alias;
    uint64_t item;  // of its first pair
    float rate;
};

[[noreturn, gnu::cold, gnu::noinline]] void stray(uint64_t pair) {
    throw std::out_of_range("sgns_train: pair " + std::to_string(pair) +
                            " lies outside its block; bucket the pairs with the same number of parts");
}

// Into the second-level cache: so many rows at once are more than the first has buffers, or room, for.
WEFT_INLINE void prefetch(const float* row, size_t width) {
    for (size_t z = 0; z < width; z += lanes) __builtin_prefetch(row + z, 1, 2);
}

// A block's pairs are cut into as many lanes as a step has heads; step s takes the s-th pair of each lane. Pairs
// are sorted by head: lanes pass over long runs of one head each, and a step seldom meets a head twice.
template <size_t P>
class Trainer {
public:
    explicit Trainer(const Block& b)
        : b_(b),
          width_(b.tables.width),
          negatives_(b.step.negatives),
          weights_(b.step.negatives == 1 ? tile::weights_of<2 * heads, 1, true>(b.rate, b.step.negative_weight)
                                         : tile::weights_of<heads, tile::opening, true>(b.rate, b.step.negative_weight)),
          steps_((b.pairs.size() + wide - 1) / wide),
          words_(batch),
          negative_(batch * tiles * negatives_),
          gradient_(heads * width_) {
        for (size_t i = 0; i <= wide; ++i) begin_[i] = b.pairs.size() * i / wide;
        for (auto& rows : tile_) {
            rows.width = width_;
            for (size_t i = 0; i < heads; ++i) rows.gradient[i] = gradient_.data() + i * width_;
        }
    }

    WEFT_INLINE double run() {
        double loss = 0;
        for (size_t s = 0; s < steps_; s += batch) {
            const size_t count = std::min(batch, steps_ - s);
            prepare(s, count);
            for (size_t i = 0; i < count; ++i) step(s + i, negative_.data() + i * tiles * negatives_);
            for (float& lane : loss_) {
                loss += lane;
                lane = 0;
            }
        }
        return loss;
    }

private:
    static constexpr size_t tiles = 2;  // of a step: while the scores of one become pulls, the other's are summed
    static constexpr size_t wide = tiles * heads;
    static constexpr size_t batch = 4;  // steps whose rows are asked for together

    // Whether lane i has a pair at step s, and its rows.
    WEFT_INLINE bool pair(size_t i, size_t s, float*& head, float*& tail) const {
        const size_t q = begin_[i] + s;
        if (q >= begin_[i + 1]) return false;
        const uint64_t h = (b_.pairs[q] >> 32) - b_.head_first;
        const uint64_t t = static_cast<uint32_t>(b_.pairs[q]) - b_.tail_first;
        if (h >= b_.tables.rows || t >= b_.tables.rows) [[unlikely]] stray(b_.item + q);
        head = b_.vertex + h * width_;
        tail = b_.context + t * width_;
        return true;
    }

    WEFT_INLINE void prepare(size_t s, size_t count) {
        const Key key = key_of(b_.step.key);
        const uint64_t part = b_.tables.rows;
        for (uint32_t k = 0; k < tiles * negatives_; ++k) {
            if (k % 4 == 0)
                for (size_t i = 0; i < batch; ++i) words_[i] = draw(key, b_.item + s + i, k / 4);
            for (size_t i = 0; i < count; ++i) {
                const uint64_t spot = uint64_t{words_[i][k % 4]} * part;
                const uint64_t entry = b_.alias[spot >> 32];
                const uint64_t slot = static_cast<uint32_t>(spot) < static_cast<uint32_t>(entry) ? spot >> 32 : entry >> 32;
                // A foreign table may name a slot past the part; the minimum costs less than a branch.
                float* row = b_.context + std::min(slot, part - 1) * width_;
                negative_[i * tiles * negatives_ + k] = row;
                prefetch(row, width_);
            }
        }
        for (size_t i = 0; i < wide; ++i) {
            float* before = nullptr;
            for (size_t x = 0; x < count; ++x) {
                float* head = nullptr;
                float* tail = nullptr;
                if (!pair(i, s + x, head, tail)) break;
                prefetch(tail, width_);
                if (head != before) prefetch(head, width_);
                before = head;
            }
        }
    }

    WEFT_INLINE void step(size_t s, float* const* negative) {
        float* head[wide];
        float* tail[wide];
        bool present[wide];
        bool whole = true;
        for (size_t i = 0; i < wide; ++i) {
            present[i] = pair(i, s, head[i], tail[i]);
            whole &= present[i] && (i == 0 || head[i] != head[i - 1]);
        }
        if (!whole) return singly(head, tail, present, negative);
        for (size_t t = 0; t < tiles; ++t) {
            std::copy_n(head + t * heads, heads, tile_[t].head);
            std::copy_n(tail + t * heads, heads, tile_[t].tail);
        }
        together(negative);
        if (b_.step.weight_decay != 0)
            for (size_t t = 0; t < tiles; ++t) decay(tile_[t], heads, negative + t * negatives_);
    }

    // Heads one at a time: together a head would take one step of several times the size.
    WEFT_INLINE void singly(float* const* head, float* const* tail, const bool* present, float* const* negative) {
        tile::Rows& rows = tile_[0];
        for (size_t i = 0; i < wide; ++i) {
            if (!present[i]) continue;
            rows.head[0] = head[i];
            rows.tail[0] = tail[i];
            passes<1>(rows, negative + i / heads * negatives_);
            if (b_.step.weight_decay != 0) decay(rows, 1, negative + i / heads * negatives_);
        }
    }

    // All scores of a step are taken before any row moves where one vector holds those of a tile, or of both.
    WEFT_INLINE void together(float* const* negative) {
        if (negatives_ != 1 && negatives_ != tile::opening) {
            for (size_t t = 0; t < tiles; ++t) passes<heads>(tile_[t], negative + t * negatives_);
            return;
        }
        for (size_t t = 0; t < tiles; ++t)
            std::copy_n(negative + t * negatives_, negatives_, tile_[t].negative);
        if (negatives_ == 1) {
            const auto pulls = tile::score<P>(tile_[0], tile_[1], weights_);
            for (size_t t = 0; t < tiles; ++t) tile::move<P, heads, 1, true>(tile_[t], pulls.at + 8 * t, true);
            return add(pulls);
        }
        tile::Pulls pulls[tiles];
        for (size_t t = 0; t < tiles; ++t) pulls[t] = tile::score<P, heads, tile::opening, true>(tile_[t], weights_);
        for (size_t t = 0; t < tiles; ++t) {
            tile::move<P, heads, tile::opening, true>(tile_[t], pulls[t].at, true);
            add(pulls[t]);
        }
    }

    template <size_t T>
    WEFT_INLINE void passes(tile::Rows& rows, float* const* negative) {
        if (negatives_ >= tile::opening) {
            pass<T, tile::opening, true>(rows, negative, negatives_ == tile::opening);
            more<T>(rows, negative, tile::opening);
        } else if (negatives_ == 0) {
            pass<T, 0, true>(rows, negative, true);
        } else {
            pass<T, 1, true>(rows, negative, negatives_ == 1);
            more<T>(rows, negative, 1);
        }
    }

    template <size_t T>
    WEFT_INLINE void more(tile::Rows& rows, float* const* negative, size_t k) {
        for (; k + tile::group <= negatives_; k += tile::group)
            pass<T, tile::group, false>(rows, negative + k, k + tile::group == negatives_);
        if (negatives_ - k >= 2) {
            pass<T, 2, false>(rows, negative + k, k + 2 == negatives_);
            k += 2;
        }
        if (k < negatives_) pass<T, 1, false>(rows, negative + k, true);
    }

    template <size_t T, size_t N, bool TAILS>
    WEFT_INLINE void pass(tile::Rows& rows, float* const* negative, bool last) {
        std::copy_n(negative, N, rows.negative);
        const auto weights = tile::weights_of<T, N, TAILS>(b_.rate, b_.step.negative_weight);
        const auto pulls = tile::score<P, T, N, TAILS>(rows, weights);
        tile::move<P, T, N, TAILS>(rows, pulls.at, last);
        add(pulls);
    }

    WEFT_INLINE void add(const tile::Pulls& pulls) {
        for (size_t k = 0; k < lanes; ++k) loss_[k] += pulls.loss[k];
    }

    // Each term of the loss decays the two rows it touches, in proportion to its weight.
    WEFT_INLINE void decay(const tile::Rows& rows, size_t count, float* const* negative) {
        const float each = b_.rate * b_.step.weight_decay;
        const float of_head = 1 - each * (1 + static_cast<float>(negatives_) * b_.step.negative_weight);
        const float of_negative = 1 - each * (static_cast<float>(count) * b_.step.negative_weight);
        for (size_t i = 0; i < count; ++i) {
            scale(rows.head[i], of_head);
            scale(rows.tail[i], 1 - each);
        }
        for (size_t k = 0; k < negatives_; ++k) scale(negative[k], of_negative);
    }

    WEFT_INLINE void scale(float* row, float by) {
        for (size_t z = 0; z < width_; ++z) row[z] *= by;
    }

    const Block& b_;
    const size_t width_, negatives_;
    const tile::Weights weights_;  // of a step
    float loss_[lanes] = {};  // of the batch, term by term
    const size_t steps_;
    size_t begin_[wide + 1];
    tile::Rows tile_[tiles];
    std::vector<Counter> words_;
    std::vector<float*> negative_;
    std::vector<float> gradient_;
};

// The widest vectors that the CPU has. Not target_clones: these are three programs, with P as their width.
#if defined(__x86_64__) && !defined(WEFT_NO_CLONES)
[[gnu::target("arch=x86-64-v4")]] double train_wide(const Block& b) { return Trainer<16>(b).run(); }
[[gnu::target("arch=x86-64-v3")]] double train_half(const Block& b) { return Trainer<8>(b).run(); }
double train_plain(const Block& b) { return Trainer<4>(b).run(); }

double train_block(const Block& b) {
    static const auto chosen = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                                       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                                       __builtin_cpu_supports("avx512cd")
                                   ? train_wide
                               : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? train_half
                                                                                                 : train_plain;
    return chosen(b);
}
#else
double train_block(const Block& b) { return Trainer<16>(b).run(); }
#endif


struct Grid {
    size_t heads, tails;  // parts
};

Grid check(const SgnsTables& t, const SgnsPairs& p, const SgnsStep& step, std::span<double> loss) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("sgns_train: " + what); };
    if (t.width == 0 || t.width % lanes != 0)
        refuse("rows must be padded to a multiple of 16 floats (got " + std::to_string(t.width) + ")");
    const size_t part = t.rows * t.width;
    if (part == 0 || t.rows > UINT32_MAX || t.vertex.size() % part != 0 || t.context.size() % part != 0)
        refuse("vertex and context must consist of whole parts of " + std::to_string(t.rows) + " rows");
    if (t.alias.size() * t.width != t.context.size())
        refuse("alias and context must have the same number of rows");
    const Grid grid{t.vertex.size() / part, t.context.size() / part};
    const size_t blocks = grid.heads * grid.tails;
    if (p.offset.size() != blocks + 1 || p.item.size() != blocks || loss.size() != blocks)
        refuse("offset, item and loss must name each of the " + std::to_string(blocks) + " blocks");
    if (p.offset.front() != 0 || p.offset.back() != static_cast<int64_t>(p.pairs.size()) || !std::is_sorted(p.offset.begin(), p.offset.end()))
        refuse("offset must rise from 0 to the number of pairs");
    for (size_t b = 0; b < blocks; ++b)
        if (p.item[b] > step.total || static_cast<uint64_t>(p.offset[b + 1] - p.offset[b]) > step.total - p.item[b])
            refuse("item + pairs of a block exceeds total (" + std::to_string(step.total) + ")");
    return grid;
}

float rate_at(const SgnsStep& step, uint64_t item) {
    const double left = step.total ? 1 - static_cast<double>(item) / static_cast<double>(step.total) : 1;
    return static_cast<float>(static_cast<double>(step.learning_rate) * std::max(left, 1e-4));
}

}  // namespace

void sgns_train(const SgnsTables& tables, const SgnsPairs& pairs, const SgnsStep& step, std::span<double> loss) {
    const Grid grid = check(tables, pairs, step, loss);
    const bool tied = tables.vertex.data() == tables.context.data();
    if (tied && (grid.heads != grid.tails || tables.head_first != tables.tail_first))
        throw std::invalid_argument("sgns_train: a table trained against itself must be whole");
    const auto train = [&](size_t i, size_t j) {
        const size_t b = i * grid.tails + j;
        const auto begin = static_cast<size_t>(pairs.offset[b]);
        loss[b] = train_block({
            .tables = tables,
            .step = step,
            .pairs = pairs.pairs.subspan(begin, static_cast<size_t>(pairs.offset[b + 1]) - begin),
            .head_first = tables.head_first + i * tables.rows,
            .tail_first = tables.tail_first + j * tables.rows,
            .vertex = tables.vertex.data() + i * tables.rows * tables.width,
            .context = tables.context.data() + j * tables.rows * tables.width,
            .alias = tables.alias.data() + j * tables.rows,
            .item = pairs.item[b],
            .rate = rate_at(step, pairs.item[b]),
        });
    };
    wavefront(grid.heads, grid.tails, [&](size_t i, size_t j) {
        if (tied && i > j) return;
        train(i, j);
        if (tied && i < j) train(j, i);
    });
}

}  // namespace weft
