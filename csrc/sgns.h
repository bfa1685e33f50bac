// Skip-gram with negative sampling on orthogonal blocks.
//
// Technique: GraphVite's parallel negative sampling (Zhu, Xu, Qu, Tang, WWW 2019). The head table and the
// context table are cut into the same number of parts; a round trains blocks that share neither a head part
// nor a context part, so threads never touch one row and the result does not depend on their number.
#pragma once

#include <cstdint>
#include <span>

namespace weft {

struct SgnsTables {
    std::span<float> vertex;          // [rows, width], heads
    std::span<float> context;         // [rows, width], tails and negatives
    size_t width;                     // floats in a row, a multiple of 16
    size_t parts;                     // part p holds rows p * rows / parts and on
    std::span<const uint64_t> alias;  // [rows] as alias.h packs it, one table for each part
};

struct SgnsStep {
    uint64_t key;       // of the negatives; pair i of this call draws as item first + i
    uint64_t first;     // pairs trained before this call
    uint64_t total;     // pairs of the whole run: the learning rate falls linearly to 1e-4 of itself
    uint32_t negatives;
    float negative_weight;  // of each negative
    float learning_rate;
    float weight_decay;
};

// Trains every pair (head << 32 | tail) once, in place. Block (i, j) = pairs[offset[i * parts + j] ..), heads
// in part i, tails in part j; loss[i * parts + j] becomes the sum of its pairs' losses.
void sgns_train(const SgnsTables& tables, std::span<const uint64_t> pairs, std::span<const int64_t> offset,
                const SgnsStep& step, std::span<double> loss);

}  // namespace weft
