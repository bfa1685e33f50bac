#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>

#include "csr.h"
#include "pool.h"

namespace weft {
namespace {

// Two copies of a bucket to sort between; kept from bucket to bucket, because fresh pages are slow.
struct Scratch {
    size_t room = 0;
    std::array<std::unique_ptr<uint64_t[]>, 2> keys;
    std::array<std::unique_ptr<float[]>, 2> weights;

    void reserve(size_t n, bool weighted) {
        if (n <= room) return;
        room = n;
        for (auto& k : keys) k.reset();
        for (auto& w : weights) w.reset();
        for (auto& k : keys) k = std::make_unique_for_overwrite<uint64_t[]>(n);
        if (weighted)
            for (auto& w : weights) w = std::make_unique_for_overwrite<float[]>(n);
    }
};

class ScratchPool {
public:
    std::unique_ptr<Scratch> take() {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) return std::make_unique<Scratch>();
        auto scratch = std::move(free_.back());
        free_.pop_back();
        return scratch;
    }
    void give(std::unique_ptr<Scratch> scratch) {
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(scratch));
    }

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Scratch>> free_;
};

struct Sorted {
    const uint64_t* keys;
    const float* weights;
};

// The parts of one bucket, in the order of the input.
struct Bucket {
    std::vector<std::span<const uint64_t>> keys;
    std::vector<const float*> weights;
    size_t size = 0;
};

constexpr int widest = 12;

// Stable least-significant-digit radix sort of the parts of a bucket; `bits` low bits of a key count.
template <bool Weighted>
Sorted radix_sort(const Bucket& bucket, int bits, Scratch& scratch) {
    const size_t n = bucket.size;
    scratch.reserve(n, Weighted);
    const int width = n < 2048 ? 6 : n < 32768 ? 8 : widest;
    const int passes = std::max(1, (bits + width - 1) / width);
    const size_t values = size_t{1} << width;
    const uint64_t mask = values - 1;

    std::vector<uint32_t> histogram(static_cast<size_t>(passes) * values);
    for (const auto part : bucket.keys)
        for (const uint64_t key : part)
            for (int p = 0; p < passes; ++p) ++histogram[static_cast<size_t>(p) * values + ((key >> (p * width)) & mask)];

    // A digit that is the same everywhere sorts nothing; the first pass also gathers the parts and must run.
    std::vector<int> useful;
    const uint64_t any = bucket.keys.front().front();
    for (int p = 0; p < passes; ++p)
        if (histogram[static_cast<size_t>(p) * values + ((any >> (p * width)) & mask)] != n) useful.push_back(p);
    if (useful.empty()) useful.push_back(0);

    size_t to = 0;
    for (size_t i = 0; i < useful.size(); ++i, to ^= 1) {
        const int at = useful[i] * width;
        uint32_t* const cursor = histogram.data() + static_cast<size_t>(useful[i]) * values;
        std::exclusive_scan(cursor, cursor + values, cursor, uint32_t{0});
        uint64_t* const keys = scratch.keys[to].get();
        float* const weights = scratch.weights[to].get();
        const auto move = [&](const uint64_t* from, const float* from_weights, size_t count) {
            for (size_t e = 0; e < count; ++e) {
                const uint32_t place = cursor[(from[e] >> at) & mask]++;
                keys[place] = from[e];
                if constexpr (Weighted) weights[place] = from_weights[e];
            }
        };
        if (i == 0)
            for (size_t part = 0; part < bucket.keys.size(); ++part)
                move(bucket.keys[part].data(), Weighted ? bucket.weights[part] : nullptr, bucket.keys[part].size());
        else
            move(scratch.keys[to ^ 1].get(), scratch.weights[to ^ 1].get(), n);
    }
    return {scratch.keys[to ^ 1].get(), scratch.weights[to ^ 1].get()};
}

Bucket gather(std::span<const Run> runs, size_t b) {
    Bucket bucket;
    for (const Run& run : runs) {
        const auto begin = static_cast<size_t>(run.offsets[b] - run.offsets[0]);
        const auto end = static_cast<size_t>(run.offsets[b + 1] - run.offsets[0]);
        if (begin == end) continue;
        bucket.keys.push_back(run.keys.subspan(begin, end - begin));
        bucket.weights.push_back(run.weights.empty() ? nullptr : run.weights.data() + begin);
        bucket.size += end - begin;
    }
    if (bucket.size > UINT32_MAX)
        throw std::invalid_argument("sort_buckets: a bucket holds " + std::to_string(bucket.size) +
                                    " edges, at most 2^32 - 1 can be sorted; use a smaller shift");
    return bucket;
}

