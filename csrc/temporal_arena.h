// Memory for many small arrays that grow, are given back and are taken again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"

namespace weft {

// Sizes are powers of two. What is given back is taken again by arrays of the same size. Not for several threads at once.
class Arena {
public:
    // The smallest size that holds so many bytes.
    static size_t rounded(size_t bytes);

    // Room for rounded(bytes), aligned to 32 bytes, its contents undefined; it stands until given back or until the
    // arena ends. Throws std::bad_alloc.
    void* take(size_t bytes);

    // An array that was taken for so many bytes.
    void give(void* array, size_t bytes);

    size_t used() const { return used_; }  // bytes of the arrays that are taken
    size_t held() const { return held_; }  // bytes asked from the system

private:
    static constexpr size_t least = 32, first_chunk = size_t{64} << 10, largest_chunk = size_t{32} << 20;

    std::vector<std::vector<std::byte>> small_;  // chunks too small for huge pages
    std::vector<HugeBuffer> chunks_;
    std::byte* at_ = nullptr;
    size_t left_ = 0, used_ = 0, held_ = 0;
    std::vector<std::vector<void*>> free_;  // by size
};

}  // namespace weft
