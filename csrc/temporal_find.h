// Where moments and places lie in rows: many searches side by side, so that each waits for memory while others go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "temporal_row.h"

namespace weft {

// The events of a row before a time, or all of them.
struct Moment {
    const Row* row;
    int64_t before;
    bool all;
};

struct Found {
    uint32_t rank;     // how many they are
    uint32_t part;     // the one that holds the newest; 0 if the row has none
    uint32_t inside;   // how many are in that part; all, if the row has none
    const Event* end;  // past the newest, in that part
};

inline constexpr size_t most_found = 32;  // moments at once

// No more than most_found of them.
void find_moments(std::span<const Moment> moments, Found* out);

// Events by row and place.
struct Place {
    const Row* row;
    uint32_t at;
};
void find_events(std::span<const Place> places, const Event** out);

}  // namespace weft
