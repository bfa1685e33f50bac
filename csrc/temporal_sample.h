// Neighbours of nodes at moments: the newest events before, or some of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "growing.h"
#include "temporal_rows.h"

namespace weft {

struct TemporalOptions {
    uint64_t key;
    uint64_t item;     // number of the first root, which the draws are counted by
    std::span<const uint64_t> items;  // numbers of all roots instead; empty: counted up from `item`
    uint32_t lane;     // other hops draw other numbers
    uint32_t fanout;   // events of a root at most
    bool uniform;      // not the newest, but any
    bool replace;      // uniform: an event may be drawn twice
    bool inclusive;    // events at the time of the root itself, too
    uint64_t window;   // no event older than so much before the root; 0: all
};

// Events of the roots, root after root, the newest first; those drawn with replacement as they were drawn.
struct TemporalSample {
    Growing<int64_t> row;      // number of the root
    Growing<uint32_t> node;    // at the other end
    Growing<uint32_t> number;  // of the event
    Growing<int64_t> time;     // of the event
};

// The README of weft.kernels.temporal defines the draws. Throws std::invalid_argument for a root that is no node, or
// where arrays differ in length.
TemporalSample sample_events(const TemporalRows::Pages& pages, size_t nodes, std::span<const uint32_t> root,
                             std::span<const int64_t> time, const TemporalOptions& options);

}  // namespace weft
