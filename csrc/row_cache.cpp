#include "row_cache.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "pool.h"

namespace weft {
namespace {

constexpr size_t grain_bytes = 1 << 18;  // copied by a task at least
constexpr size_t ahead_bytes = 4096;
constexpr uint64_t far_apart = 256 << 10;  // rows read in one go that gain nothing from others
constexpr size_t most_together = 4;        // batches: as many as a loop hardly waits for

void prefetch(const std::byte* row, size_t width) {
    for (size_t at = 0; at < std::min<size_t>(width, 1024); at += 64) __builtin_prefetch(row + at);
}

}  // namespace

RowCache::RowCache(std::unique_ptr<CachePolicy> policy, size_t width)
    : policy_(std::move(policy)), width_(width), rows_(size_t{policy_->slots()} * width) {}

void RowCache::check(std::span<const uint32_t> ids) const {
    for (size_t i = 0; i < ids.size(); ++i)
        if (ids[i] >= policy_->rows())
            throw std::invalid_argument("cache: id " + std::to_string(i) + " is row " + std::to_string(ids[i]) + " of " +
                                        std::to_string(policy_->rows()));
}

// With the lock held: decides, and copies what is here.
void RowCache::look(std::span<const uint32_t> ids, std::span<std::byte> out) {
    check(ids);
    if (out.size() != ids.size() * width_)
        throw std::invalid_argument("cache: out must hold " + std::to_string(ids.size() * width_) + " bytes (got " +
                                    std::to_string(out.size()) + ")");
    place_.resize(ids.size());
    keep_.resize(ids.size());
    policy_->serve(ids, place_, keep_);
    const auto missed = static_cast<uint64_t>(std::count(place_.begin(), place_.end(), no_slot));
    counts_.hits += ids.size() - missed;
    counts_.misses += missed;
    if (width_ == 0 || missed == ids.size()) return;
    const size_t ahead = std::clamp<size_t>(ahead_bytes / width_, 2, 32);
    parallel_ranges(ids.size(), std::max<size_t>(1, grain_bytes / width_), [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            if (i + ahead < end && place_[i + ahead] != no_slot) prefetch(row(place_[i + ahead]), width_);
            if (place_[i] != no_slot) std::memcpy(&out[i * width_], row(place_[i]), width_);
        }
    });
}

// With the lock held: copies what is to be kept.
void RowCache::keep(std::span<const uint32_t> ids, std::span<const std::byte> out, bool there) {
    if (!there) return policy_->not_filled();
    parallel_ranges(width_ ? ids.size() : 0, std::max<size_t>(1, grain_bytes / std::max<size_t>(width_, 1)),
                    [&](size_t begin, size_t end) {
                        for (size_t i = begin; i < end; ++i)
                            // A slot may have been given to several rows of a batch; the last one holds it.
                            if (keep_[i] != no_slot && policy_->holds(ids[i], keep_[i]))
                                std::memcpy(row(keep_[i]), &out[i * width_], width_);
                    });
    policy_->filled();
}

// Where rows lie close, those of several batches lie closer, and one pass over the file serves all. They are kept until
// it is their turn, in a quarter of the cache at most.
size_t RowCache::batches_together(const RowFile& file, size_t missed) const {
    const double each = std::max(1.0, read_ > 0 ? read_ : static_cast<double>(missed));
    if (static_cast<double>(file.bytes()) / each > far_apart) return 1;
    return std::min(most_together, 1 + static_cast<size_t>(policy_->slots() / 4 / each));
}

void RowCache::take(RowFile& file, std::span<const uint32_t> ids, std::span<std::byte> out) {
    if (file.width() != width_) throw std::invalid_argument("cache: its rows are not as wide as the file's");
    RowFile::Plan plan;
    try {
        const std::lock_guard guard(lock_);
        const size_t told = policy_->expected();
        look(ids, out);
        const bool announced = policy_->expected() < told;
        std::vector<RowFile::Want> wants;
        for (size_t i = 0; i < ids.size(); ++i)
            if (place_[i] == no_slot) wants.push_back({ids[i], &out[i * width_]});
        std::vector<std::pair<uint32_t, uint32_t>> more;
        const size_t missed = wants.size(), batches = batches_together(file, missed);
        if (announced && batches > 1) policy_->ahead(batches - 1, more);
        for (const auto [id, slot] : more) wants.push_back({id, row(slot)});
        counts_.ahead += more.size();
        const auto read = static_cast<double>(wants.size());
        read_ = read_ == 0 ? read : read_ + (read - read_) / 8;
        const auto along = [this](uint64_t id) -> std::byte* {
            const uint32_t slot = policy_->offer(static_cast<uint32_t>(id));
            if (slot == no_slot) return nullptr;
            ++counts_.along;
            return row(slot);
        };
        // A batch that nobody announced tells nothing of what comes.
        plan = file.plan(std::move(wants), announced ? RowFile::Along(along) : nullptr);
    } catch (...) {
        end(ids, out, false);
        throw;
    }
    try {
        file.run(plan);
    } catch (...) {
        end(ids, out, false);
        throw;
    }
    end(ids, out, true);
}

size_t RowCache::begin(std::span<const uint32_t> ids, std::span<std::byte> out, std::span<int64_t> missing) {
    if (missing.size() < ids.size()) throw std::invalid_argument("cache: missing must be as long as ids");
    const std::lock_guard guard(lock_);
    look(ids, out);
    size_t count = 0;
    for (size_t i = 0; i < ids.size(); ++i)
        if (place_[i] == no_slot) missing[count++] = static_cast<int64_t>(i);
    return count;
}

void RowCache::end(std::span<const uint32_t> ids, std::span<const std::byte> out, bool there) {
    const std::lock_guard guard(lock_);
    keep(ids, out, there);
}

void RowCache::fill(std::span<const uint32_t> ids, std::span<const std::byte> rows) {
    const std::lock_guard guard(lock_);
    check(ids);
    if (rows.size() != ids.size() * width_)
        throw std::invalid_argument("cache: " + std::to_string(ids.size()) + " rows have " +
                                    std::to_string(ids.size() * width_) + " bytes (got " + std::to_string(rows.size()) + ")");
    for (size_t i = 0; i < ids.size(); ++i)
        if (const uint32_t slot = policy_->fill(ids[i]); slot != no_slot && width_ != 0)
            std::memcpy(row(slot), rows.data() + i * width_, width_);
}

void RowCache::expect(std::span<const uint32_t> ids) {
    const std::lock_guard guard(lock_);
    check(ids);
    policy_->expect(ids);
}

void RowCache::forget() {
    const std::lock_guard guard(lock_);
    policy_->forget();
}

size_t RowCache::window() const {
    const std::lock_guard guard(lock_);
    return policy_->window();
}

RowCache::Counts RowCache::counts() const {
    const std::lock_guard guard(lock_);
    return counts_;
}

}  // namespace weft
