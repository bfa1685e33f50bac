#include <algorithm>
#include <atomic>
#include <bit>
#include <stdexcept>
#include <string>

#include "dispatch.h"
#include "idmap.h"
#include "pool.h"

namespace weft {
namespace {

constexpr size_t absent = SIZE_MAX;

// Looks up ids in a compact range and gives how many came before the first that is not there. Apart, and
// once for each pair of types, because only such functions can be cloned for CPUs that count bits.
#define WEFT_MAP_BITMAP(Id, Node)                                                                          \
    WEFT_CLONES size_t map_bitmap(const RankedWord* words, size_t size, uint64_t first, const Id* in,      \
                                  Node* out, size_t count) {                                               \
        for (size_t i = 0; i < count; ++i) {                                                               \
            const uint64_t at = static_cast<uint64_t>(static_cast<int64_t>(in[i])) - first;                \
            if (at >> 6 >= size) return i;                                                                 \
            const RankedWord word = words[at >> 6];                                                        \
            const uint64_t bit = uint64_t{1} << (at & 63);                                                 \
            if ((word.bits & bit) == 0) return i;                                                          \
            out[i] = static_cast<Node>(word.rank + static_cast<uint64_t>(std::popcount(word.bits & (bit - 1)))); \
        }                                                                                                  \
        return count;                                                                                      \
    }
WEFT_MAP_BITMAP(int64_t, uint32_t)
WEFT_MAP_BITMAP(int64_t, int64_t)
WEFT_MAP_BITMAP(uint32_t, uint32_t)
WEFT_MAP_BITMAP(uint32_t, int64_t)
#undef WEFT_MAP_BITMAP

template <typename Id>
[[noreturn]] void unknown(Id id) {
    throw std::out_of_range("id " + std::to_string(id) + " is not among the ids of the graph");
}

}  // namespace

IdIndex::IdIndex(std::span<const int64_t> ids) : ids_(ids), count_(ids.size()) {
    const size_t n = ids.size();
    if (n == 0) {
        range_ = true;
        return;
    }
    std::atomic<bool> rises{true};
    parallel_ranges(n - 1, 1 << 15, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i)
            if (ids[i] >= ids[i + 1]) rises.store(false, std::memory_order_relaxed);
    });
    if (!rises.load()) throw std::invalid_argument("IdIndex: ids must rise strictly");
    first_ = ids.front();
    // Unsigned subtraction: the span of int64 ids may itself pass int64.
    const uint64_t width = static_cast<uint64_t>(ids.back()) - static_cast<uint64_t>(first_);
    if (width == n - 1) {
        range_ = true;
    } else if (width / 32 < n) {  // a bitmap with ranks then takes no more than the ids themselves
        words_.resize(width / 64 + 1, RankedWord{0, 0});
        for (const int64_t id : ids) {
            const uint64_t at = static_cast<uint64_t>(id) - static_cast<uint64_t>(first_);
            words_[at >> 6].bits |= uint64_t{1} << (at & 63);
        }
        uint64_t rank = 0;
        for (RankedWord& word : words_) {
            word.rank = rank;
            rank += static_cast<uint64_t>(std::popcount(word.bits));
        }
    } else {
        if (n > UINT32_MAX) throw std::invalid_argument("IdIndex: more than 2^32 - 1 ids that fill no compact range");
        drop_bits_ = std::max(0, static_cast<int>(std::bit_width(width)) - static_cast<int>(std::bit_width(n)));
        starts_.resize((width >> drop_bits_) + 2, 0);
        for (const int64_t id : ids)
            ++starts_[((static_cast<uint64_t>(id) - static_cast<uint64_t>(first_)) >> drop_bits_) + 1];
        for (size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    }
}

size_t IdIndex::in_range(int64_t id) const {
    const uint64_t at = static_cast<uint64_t>(id) - static_cast<uint64_t>(first_);
    return at < count_ ? at : absent;
}

