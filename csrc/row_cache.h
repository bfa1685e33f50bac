// Rows kept in memory before a table that is slower.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "cache_policy.h"
#include "memory.h"
#include "row_file.h"

namespace weft {

class RowCache {
public:
    struct Counts {
        uint64_t hits, misses;  // rows found and not found
        uint64_t ahead, along;  // rows read for the batches after, and kept because their block was read
    };

    // Rows of `width` bytes; 0 keeps none and counts alone.
    RowCache(std::unique_ptr<CachePolicy> policy, size_t width);

    // out[i] = row ids[i], read from the file where it is not here. One call at a time, but for expect() and the like.
    // Throws std::invalid_argument for an id that is not a row, and what RowFile throws; the cache is as good as
    // before then.
    void take(RowFile& file, std::span<const uint32_t> ids, std::span<std::byte> out);

    // The same in two halves, for tables of any kind: begin() writes the rows it has, and to `missing`, as long as ids,
    // the places in ids of those it has not, and returns how many; when these are written too, end(true) keeps some;
    // end(false) when they could not be had.
    size_t begin(std::span<const uint32_t> ids, std::span<std::byte> out, std::span<int64_t> missing);
    void end(std::span<const uint32_t> ids, std::span<const std::byte> out, bool there);

    // Writes rows that wait for their bytes from the start, as those of a static policy do.
    void fill(std::span<const uint32_t> ids, std::span<const std::byte> rows);

    // As CachePolicy has them, from any thread.
    void expect(std::span<const uint32_t> ids);
    void forget();
    size_t window() const;
    Counts counts() const;

private:
    size_t batches_together(const RowFile& file, size_t missed) const;
    void check(std::span<const uint32_t> ids) const;
    void look(std::span<const uint32_t> ids, std::span<std::byte> out);
    void keep(std::span<const uint32_t> ids, std::span<const std::byte> out, bool there);
    std::byte* row(uint32_t slot) const { return static_cast<std::byte*>(rows_.data()) + size_t{slot} * width_; }

    std::unique_ptr<CachePolicy> policy_;
    size_t width_;
    HugeBuffer rows_;
    mutable std::mutex lock_;
    std::vector<uint32_t> place_, keep_;  // of the batch that is served
    Counts counts_{};
    double read_ = 0;  // rows a batch, of late
};

}  // namespace weft
