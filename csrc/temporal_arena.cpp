#include "temporal_arena.h"

#include <algorithm>
#include <bit>

namespace weft {
namespace {

constexpr size_t grain = 32;

size_t whole_grains(size_t bytes) { return (bytes + grain - 1) / grain * grain; }

}  // namespace

size_t Arena::rounded(size_t bytes) { return std::bit_ceil(std::max(bytes, least)); }

void* Arena::take(size_t bytes) {
    const size_t size = whole_grains(bytes), kind = static_cast<size_t>(std::bit_width(size - 1));
    if (kind < free_.size() && !free_[kind].empty()) {
        void* const array = free_[kind].back();
        free_[kind].pop_back();
        used_ += size;
        return array;
    }
    if (size > left_) {
        // An eighth of what there is, so that little of it is unused; on huge pages as soon as one is not much.
        const size_t more = held_ < huge / 2 ? std::max(held_, first_chunk) : std::max(held_ / 8, huge);
        const size_t wanted = std::max(size + grain, more);
        if (wanted < huge) {
            auto& chunk = small_.emplace_back(wanted);
            const auto begin = reinterpret_cast<uintptr_t>(chunk.data());
            const size_t skip = (grain - begin % grain) % grain;
            at_ = chunk.data() + skip;
            left_ = wanted - skip;
            held_ += wanted;
        } else {
            const auto& chunk = chunks_.emplace_back(wanted);
            at_ = static_cast<std::byte*>(chunk.data());
            left_ = chunk.bytes();
            held_ += chunk.bytes();
        }
    }
    void* const array = at_;
    at_ += size;
    left_ -= size;
    used_ += size;
    return array;
}

void Arena::give(void* array, size_t bytes) {
    const size_t size = whole_grains(bytes), kind = static_cast<size_t>(std::bit_width(size)) - 1;
    if (kind >= free_.size()) free_.resize(kind + 1);
    free_[kind].push_back(array);
    used_ -= size;
    if (used_ == 0) *this = Arena();  // the system gets back what nobody uses
}

}  // namespace weft
