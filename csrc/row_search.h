// Searches in many rising rows at once, so that one waits for memory while the others are worked on.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "dispatch.h"

namespace weft {

// A row, a node, and the answer: the first place in the row that does not lie before the node.
template <typename Id>
struct RowSearch {
    const Id* row;
    uint64_t size;  // at least 1
    Id node;
    uint64_t place;
};

// Guesses the place by interpolation, corrects the guess by what stands there, and looks through 32 places
// around: two rounds to memory where nodes are spread evenly, and bisection of the rest of the row elsewhere.
// Rows that do not rise give a place within the row or its end.
template <typename Id>
WEFT_INLINE void search_rows(RowSearch<Id>* searches, size_t count, double nodes) {
    constexpr uint64_t window = 32;
    for (size_t k = 0; k < count; ++k) {
        RowSearch<Id>& s = searches[k];
        const double guess = static_cast<double>(s.node) / nodes * static_cast<double>(s.size);
        s.place = guess < static_cast<double>(s.size - 1) ? static_cast<uint64_t>(std::max(guess, 0.0)) : s.size - 1;
        __builtin_prefetch(s.row + s.place, 0, 2);
    }
    for (size_t k = 0; k < count; ++k) {
        RowSearch<Id>& s = searches[k];
        const double off = static_cast<double>(s.node) - static_cast<double>(s.row[s.place]);
        const double guess = static_cast<double>(s.place) + off / nodes * static_cast<double>(s.size) - window / 2;
        const uint64_t last = s.size > window ? s.size - window : 0;
        s.place = guess < static_cast<double>(last) ? static_cast<uint64_t>(std::max(guess, 0.0)) : last;
        for (uint64_t at = 0; at < window; at += 64 / sizeof(Id)) __builtin_prefetch(s.row + s.place + at, 0, 2);
        __builtin_prefetch(s.row + std::min(s.place + window, s.size) - 1, 0, 2);
    }
    for (size_t k = 0; k < count; ++k) {
        RowSearch<Id>& s = searches[k];
        const Id* const from = s.row + s.place;
        const Id* const until = s.row + std::min(s.place + window, s.size);
        const Id* const end = s.row + s.size;
        if (s.place > 0 && *from >= s.node) {
            s.place = static_cast<uint64_t>(std::lower_bound(s.row, from, s.node) - s.row);
        } else if (until < end && until[-1] < s.node) {
            s.place = static_cast<uint64_t>(std::lower_bound(until, end, s.node) - s.row);
        } else {
            // Counting has no branch that memory decides.
            uint64_t before = 0;
            for (const Id* at = from; at < until; ++at) before += *at < s.node;
            s.place += before;
        }
    }
}

}  // namespace weft
