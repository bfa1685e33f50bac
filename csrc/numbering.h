// Numbers nodes in the order in which they are found: a hash table of 8 bytes a slot beside the list of nodes.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "dispatch.h"
#include "growing.h"

namespace weft {

// Linear probing at a load of at most a half. A slot holds 32 bits of the key, which for 32-bit ids are the key
// itself, and the node's number; wider keys are compared in the list.
template <typename Id>
class Numbering {
public:
    static constexpr uint32_t none = ~uint32_t{0};

    // Empties the table. With trees, a node of one tree is another than that of the next.
    void begin(Growing<Id>& ids, Growing<int64_t>* trees) {
        ids_ = &ids;
        trees_ = trees;
        if (slots_.size() == 0) grow(size_t{1} << 12);
        std::memset(slots_.data(), 0xff, slots_.size() * sizeof(Slot));
    }

    // Room for `more` nodes.
    void reserve(size_t more) {
        const size_t wanted = std::bit_ceil(2 * (ids_->size() + more + 1));
        if (wanted <= slots_.size()) return;
        Growing<Slot> old;
        std::swap(old, slots_);
        grow(wanted);
        for (const Slot& slot : old.span())
            if (slot.number != none) slots_[free_place(hash_of(slot.number))] = slot;
    }

    WEFT_INLINE void prefetch(Id id, int64_t tree) const { __builtin_prefetch(&slots_[place(hash(id, tree))], 1); }

    // The number of a node, which is the next one if it is new.
    WEFT_INLINE uint32_t number(Id id, int64_t tree) {
        const uint64_t h = hash(id, tree);
        const uint32_t tag = tag_of(id, h);
        size_t at = place(h);
        while (slots_[at].number != none) {
            if (slots_[at].tag == tag && same(slots_[at].number, id, tree)) return slots_[at].number;
            at = (at + 1) & (slots_.size() - 1);
        }
        const auto fresh = static_cast<uint32_t>(ids_->size());
        slots_[at] = {tag, fresh};
        ids_->push(id);
        if (trees_) trees_->push(tree);
        return fresh;
    }

private:
    struct Slot {
        uint32_t tag, number;
    };

    static constexpr bool narrow = sizeof(Id) == 4;

    WEFT_INLINE uint64_t hash(Id id, int64_t tree) const {
        uint64_t h = static_cast<uint64_t>(id) * 0x9E3779B97F4A7C15u;
        if (trees_) h = (h ^ h >> 32 ^ static_cast<uint64_t>(tree)) * 0xD6E8FEB86659FD93u;
        return h;
    }
    WEFT_INLINE size_t place(uint64_t h) const { return h >> shift_; }
    WEFT_INLINE uint32_t tag_of(Id id, uint64_t h) const {
        return narrow ? static_cast<uint32_t>(id) : static_cast<uint32_t>(h);
    }
    WEFT_INLINE bool same(uint32_t number, Id id, int64_t tree) const {
        if (narrow && !trees_) return true;
        return (*ids_)[number] == id && (!trees_ || (*trees_)[number] == tree);
    }

    uint64_t hash_of(uint32_t number) const { return hash((*ids_)[number], trees_ ? (*trees_)[number] : 0); }

    size_t free_place(uint64_t h) const {
        size_t at = place(h);
        while (slots_[at].number != none) at = (at + 1) & (slots_.size() - 1);
        return at;
    }

    void grow(size_t slots) {
        std::memset(slots_.room(slots), 0xff, slots * sizeof(Slot));
        slots_.keep(slots);
        shift_ = 64 - std::bit_width(slots - 1);
    }

    Growing<Id>* ids_ = nullptr;
    Growing<int64_t>* trees_ = nullptr;
    Growing<Slot> slots_;
    int shift_ = 0;
};

}  // namespace weft
