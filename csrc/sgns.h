// Skip-gram with negative sampling in blocks.
//
// Technique: GraphVite's parallel negative sampling (Zhu, Xu, Qu, Tang, WWW 2019). Both tables are cut into parts;
// block (i, j) holds the pairs whose head is in part i and whose tail is in part j, and draws its negatives from
// part j. Blocks are trained row by row; as (i, j) shares rows only with the blocks of row i and of column j, many
// run at once (wavefront.h) and the result does not depend on how many.
#pragma once

#include <cstdint>
#include <span>

namespace weft {

// A strip of I head parts against a panel of J tail parts; the whole tables, or what of them is in memory.
struct SgnsTables {
    std::span<float> vertex;          // [I * rows, width], heads
    std::span<float> context;         // [J * rows, width], tails and negatives
    size_t width;                     // floats in a row, a multiple of 16
    size_t rows;                      // of a part
    std::span<const uint64_t> alias;  // [J * rows] as alias.h packs it, one table for each part
    uint64_t head_first, tail_first;  // what pairs call the first row of vertex and of context
};

// Block (i, j) = pairs[offset[i * J + j] ..), each head row << 32 | tail row.
struct SgnsPairs {
    std::span<const uint64_t> pairs;
    std::span<const int64_t> offset;  // [I * J + 1]
    std::span<const uint64_t> item;   // [I * J]: pairs of the run before the block: its random numbers and its rate
};

struct SgnsStep {
    uint64_t key;       // of the negatives
    uint64_t total;     // pairs of the whole run: the learning rate falls linearly to 1e-4 of itself
    uint32_t negatives;
    float negative_weight;  // of each negative
    float learning_rate;
    float weight_decay;
};

// Trains every pair once, in place; loss[i * J + j] becomes the sum of the losses of the block's pairs.
//
// If vertex and context are one table, as in LINE of the first order, block (j, i) comes right after (i, j), i < j:
// both use parts i and j alone, and the pairs of blocks on and above the diagonal make a wavefront as before.
void sgns_train(const SgnsTables& tables, const SgnsPairs& pairs, const SgnsStep& step, std::span<double> loss);

}  // namespace weft
