#include "temporal_draw.h"

#include "dispatch.h"

namespace weft {
namespace {

using Lanes = std::array<uint32_t, draw_lanes>;

WEFT_INLINE void words(const DrawGroup& group, Key key, uint32_t lane, uint32_t block, Lanes* out) {
    for (size_t i = 0; i < draw_lanes; ++i) {
        const auto drawn = philox4x32_wide({static_cast<uint32_t>(group.item[i]), group.item[i] >> 32, block, lane}, key);
        for (size_t j = 0; j < 4; ++j) out[j][i] = static_cast<uint32_t>(drawn[j]);
    }
}

// The loops over lanes are written so that GCC makes vectors of them.
using Lane = uint32_t* __restrict;
using ConstLane = const uint32_t* __restrict;

WEFT_INLINE void mark_equal(ConstLane a, ConstLane b, Lane marked) {
    for (size_t i = 0; i < draw_lanes; ++i) marked[i] = a[i] == b[i] ? 1 : marked[i];
}

WEFT_INLINE void larger_first(Lane a, Lane b) {
    for (size_t i = 0; i < draw_lanes; ++i) {
        const uint32_t x = a[i], y = b[i];
        a[i] = x > y ? x : y;
        b[i] = x > y ? y : x;
    }
}

WEFT_INLINE void bound(Lane word, ConstLane size) {
    for (size_t i = 0; i < draw_lanes; ++i) word[i] = static_cast<uint32_t>(bounded(word[i], size[i]));
}

WEFT_INLINE void take_or(Lane pick, ConstLane marked, ConstLane other) {
    for (size_t i = 0; i < draw_lanes; ++i) pick[i] = marked[i] ? other[i] : pick[i];
}

}  // namespace

WEFT_CLONES void draw_places(DrawGroup& group, Key key, uint32_t lane, uint32_t wanted, bool replace) {
    auto* const pick = group.pick.data();
    static_assert(draw_most % 4 == 0);
    for (uint32_t j = 0; j < wanted; j += 4) words(group, key, lane, j / 4, pick + j);
    if (replace) {
        for (uint32_t j = 0; j < wanted; ++j) bound(pick[j].data(), group.all.data());
        return;
    }
    // Floyd's way (Bentley, Floyd: "A sample of brilliance", CACM 1987).
    for (uint32_t j = 0; j < wanted; ++j) {
        Lanes size, last, taken{};
        for (size_t i = 0; i < draw_lanes; ++i) last[i] = group.all[i] - wanted + j;
        for (size_t i = 0; i < draw_lanes; ++i) size[i] = last[i] + 1;
        bound(pick[j].data(), size.data());
        for (uint32_t k = 0; k < j; ++k) mark_equal(pick[k].data(), pick[j].data(), taken.data());
        take_or(pick[j].data(), taken.data(), last.data());
    }
    // Neighbours are put in order, those at even and at odd places in turn.
    for (uint32_t pass = 0; pass < wanted; ++pass)
        for (uint32_t j = pass % 2; j + 1 < wanted; j += 2) larger_first(pick[j].data(), pick[j + 1].data());
}

}  // namespace weft
