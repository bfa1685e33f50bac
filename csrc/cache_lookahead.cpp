#include <algorithm>
#include <bit>
#include <deque>
#include <stdexcept>
#include <string>

#include "cache_policy.h"

namespace weft {
namespace {

constexpr size_t prefetched = 16;
constexpr uint32_t classes = 64;
constexpr uint32_t never = ~uint32_t{0};      // no use is known
constexpr uint32_t again = ~uint32_t{0} - 1;  // the batch has the row already
constexpr uint64_t codes = ~uint32_t{0};      // a position in 32 bits, 0 kept for none

// Uses that are known stand in one queue, batch after batch, in the order in which they were told. Each knows in which
// batch the row's next use is, and each row which of its uses is the last one known: telling a use fills in what the
// one before did not know yet, and serving a batch reads off what comes after it.
class Lookahead final : public CachePolicy {
public:
    Lookahead(uint64_t rows, uint32_t slots, uint32_t window, std::span<const uint8_t> heat)
        : CachePolicy(rows, slots),
          most_(window),
          ring_(std::bit_ceil(window + 2)),
          lists_(slots, classes + ring_),
          buffer_(rows * sizeof(uint32_t)),
          last_(static_cast<uint32_t*>(buffer_.data())),
          heat_(heat.begin(), heat.end()),
          next_(1024) {
        if (!heat.empty() && heat.size() != rows)
            throw std::invalid_argument("cache: " + std::to_string(heat.size()) + " classes of heat for " +
                                        std::to_string(rows) + " rows");
        for (const uint8_t c : heat)
            if (c >= classes) throw std::invalid_argument("cache: a class of heat is 0 to 63 (got " + std::to_string(c) + ")");
    }

    void expect(std::span<const uint32_t> ids) override {
        if (told_.size() >= most_)
            throw std::invalid_argument("cache: more than the window's " + std::to_string(most_) + " batches are expected");
        const uint64_t start = end_, batch = now_ + told_.size();
        if (start + ids.size() - begin_ >= codes)
            throw std::invalid_argument("cache: the batches expected have more than 4,294,967,294 rows");
        make_room(ids.size());
        for (size_t i = 0; i < ids.size(); ++i, ++end_) {
            if (i + prefetched < ids.size()) {
                ask(ids[i + prefetched]);
                __builtin_prefetch(&last_[ids[i + prefetched]], 1);
            }
            const uint32_t row = ids[i];
            at(end_) = {row, never};
            if (last_[row] != 0) {
                const uint64_t position = decode(last_[row]);
                if (position >= start) {
                    at(end_).next = again;
                    continue;
                }
                at(position).next = static_cast<uint32_t>(batch);
            } else if (const uint32_t slot = find(row); slot != no_slot) {
                lists_.remove(slot);
                push({true, batch}, slot);
            }
            last_[row] = encode(end_);
        }
        told_.push_back(start);
    }

    void serve(std::span<const uint32_t> ids, std::span<uint32_t> place, std::span<uint32_t> keep) override {
        const bool told = announced(ids);
        const bool stranger = !told && !told_.empty();  // it must not spoil what is known
        const uint64_t start = begin_;
        const uint64_t batch = now_;
        if (told) {
            told_.pop_front();
            begin_ = told_.empty() ? end_ : told_.front();
            ++now_;
        }
        for (size_t i = 0; i < ids.size(); ++i) {
            if (i + 2 * prefetched < ids.size()) ask(ids[i + 2 * prefetched]);
            if (i + prefetched < ids.size())
                if (const uint32_t slot = find(ids[i + prefetched]); slot != no_slot) lists_.ask(slot);
            const uint32_t row = ids[i], slot = find(row);
            keep[i] = no_slot;
            place[i] = slot != no_slot && waits(slot) ? no_slot : slot;
            if (stranger || slot == no_slot) continue;
            const Use use = told ? use_of(start + i, batch, row) : Use{false, heat(row)};
            if (use.known && use.when == batch) continue;  // seen above
            lists_.remove(slot);
            push(use, slot);
        }
        if (stranger) return;
        // After the others have moved: whoever must go is known only then.
        for (size_t i = 0; i < ids.size(); ++i) {
            if (place[i] != no_slot || find(ids[i]) != no_slot) continue;
            const Use use = told ? use_of(start + i, batch, ids[i]) : Use{false, heat(ids[i])};
            if (use.known && use.when == batch) continue;
            keep[i] = admit(ids[i], use, false);
        }
        if (told)
            for (size_t i = 0; i < ids.size(); ++i)
                if (at(start + i).next == never) last_[ids[i]] = 0;
    }

    uint32_t offer(uint32_t row) override {
        if (last_[row] == 0 || find(row) != no_slot) return no_slot;
        // Its first use would be nearer; the last one is what is known without a search.
        const uint64_t position = decode(last_[row]);
        const auto batch = std::upper_bound(told_.begin(), told_.end(), position) - told_.begin() - 1;
        return admit(row, {true, now_ + static_cast<uint64_t>(batch)}, true);
    }

    void ahead(size_t batches, std::vector<std::pair<uint32_t, uint32_t>>& wanted) override {
        if (now_ < fetched_ || told_.empty()) return;
        const size_t count = std::min(batches, told_.size());
        const uint64_t end = count < told_.size() ? told_[count] : end_;
        size_t batch = 0;
        for (uint64_t p = told_.front(); p < end; ++p) {
            while (batch + 1 < count && p >= told_[batch + 1]) ++batch;
            const uint32_t row = at(p).row;
            if (p + prefetched < end) ask(at(p + prefetched).row);
            if (find(row) != no_slot) continue;
            const uint32_t slot = admit(row, {true, now_ + batch}, true);
            if (slot != no_slot) wanted.emplace_back(row, slot);
        }
        fetched_ = now_ + count;
    }

