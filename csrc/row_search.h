// Searches in many rising rows at once, in three rounds, so that memory answers while others are worked on.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "dispatch.h"

namespace weft {

// The first place in a row that does not lie before a node: guessed by interpolation, the guess corrected by
// what stands there, and two lines of memory around it looked through. Where nodes are spread unevenly the
// rest of the row is bisected, from there on in steps that double. Rows that do not rise give a place within
// the row or its end.
template <typename Id, size_t most>
class RowSearches {
public:
    RowSearches() : RowSearches(1) {}
    explicit RowSearches(uint64_t nodes)
        : per_node_(1 / static_cast<double>(nodes)), fixed_(~uint64_t{0} / std::max<uint64_t>(nodes, 1)) {}

    size_t count() const { return count_; }

    // Of a row that is not empty, on behalf of `whose`.
    WEFT_INLINE void add(const Id* row, uint32_t size, Id node, uint32_t whose) {
        row_[count_] = row;
        size_[count_] = size;
        node_[count_] = node;
        whose_[count_] = whose;
        at_[count_] = guess(size, node);
        __builtin_prefetch(row + at_[count_], 0, 2);
        ++count_;
    }

    // Calls near(whose, first, last) with what will be looked at.
    template <typename Near>
    WEFT_INLINE void narrow(Near&& near) {
        for (size_t k = 0; k < count_; ++k) {
            const Id* const row = row_[k];
            const double off = static_cast<double>(node_[k]) - static_cast<double>(row[at_[k]]);
            const auto size = static_cast<double>(int64_t{size_[k]});
            double shift = off * per_node_ * size;
            shift = shift < size ? shift : size;
            shift = shift > -size ? shift : -size;
            const auto middle = static_cast<int64_t>(at_[k]) + static_cast<int64_t>(shift) - int64_t{line / 2};
            const uint64_t address = reinterpret_cast<uintptr_t>(row) / sizeof(Id) + static_cast<uint64_t>(middle);
            const int64_t aligned = middle - static_cast<int64_t>(address % line);
            const int64_t last = int64_t{size_[k]} - int64_t{window};
            at_[k] = static_cast<uint32_t>(std::max<int64_t>(std::min(aligned, last), 0));
            __builtin_prefetch(row + at_[k], 0, 2);
            __builtin_prefetch(row + at_[k] + line, 0, 2);
            __builtin_prefetch(row + at_[k] + window - 1, 0, 2);
            near(whose_[k], row + at_[k], row + at_[k] + window - 1);
        }
    }

    // Calls found(whose, whether the row holds the node, a place shortly before its) for each, and forgets them.
    template <typename Found>
    WEFT_INLINE void ask(Found&& found) {
        for (size_t k = 0; k < count_; ++k) {
            const Id* const row = row_[k];
            const Id* const from = row + at_[k];
            const Id node = node_[k];
            if (size_[k] < window || lies_before(k) || lies_behind(k)) [[unlikely]] {
                const uint64_t place = far(k);
                found(whose_[k], place < size_[k] && row[place] == node, row + place);
                continue;
            }
            // Looking at all has no branch that memory decides.
            uint32_t equal = 0;
            for (size_t j = 0; j < window; ++j) equal += from[j] == node;
            found(whose_[k], equal > 0, from);
        }
        count_ = 0;
    }

private:
    static constexpr uint32_t line = 64 / sizeof(Id), window = 2 * line;

    WEFT_INLINE uint32_t guess(uint32_t size, Id node) const {
        if constexpr (sizeof(Id) == 4)
            return static_cast<uint32_t>(uint64_t{static_cast<uint32_t>(node * fixed_ >> 32)} * size >> 32);
        const double at = static_cast<double>(node) * per_node_ * static_cast<double>(size);
        return at < static_cast<double>(size - 1) ? static_cast<uint32_t>(std::max(at, 0.0)) : size - 1;
    }

    WEFT_INLINE bool lies_before(size_t k) const { return row_[k][at_[k]] > node_[k] && at_[k] > 0; }
    WEFT_INLINE bool lies_behind(size_t k) const {
        return row_[k][at_[k] + window - 1] < node_[k] && at_[k] + window < size_[k];
    }

    // Of a node that may lie outside of the window.
    [[gnu::noinline]] uint64_t far(size_t k) const {
        const Id* const row = row_[k];
        const Id* const end = row + size_[k];
        const Id node = node_[k];
        const Id* low = row + at_[k];
        const Id* high = low;
        ptrdiff_t step = window;
        if (low < end && *low < node) {
            while (end - high > step && high[step] < node) {
                high += step;
                step *= 2;
            }
            low = high;
            high = end - high > step ? high + step : end;
        } else {
            while (low - row > step && low[-step] >= node) {
                low -= step;
                step *= 2;
            }
            high = low;
            low = low - row > step ? low - step : row;
        }
        return static_cast<uint64_t>(std::lower_bound(low, high, node) - row);
    }

    double per_node_;
    uint64_t fixed_;  // per_node_ as a share of 2^64
    size_t count_ = 0;
    std::array<const Id*, most> row_;
    std::array<uint32_t, most> size_, at_;
    std::array<Id, most> node_;
    std::array<uint32_t, most> whose_;
};

}  // namespace weft
