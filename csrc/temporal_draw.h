// Which events of a root are drawn, for many roots at once. The README of weft.kernels.temporal defines the draws.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "philox.h"

namespace weft {

inline constexpr size_t draw_lanes = 16;       // roots at once
inline constexpr uint32_t draw_most = 32;      // events of each at most

struct DrawGroup {
    std::array<uint64_t, draw_lanes> item{};   // number of the root
    std::array<uint32_t, draw_lanes> all{};    // events it may have: more than are wanted, unless with replacement
    std::array<std::array<uint32_t, draw_lanes>, draw_most> pick;  // out: of each, the newest first unless with replacement
};

// Lanes that hold nothing may have any item and no events.
void draw_places(DrawGroup& group, Key key, uint32_t lane, uint32_t wanted, bool replace);

}  // namespace weft