size_t IdIndex::in_bitmap(int64_t id) const {
    const uint64_t at = static_cast<uint64_t>(id) - static_cast<uint64_t>(first_);
    if (at >> 6 >= words_.size()) return absent;
    const RankedWord word = words_[at >> 6];
    const uint64_t bit = uint64_t{1} << (at & 63);
    return word.bits & bit ? word.rank + static_cast<size_t>(std::popcount(word.bits & (bit - 1))) : absent;
}

size_t IdIndex::in_buckets(int64_t id) const {
    const uint64_t bucket = (static_cast<uint64_t>(id) - static_cast<uint64_t>(first_)) >> drop_bits_;
    if (id < first_ || bucket + 1 >= starts_.size()) return absent;
    const auto begin = ids_.begin() + starts_[bucket], end = ids_.begin() + starts_[bucket + 1];
    const auto at = std::lower_bound(begin, end, id);
    return at != end && *at == id ? static_cast<size_t>(at - ids_.begin()) : absent;
}

template <typename Look>
void IdIndex::with_lookup(Look&& look) const {
    if (range_)
        look([this](int64_t id) { return in_range(id); });
    else if (!words_.empty())
        look([this](int64_t id) { return in_bitmap(id); });
    else
        look([this](int64_t id) { return in_buckets(id); });
}

template <typename Id, typename Node>
void IdIndex::map(std::span<const Id> in, std::span<Node> out) const {
    if (in.size() != out.size()) throw std::invalid_argument("IdIndex.map: in and out must have one length");
    if (sizeof(Node) == 4 && count_ > (uint64_t{1} << 32))
        throw std::invalid_argument("IdIndex.map: nodes past 2^32 need int64");
    if (!words_.empty()) {
        parallel_ranges(in.size(), 1 << 14, [&](size_t begin, size_t end) {
            const size_t known = map_bitmap(words_.data(), words_.size(), static_cast<uint64_t>(first_),
                                            in.data() + begin, out.data() + begin, end - begin);
            if (begin + known < end) unknown(in[begin + known]);
        });
        return;
    }
    with_lookup([&](auto&& place) {
        parallel_ranges(in.size(), 1 << 14, [&](size_t begin, size_t end) {
            for (size_t i = begin; i < end; ++i) {
                const size_t at = place(static_cast<int64_t>(in[i]));
                if (at == absent) [[unlikely]] unknown(in[i]);
                out[i] = static_cast<Node>(at);
            }
        });
    });
}

void IdIndex::find(std::span<const int64_t> in, std::span<int64_t> out) const {
    if (in.size() != out.size()) throw std::invalid_argument("IdIndex.find: in and out must have one length");
    with_lookup([&](auto&& place) {
        parallel_ranges(in.size(), 1 << 14, [&](size_t begin, size_t end) {
            for (size_t i = begin; i < end; ++i) {
                const size_t at = place(in[i]);
                out[i] = at == absent ? -1 : static_cast<int64_t>(at);
            }
        });
    });
}

bool narrow_ids(std::span<const int64_t> ids, std::span<uint32_t> out) {
    if (ids.size() != out.size()) throw std::invalid_argument("narrow_ids: ids and out must have one length");
    std::atomic<uint64_t> any{0};
    parallel_ranges(ids.size(), 1 << 15, [&](size_t begin, size_t end) {
        uint64_t bits = 0;
        for (size_t i = begin; i < end; ++i) {
            bits |= static_cast<uint64_t>(ids[i]);
            out[i] = static_cast<uint32_t>(ids[i]);
        }
        any.fetch_or(bits, std::memory_order_relaxed);
    });
    return any.load() >> 32 == 0;
}

template void IdIndex::map(std::span<const int64_t>, std::span<uint32_t>) const;
template void IdIndex::map(std::span<const int64_t>, std::span<int64_t>) const;
template void IdIndex::map(std::span<const uint32_t>, std::span<uint32_t>) const;
template void IdIndex::map(std::span<const uint32_t>, std::span<int64_t>) const;

}  // namespace weft
