#include <algorithm>
#include <atomic>
#include <bit>
#include <mutex>
#include <stdexcept>

#include "idmap.h"
#include "pool.h"

namespace weft {
namespace {

uint64_t mix(uint64_t x) {
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93u;
    x ^= x >> 32;
    x *= 0xD6E8FEB86659FD93u;
    return x ^ x >> 32;
}

// Sorts parts in parallel and merges them pair by pair.
void parallel_sort(std::vector<int64_t>& values) {
    size_t parts = 1;
    while (parts < static_cast<size_t>(num_threads()) * 2 && values.size() / parts > 65536) parts *= 2;
    const auto bound = [&](size_t i, size_t of) { return values.begin() + static_cast<ptrdiff_t>(values.size() * i / of); };
    parallel_for(parts, [&](size_t i) { std::sort(bound(i, parts), bound(i + 1, parts)); });
    for (; parts > 1; parts /= 2)
        parallel_for(parts / 2, [&](size_t i) {
            std::inplace_merge(bound(2 * i, parts), bound(2 * i + 1, parts), bound(2 * i + 2, parts));
        });
}

}  // namespace

IdSet::IdSet(uint64_t max_bitmap_bytes) : max_words_(max_bitmap_bytes / 8) {}

void IdSet::Shard::insert(int64_t id, uint64_t hash) {
    if (used * 8 >= slots.size() * 5) grow();
    const size_t mask = slots.size() - 1;
    size_t at = hash & mask;
    for (; slots[at] != empty; at = (at + 1) & mask)
        if (slots[at] == id) return;
    slots[at] = id;
    ++used;
}

void IdSet::Shard::grow() {
    std::vector<int64_t> old(std::max<size_t>(64, slots.size() * 2), empty);
    old.swap(slots);
    const size_t mask = slots.size() - 1;
    for (const int64_t id : old) {
        if (id == empty) continue;
        size_t at = mix(static_cast<uint64_t>(id)) & mask;
        while (slots[at] != empty) at = (at + 1) & mask;
        slots[at] = id;
    }
}

void IdSet::cover(uint64_t bound) {
    const uint64_t words = std::min(max_words_, (bound + 63) / 64);
    if (words > bits_.size()) bits_.resize(std::min(max_words_, std::bit_ceil(words)), 0);
}

template <typename Id>
void IdSet::add(std::span<const Id> ids) {
    if (ids.empty()) return;
    seen_ += ids.size();
    // One id in 512 bits costs what the hash table would: further ids are not worth covering.
    const uint64_t worthwhile = std::max<uint64_t>(uint64_t{1} << 20, seen_ * 512);
    std::atomic<uint64_t> highest{0};
    parallel_ranges(ids.size(), 1 << 15, [&](size_t begin, size_t end) {
        uint64_t high = 0;
        for (size_t i = begin; i < end; ++i) {
            const auto id = static_cast<uint64_t>(static_cast<int64_t>(ids[i]));
            if (id < worthwhile) high = std::max(high, id + 1);
        }
        uint64_t known = highest.load(std::memory_order_relaxed);
        while (known < high && !highest.compare_exchange_weak(known, high)) {
        }
    });
    cover(highest.load());

    const uint64_t limit = covered();
    std::mutex mutex;
    std::array<std::vector<std::vector<int64_t>>, shards> found;
    std::atomic<bool> met_empty{false};
    parallel_ranges(ids.size(), 1 << 15, [&](size_t begin, size_t end) {
        std::array<std::vector<int64_t>, shards> mine;
        for (size_t i = begin; i < end; ++i) {
            const auto id = static_cast<int64_t>(ids[i]);
            if (static_cast<uint64_t>(id) < limit) {
                const std::atomic_ref<uint64_t> word(bits_[static_cast<uint64_t>(id) >> 6]);
                const uint64_t bit = uint64_t{1} << (id & 63);
                // Most ids come again and again: reading first spares the atomic write.
                if ((word.load(std::memory_order_relaxed) & bit) == 0) word.fetch_or(bit, std::memory_order_relaxed);
            } else if (id == empty) {
                met_empty.store(true, std::memory_order_relaxed);
            } else {
                mine[mix(static_cast<uint64_t>(id)) >> 60].push_back(id);
            }
        }
        const std::lock_guard lock(mutex);
        for (size_t s = 0; s < shards; ++s)
            if (!mine[s].empty()) found[s].push_back(std::move(mine[s]));
    });
    has_empty_ = has_empty_ || met_empty.load();
    parallel_for(shards, [&](size_t s) {
        for (const auto& part : found[s])
            for (const int64_t id : part) sparse_[s].insert(id, mix(static_cast<uint64_t>(id)));
    });
}

size_t IdSet::finish() {
    for (auto& shard : sparse_) {
        for (const int64_t id : shard.slots) {
            if (id == empty) continue;
            if (static_cast<uint64_t>(id) < covered())  // seen before the bitmap grew past it
                bits_[static_cast<uint64_t>(id) >> 6] |= uint64_t{1} << (id & 63);
            else
                (id < 0 ? below_ : above_).push_back(id);
        }
        shard = Shard{};
    }
    if (has_empty_) below_.push_back(empty);
    parallel_sort(below_);
    parallel_sort(above_);
    std::atomic<size_t> count{0};
    parallel_ranges(bits_.size(), 1 << 12, [&](size_t begin, size_t end) {
        size_t mine = 0;
        for (size_t w = begin; w < end; ++w) mine += static_cast<size_t>(std::popcount(bits_[w]));
        count.fetch_add(mine, std::memory_order_relaxed);
    });
    in_bitmap_ = count.load();
    return below_.size() + in_bitmap_ + above_.size();
}

size_t IdSet::bytes() const {
    size_t total = bits_.size() * 8 + (below_.capacity() + above_.capacity()) * 8;
    for (const auto& shard : sparse_) total += shard.slots.size() * 8;
    return total;
}

void IdSet::write(std::span<int64_t> out) const {
    if (out.size() != below_.size() + in_bitmap_ + above_.size())
        throw std::invalid_argument("IdSet.write: out must hold every distinct id");
    auto at = std::copy(below_.begin(), below_.end(), out.begin());
    for (size_t w = 0; w < bits_.size(); ++w)
        for (uint64_t word = bits_[w]; word != 0; word &= word - 1)
            *at++ = static_cast<int64_t>(w * 64 + static_cast<size_t>(std::countr_zero(word)));
    std::copy(above_.begin(), above_.end(), at);
}

template void IdSet::add(std::span<const int64_t>);
template void IdSet::add(std::span<const uint32_t>);

}  // namespace weft
