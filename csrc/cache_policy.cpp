#include "cache_policy.h"

#include <stdexcept>
#include <string>

namespace weft {
namespace {

constexpr size_t prefetched = 16;  // rows asked for before they are looked up

class Static final : public CachePolicy {
public:
    Static(uint64_t rows, std::span<const uint32_t> kept) : CachePolicy(rows, static_cast<uint32_t>(kept.size())) {
        for (const uint32_t row : kept) {
            if (row >= rows) throw std::invalid_argument("cache: row " + std::to_string(row) + " is kept of " + std::to_string(rows));
            if (find(row) != no_slot) throw std::invalid_argument("cache: row " + std::to_string(row) + " is kept twice");
            put(row, take_free());
        }
        nothing_given();  // they wait for fill(), whatever becomes of a batch
    }

    void serve(std::span<const uint32_t> ids, std::span<uint32_t> place, std::span<uint32_t> keep) override {
        for (size_t i = 0; i < ids.size(); ++i) {
            if (i + prefetched < ids.size()) ask(ids[i + prefetched]);
            const uint32_t slot = find(ids[i]);
            place[i] = slot != no_slot && waits(slot) ? no_slot : slot;
            keep[i] = no_slot;
        }
    }

protected:
    void removed(uint32_t) override {}
};

// What Lru and Sieve share: rows that are there are noted before those that are not make others go.
class Evicting : public CachePolicy {
public:
    Evicting(uint64_t rows, uint32_t slots) : CachePolicy(rows, slots), lists_(slots, 1) {}

    void serve(std::span<const uint32_t> ids, std::span<uint32_t> place, std::span<uint32_t> keep) override {
        for (size_t i = 0; i < ids.size(); ++i) {
            if (i + prefetched < ids.size()) ask(ids[i + prefetched]);
            place[i] = find(ids[i]);
            keep[i] = no_slot;
            if (place[i] != no_slot) used(place[i]);
        }
        for (size_t i = 0; i < ids.size(); ++i) {
            if (place[i] != no_slot || find(ids[i]) != no_slot) continue;
            uint32_t slot = take_free();
            if (slot == no_slot) {
                slot = victim();
                evict(slot);
            }
            put(ids[i], slot);
            lists_.push_front(0, slot);
            keep[i] = slot;
        }
    }

protected:
    virtual void used(uint32_t slot) = 0;
    virtual uint32_t victim() = 0;

    SlotLists lists_;
};

class Lru final : public Evicting {
public:
    using Evicting::Evicting;

protected:
    void used(uint32_t slot) override {
        lists_.remove(slot);
        lists_.push_front(0, slot);
    }
    uint32_t victim() override { return lists_.last(0); }
    void removed(uint32_t slot) override { lists_.remove(slot); }
};

class Sieve final : public Evicting {
public:
    Sieve(uint64_t rows, uint32_t slots) : Evicting(rows, slots), hand_(slots), seen_(slots) {}

protected:
    void used(uint32_t slot) override { seen_[slot] = 1; }

    // The hand goes from the oldest row to the newest and round again, sparing those used since it last came by.
    uint32_t victim() override {
        for (;; hand_ = lists_.before(hand_)) {
            if (hand_ == lists_.slots()) hand_ = lists_.last(0);
            if (!seen_[hand_]) return hand_;
            seen_[hand_] = 0;
        }
    }

    void removed(uint32_t slot) override {
        if (hand_ == slot) hand_ = lists_.before(slot);
        lists_.remove(slot);
        seen_[slot] = 0;
    }

private:
    uint32_t hand_;
    std::vector<uint8_t> seen_;
};

}  // namespace

CachePolicy::CachePolicy(uint64_t rows, uint32_t slots)
    : rows_(rows), buffer_(rows * sizeof(uint32_t)), slot_(static_cast<uint32_t*>(buffer_.data())), row_(slots), waiting_(slots) {
    if (rows >= no_slot) throw std::invalid_argument("cache: at most 4,294,967,294 rows (got " + std::to_string(rows) + ")");
    if (slots == 0 || slots >= no_slot / 2)
        throw std::invalid_argument("cache: 1 to 2,147,483,646 rows can be kept (got " + std::to_string(slots) + ")");
}

uint32_t CachePolicy::take_free() {
    if (!free_.empty()) {
        const uint32_t slot = free_.back();
        free_.pop_back();
        return slot;
    }
    return used_ < slots() ? used_++ : no_slot;
}

void CachePolicy::put(uint32_t row, uint32_t slot, bool straight) {
    slot_[row] = slot + 1;
    row_[slot] = row;
    waiting_[slot] = straight ? 2 : 1;
    given_.push_back(slot);
}

void CachePolicy::evict(uint32_t slot) {
    removed(slot);
    slot_[row_[slot]] = 0;
}

void CachePolicy::filled() {
    for (const uint32_t slot : given_) waiting_[slot] = 0;
    given_.clear();
}

void CachePolicy::not_filled() {
    // A slot may have been given out several times in a batch.
    for (const uint32_t slot : given_) {
        if (!waiting_[slot]) continue;
        waiting_[slot] = 0;
        evict(slot);
        free_.push_back(slot);
    }
    given_.clear();
}

uint32_t CachePolicy::fill(uint32_t row) {
    const uint32_t slot = find(row);
    if (slot != no_slot) waiting_[slot] = 0;
    return slot;
}

SlotLists::SlotLists(uint32_t slots, uint32_t lists) : slots_(slots), link_(size_t{slots} + lists) {
    for (uint32_t at = slots; at < slots + lists; ++at) link_[at] = {at, at};
}

void SlotLists::push_front(uint32_t list, uint32_t slot) {
    const uint32_t head = slots_ + list, first = link_[head].next;
    link_[slot] = {head, first};
    link_[first].previous = link_[head].next = slot;
}

void SlotLists::remove(uint32_t slot) {
    const auto [previous, next] = link_[slot];
    link_[previous].next = next;
    link_[next].previous = previous;
}

std::unique_ptr<CachePolicy> make_static(uint64_t rows, std::span<const uint32_t> kept) {
    return std::make_unique<Static>(rows, kept);
}
std::unique_ptr<CachePolicy> make_lru(uint64_t rows, uint32_t slots) { return std::make_unique<Lru>(rows, slots); }
std::unique_ptr<CachePolicy> make_sieve(uint64_t rows, uint32_t slots) { return std::make_unique<Sieve>(rows, slots); }

}  // namespace weft
