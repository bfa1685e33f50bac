// What a cache of rows keeps. A policy knows rows by number and places by slot; it moves no bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "memory.h"

namespace weft {

constexpr uint32_t no_slot = ~uint32_t{0};

// Rows 0 .. rows - 1 in at most `slots` places, batch by batch. Not for several threads at once.
class CachePolicy {
public:
    CachePolicy(uint64_t rows, uint32_t slots);
    virtual ~CachePolicy() = default;
    CachePolicy(const CachePolicy&) = delete;
    CachePolicy& operator=(const CachePolicy&) = delete;

    // Serves a batch. place[i]: where row ids[i] lies, or no_slot: then it must be read. keep[i]: where it is put
    // after that, or no_slot; of several rows for one slot, the one that holds() is true of. What a kept row takes the
    // place of is gone, but what place names may be read until the first row is put.
    virtual void serve(std::span<const uint32_t> ids, std::span<uint32_t> place, std::span<uint32_t> keep) = 0;

    // A row that was read though the batch has it not: its slot, or no_slot if it is not worth one.
    virtual uint32_t offer(uint32_t) { return no_slot; }

    // Rows that the next batches will miss, with their slots, to be read along with those of the batch that was just
    // served; none while the last ones were not all served.
    virtual void ahead(size_t, std::vector<std::pair<uint32_t, uint32_t>>&) {}

    // The next batch that will be served; of those, in order. See Lookahead.
    virtual void expect(std::span<const uint32_t>) {}
    virtual void forget() {}
    virtual size_t expected() const { return 0; }  // batches
    // How many batches ahead there is any use in knowing; 0: none.
    virtual size_t window() const { return 0; }

    // Slots given out by serve and offer since the last call are filled, or were not and are free again.
    void filled();
    void not_filled();
    // The slot of a row, which is filled now; no_slot if it has none.
    uint32_t fill(uint32_t row);

    bool holds(uint32_t row, uint32_t slot) const { return find(row) == slot; }
    uint32_t slots() const { return static_cast<uint32_t>(row_.size()); }
    uint64_t rows() const { return rows_; }
    uint32_t kept() const { return used_ - static_cast<uint32_t>(free_.size()); }

protected:
    uint32_t find(uint32_t row) const { return slot_[row] - 1; }  // no_slot when the row is not there
    void ask(uint32_t row) const { __builtin_prefetch(&slot_[row]); }
    uint32_t row_of(uint32_t slot) const { return row_[slot]; }

    // A slot nothing lies in, or no_slot.
    uint32_t take_free();
    // Its bytes will follow: from the batch, when all of that is there, or straight from where they are read.
    void put(uint32_t row, uint32_t slot, bool straight = false);
    void evict(uint32_t slot);
    void nothing_given() { given_.clear(); }
    bool waits(uint32_t slot) const { return waiting_[slot] != 0; }  // for its bytes
    bool waits_straight(uint32_t slot) const { return waiting_[slot] == 2; }

    // A row that is no longer held, for those who keep lists of them.
    virtual void removed(uint32_t slot) = 0;

private:
    uint64_t rows_;
    HugeBuffer buffer_;
    uint32_t* slot_;             // of a row, plus 1; pages of rows that never came are not touched
    std::vector<uint32_t> row_;  // of a slot
    std::vector<uint8_t> waiting_;
    std::vector<uint32_t> given_, free_;
    uint32_t used_ = 0;
};

// Lists of slots, doubly linked within one array. List k is circular through its own entry, slots + k.
class SlotLists {
public:
    SlotLists(uint32_t slots, uint32_t lists);

    bool empty(uint32_t list) const { return link_[slots_ + list].next == slots_ + list; }
    uint32_t last(uint32_t list) const { return link_[slots_ + list].previous; }
    uint32_t before(uint32_t slot) const { return link_[slot].previous; }  // slots() + list at the front
    uint32_t slots() const { return slots_; }
    void push_front(uint32_t list, uint32_t slot);
    void remove(uint32_t slot);
    void ask(uint32_t slot) const { __builtin_prefetch(&link_[slot], 1); }

private:
    struct Link {
        uint32_t previous, next;
    };
    uint32_t slots_;
    std::vector<Link> link_;
};

// Keeps the given rows for ever.
std::unique_ptr<CachePolicy> make_static(uint64_t rows, std::span<const uint32_t> kept);
// Least recently used.
std::unique_ptr<CachePolicy> make_lru(uint64_t rows, uint32_t slots);
// SIEVE: Zhang, Yang, Yue, Vigfusson, Rashmi: SIEVE is simpler than LRU, NSDI 2024.
std::unique_ptr<CachePolicy> make_sieve(uint64_t rows, uint32_t slots);

// Batches are told ahead by expect(), so the next use of a row is known, as far as they go. The rows kept are those
// whose next use is nearest (Belady, IBM Systems Journal 1966, with the right not to keep a row at all); those without
// a known use come after, by `heat`, 0 the hottest of 64 classes, and by how recently they were used. A batch has a
// row once. heat may be empty.
std::unique_ptr<CachePolicy> make_lookahead(uint64_t rows, uint32_t slots, uint32_t window,
                                            std::span<const uint8_t> heat);

}  // namespace weft
