#include "temporal_arena.h"

#include <algorithm>
#include <bit>

namespace weft {

size_t Arena::rounded(size_t bytes) { return std::bit_ceil(std::max(bytes, least)); }

void* Arena::take(size_t bytes) {
    const size_t size = taken(bytes), kind = static_cast<size_t>(std::bit_width(size - 1));
    if (kind < free_.size() && !free_[kind].empty()) {
        void* const array = free_[kind].back();
        free_[kind].pop_back();
        used_ += size;
        return array;
    }
    if (size > left_) {
        // An eighth of what there is, so that little of it is unused; on huge pages as soon as one is not much.
        const size_t more = held_ < huge / 2 ? std::max(held_, first_chunk) : std::max(held_ / 8, huge);
        add_chunk(std::max(size + least, more));
    }
    void* const array = at_;
    at_ += size;
    left_ -= size;
    used_ += size;
    return array;
}

void Arena::reserve(size_t bytes) {
    if (bytes > 0) add_chunk(bytes + least);
}

void Arena::add_chunk(size_t bytes) {
    if (bytes < huge || (held_ == 0 && bytes < many_huge)) {
        auto& chunk = small_.emplace_back(bytes);
        const auto begin = reinterpret_cast<uintptr_t>(chunk.data());
        const size_t skip = (least - begin % least) % least;
        at_ = chunk.data() + skip;
        left_ = bytes - skip;
        held_ += bytes;
    } else {
        const auto& chunk = chunks_.emplace_back(bytes);
        at_ = static_cast<std::byte*>(chunk.data());
        left_ = chunk.bytes();
        held_ += chunk.bytes();
    }
}

void Arena::give(void* array, size_t bytes) {
    const size_t size = taken(bytes), kind = static_cast<size_t>(std::bit_width(size)) - 1;
    if (kind >= free_.size()) free_.resize(kind + 1);
    free_[kind].push_back(array);
    used_ -= size;
    if (used_ == 0) *this = Arena();  // the system gets back what nobody uses
}

}  // namespace weft
