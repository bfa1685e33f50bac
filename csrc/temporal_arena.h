// Memory for many small arrays that grow, are given back and are taken again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"

namespace weft {

// What is given back is taken again by arrays as large or smaller, down to half of it. Not for several threads at once.
class Arena {
public:
    // The smallest power of two that holds so many bytes, 32 at least: what arrays that grow should take.
    static size_t rounded(size_t bytes);

    // Room for so many bytes, aligned to 32 of them, its contents undefined; it stands until given back or until the
    // arena ends. Throws std::bad_alloc.
    void* take(size_t bytes);

    // Asks for memory for so many bytes of arrays at once; of an arena that holds nothing.
    void reserve(size_t bytes);

    // What an array of so many bytes takes.
    static size_t taken(size_t bytes) { return (bytes + least - 1) / least * least; }

    // An array that was taken for so many bytes.
    void give(void* array, size_t bytes);

    size_t used() const { return used_; }  // bytes of the arrays that are taken
    size_t held() const { return held_; }  // bytes asked from the system

private:
    static constexpr size_t least = 32, first_chunk = size_t{64} << 10, huge = size_t{2} << 20,
                            many_huge = 8 * huge;  // where a part of one more or less is not much

    void add_chunk(size_t bytes);

    std::vector<std::vector<std::byte>> small_;  // chunks too small for huge pages
    std::vector<HugeBuffer> chunks_;
    std::byte* at_ = nullptr;
    size_t left_ = 0, used_ = 0, held_ = 0;
    std::vector<std::vector<void*>> free_;  // by size: arrays of 2^k bytes at least
};

}  // namespace weft