void check(std::span<const Run> runs, size_t buckets, int shift, int dst_bits, size_t rows, size_t room,
           bool needs_weights) {
    if (shift < 0 || shift > 40 || dst_bits < 0 || shift + dst_bits > 64)
        throw std::invalid_argument("sort_buckets: shift + dst_bits must be at most 64 and shift at most 40");
    if (rows > buckets << shift || (rows + (size_t{1} << shift) - 1) >> shift != buckets)
        throw std::invalid_argument("sort_buckets: degree must have a place for every row of the buckets");
    size_t total = 0;
    for (const Run& run : runs) {
        const auto& o = run.offsets;
        if (o.size() != buckets + 1 || !std::is_sorted(o.begin(), o.end()) ||
            static_cast<size_t>(o.back() - o.front()) != run.keys.size() ||
            (needs_weights && run.weights.size() != run.keys.size()))
            throw std::invalid_argument("sort_buckets: the offsets of a run must rise to the number of its edges");
        total += run.keys.size();
    }
    if (room < total) throw std::invalid_argument("sort_buckets: indices and weights must have room for every edge");
}

// Emits the rows of a sorted bucket, merging edges of one source and destination; gives how many are left.
template <typename Index>
size_t emit(Sorted from, size_t n, int dst_bits, Duplicates duplicates, std::span<int64_t> degree, Index* indices,
            float* weights) {
    const uint64_t dst = dst_bits < 64 ? (uint64_t{1} << dst_bits) - 1 : ~uint64_t{0};
    const auto row = [&](uint64_t key) { return dst_bits < 64 ? key >> dst_bits : 0; };
    // Keys are sorted: when the last row is inside, all are.
    if (row(from.keys[n - 1]) >= degree.size()) throw std::out_of_range("sort_buckets: an edge is not of its bucket");
    size_t kept = 0, row_begin = 0;
    uint64_t current = row(from.keys[0]);
    // A row's degree is what was kept since it began: counting one by one would wait for memory each time.
    const auto enter = [&](uint64_t next) {
        degree[current] = static_cast<int64_t>(kept - row_begin);
        current = next;
        row_begin = kept;
    };
    if (duplicates == Duplicates::sum) {
        for (size_t e = 0; e < n;) {
            const uint64_t key = from.keys[e];
            if (row(key) != current) enter(row(key));
            double sum = 0;
            for (; e < n && from.keys[e] == key; ++e) sum += from.weights ? double{from.weights[e]} : 1.0;
            if (sum > std::numeric_limits<float>::max())
                throw std::out_of_range("sort_buckets: the weights of an edge given several times sum to " +
                                        std::to_string(sum) + ", past float32; scale the weights down");
            indices[kept] = static_cast<Index>(key & dst);
            weights[kept++] = static_cast<float>(sum);
        }
    } else {
        const bool drop = duplicates == Duplicates::drop;
        uint64_t before = ~from.keys[0];
        for (size_t e = 0; e < n; ++e) {
            // Without a branch, because where duplicates fall cannot be predicted: each edge is written, and
            // one that repeats the edge before is overwritten by the next.
            const uint64_t key = from.keys[e];
            if (row(key) != current) enter(row(key));
            indices[kept] = static_cast<Index>(key & dst);
            if (weights) weights[kept] = from.weights[e];
            kept += !drop || key != before;
            before = key;
        }
    }
    enter(current);
    return kept;
}

}  // namespace

template <typename Index>
void sort_buckets(std::span<const Run> runs, int shift, int dst_bits, Duplicates duplicates,
                  std::span<int64_t> degree, std::span<Index> indices, std::span<float> weights,
                  std::span<int64_t> counts) {
    const bool weighted = std::any_of(runs.begin(), runs.end(), [](const Run& r) { return !r.weights.empty(); });
    const size_t room = weights.empty() && !weighted && duplicates != Duplicates::sum
                            ? indices.size()
                            : std::min(indices.size(), weights.size());
    check(runs, counts.size(), shift, dst_bits, degree.size(), room, weighted);
    std::fill(degree.begin(), degree.end(), 0);

    std::vector<size_t> begin(counts.size() + 1, 0);
    for (const Run& run : runs)
        for (size_t b = 0; b < counts.size(); ++b)
            begin[b + 1] += static_cast<size_t>(run.offsets[b + 1] - run.offsets[b]);
    std::inclusive_scan(begin.begin(), begin.end(), begin.begin());

    ScratchPool pool;
    parallel_for(counts.size(), [&](size_t b) {
        counts[b] = 0;
        const Bucket bucket = gather(runs, b);
        if (bucket.size == 0) return;
        auto scratch = pool.take();
        const Sorted sorted = weighted ? radix_sort<true>(bucket, shift + dst_bits, *scratch)
                                       : radix_sort<false>(bucket, shift + dst_bits, *scratch);
        const size_t first = b << shift;
        const size_t rows = std::min(size_t{1} << shift, degree.size() - first);
        const Sorted from{sorted.keys, weighted ? sorted.weights : nullptr};
        counts[b] = static_cast<int64_t>(emit(from, bucket.size, dst_bits, duplicates, degree.subspan(first, rows),
                                              indices.data() + begin[b],
                                              weights.empty() ? nullptr : weights.data() + begin[b]));
        pool.give(std::move(scratch));
    });
}

template void sort_buckets(std::span<const Run>, int, int, Duplicates, std::span<int64_t>, std::span<uint32_t>,
                           std::span<float>, std::span<int64_t>);
template void sort_buckets(std::span<const Run>, int, int, Duplicates, std::span<int64_t>, std::span<int64_t>,
                           std::span<float>, std::span<int64_t>);

}  // namespace weft
