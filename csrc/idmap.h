// External integer ids to dense nodes: collect the distinct ids, then number them in rising order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weft {

// The distinct ids seen so far. Ids in a compact range from 0 cost a bit each, others a place in a hash table.
class IdSet {
public:
    // The bitmap grows to at most max_bitmap_bytes, and only while ids fill a fair part of it.
    explicit IdSet(uint64_t max_bitmap_bytes);

    template <typename Id>
    void add(std::span<const Id> ids);

    // No more add after this. Gives the number of distinct ids.
    size_t finish();

    // Bytes held.
    size_t bytes() const;

    // After finish: the distinct ids, rising. out.size() is what finish gave.
    void write(std::span<int64_t> out) const;

private:
    struct Shard {
        std::vector<int64_t> slots;
        size_t used = 0;
        void insert(int64_t id, uint64_t hash);
        void grow();
    };
    static constexpr size_t shards = 16;
    static constexpr int64_t empty = INT64_MIN;  // has_empty_ stands for that id itself

    uint64_t covered() const { return bits_.size() * 64; }
    void cover(uint64_t bound);

    uint64_t max_words_;
    uint64_t seen_ = 0;
    std::vector<uint64_t> bits_;
    std::array<Shard, shards> sparse_;
    bool has_empty_ = false;
    std::vector<int64_t> below_, above_;  // after finish: ids outside the bitmap
    size_t in_bitmap_ = 0;
};

// 64 places of a compact range: which are taken, and how many are in the words before.
struct RankedWord {
    uint64_t bits;
    uint64_t rank;
};

// Where each of N rising ids stands. Borrows `ids`.
class IdIndex {
public:
    // Throws std::invalid_argument unless ids rise strictly.
    explicit IdIndex(std::span<const int64_t> ids);

    // The ids 0 .. count - 1.
    explicit IdIndex(uint64_t count) : count_(count), range_(true) {}

    // out[i] = the place of in[i]. Throws std::out_of_range naming the first id that is not there.
    template <typename Id, typename Node>
    void map(std::span<const Id> in, std::span<Node> out) const;

    // out[i] = the place of in[i], or -1.
    void find(std::span<const int64_t> in, std::span<int64_t> out) const;

private:
    template <typename Look>
    void with_lookup(Look&& look) const;
    size_t in_range(int64_t id) const;
    size_t in_bitmap(int64_t id) const;
    size_t in_buckets(int64_t id) const;

    std::span<const int64_t> ids_;
    uint64_t count_ = 0;
    bool range_ = false;
    int64_t first_ = 0;
    std::vector<RankedWord> words_;       // a compact range: bitmap with ranks
    std::vector<uint32_t> starts_;  // else: by the top bits of id - first_, where to begin to search
    int drop_bits_ = 0;
};

// Copies ids that all fit into 32 bits; false, and out is not to be used, when one does not.
bool narrow_ids(std::span<const int64_t> ids, std::span<uint32_t> out);

}  // namespace weft