    void forget() override {
        if (told_.empty()) return;
        for (uint64_t batch = now_; batch < now_ + told_.size(); ++batch)
            while (!lists_.empty(list_of({true, batch}))) {
                const uint32_t slot = lists_.last(list_of({true, batch}));
                lists_.remove(slot);
                push({false, heat(row_of(slot))}, slot);
            }
        for (; begin_ < end_; ++begin_) last_[at(begin_).row] = 0;
        now_ += told_.size();
        told_.clear();
    }

    size_t expected() const override { return told_.size(); }

    // While the rows kept are all needed within the batches told, and none at their end, those after change nothing.
    size_t window() const override {
        if (kept() < slots() || coldest() < classes) return most_;
        return std::min<uint64_t>(most_, 2 * (farthest() - now_) + 4);
    }

protected:
    void removed(uint32_t slot) override { lists_.remove(slot); }

private:
    struct Known {
        uint32_t row, next;  // next: the number of the batch after
    };

    // When a row is used next: in a batch, or, if that is not known, by class of heat.
    struct Use {
        bool known;
        uint64_t when;
        bool before(const Use& other) const { return known != other.known ? known : when < other.when; }
    };

    uint32_t list_of(Use use) const { return static_cast<uint32_t>(use.known ? classes + use.when % ring_ : use.when); }

    void push(Use use, uint32_t slot) {
        lists_.push_front(list_of(use), slot);
        uint64_t& hint = use.known ? far_ : cold_;
        hint = std::max(hint, use.when);
    }

    // The hints never lie below what they stand for.
    uint64_t coldest() const {
        while (cold_ > 0 && lists_.empty(static_cast<uint32_t>(cold_))) --cold_;
        return lists_.empty(static_cast<uint32_t>(cold_)) ? classes : cold_;
    }
    uint64_t farthest() const {
        while (far_ > now_ && lists_.empty(list_of({true, far_}))) --far_;
        return std::max(far_, now_);
    }

    uint64_t heat(uint32_t row) const { return heat_.empty() ? 0 : heat_[row]; }

    // A slot for a row, if one is free or the row that would be missed least is missed less. Of rows without a known
    // use in one class the latest stays. One that is being read straight into its slot stays.
    uint32_t admit(uint32_t row, Use use, bool straight) {
        uint32_t slot = take_free();
        if (slot == no_slot) {
            const uint64_t cold = coldest();
            const Use worst = cold < classes ? Use{false, cold} : Use{true, farthest()};
            if (!use.before(worst) && (use.known || worst.known || use.when > worst.when)) return no_slot;
            if (lists_.empty(list_of(worst))) return no_slot;
            slot = lists_.last(list_of(worst));
            if (waits_straight(slot)) return no_slot;
            evict(slot);
        }
        put(row, slot, straight);
        push(use, slot);
        return slot;
    }

    Use use_of(uint64_t position, uint64_t batch, uint32_t row) {
        const uint32_t next = at(position).next;
        if (next == again) return {true, batch};
        if (next == never) return {false, heat(row)};
        // Batches are numbered in 32 bits in the queue; none of them is far.
        return {true, batch + static_cast<uint32_t>(next - static_cast<uint32_t>(batch))};
    }

    uint32_t encode(uint64_t position) const { return static_cast<uint32_t>(position % codes + 1); }
    uint64_t decode(uint32_t code) const { return begin_ + (code - 1 + codes - begin_ % codes) % codes; }

    Known& at(uint64_t position) { return next_[position & (next_.size() - 1)]; }

    void make_room(uint64_t more) {
        const uint64_t size = end_ - begin_ + more;
        if (size <= next_.size()) return;
        std::vector<Known> grown(std::bit_ceil(size));
        for (uint64_t p = begin_; p < end_; ++p) grown[p & (grown.size() - 1)] = at(p);
        next_ = std::move(grown);
    }

    // Whether a batch is the first of those told.
    bool announced(std::span<const uint32_t> ids) {
        if (told_.empty()) return false;
        const uint64_t start = told_.front(), end = told_.size() > 1 ? told_[1] : end_;
        if (end - start != ids.size()) return false;
        for (size_t i = 0; i < ids.size(); ++i)
            if (at(start + i).row != ids[i]) return false;
        return true;
    }

    uint32_t most_, ring_;
    SlotLists lists_;  // by class of heat, then a ring of batches
    HugeBuffer buffer_;
    uint32_t* last_;  // encode()d position of a row's last known use
    std::vector<uint8_t> heat_;
    std::vector<Known> next_;     // ring of the uses that are known
    std::deque<uint64_t> told_;   // where each batch begins among them
    uint64_t begin_ = 0, end_ = 0;  // positions of the uses that are known
    uint64_t now_ = 0;              // number of the batch that is served next
    uint64_t fetched_ = 0;          // and of the first whose rows were not asked for by ahead()
    mutable uint64_t far_ = 0, cold_ = 0;
};

}  // namespace

std::unique_ptr<CachePolicy> make_lookahead(uint64_t rows, uint32_t slots, uint32_t window,
                                            std::span<const uint8_t> heat) {
    if (window == 0 || window > 1u << 24)
        throw std::invalid_argument("cache: the window has 1 to 16,777,216 batches (got " + std::to_string(window) + ")");
    return std::make_unique<Lookahead>(rows, slots, window, heat);
}

}  // namespace weft
