#include <algorithm>
#include <stdexcept>
#include <string>

#include "csr.h"
#include "pool.h"

namespace weft {
namespace {

template <typename Id>
bool inside(Id id, uint64_t n) {
    return static_cast<uint64_t>(static_cast<int64_t>(id)) < n;  // a negative id wraps to a huge one
}

template <typename Id>
[[noreturn]] void foreign(size_t edge, Id u, Id v, uint64_t n) {
    const Id bad = inside(u, n) ? v : u;
    throw std::out_of_range("edge " + std::to_string(edge) + " (counted from 0) names node " +
                            std::to_string(bad) + ", past the declared count: nodes are 0 .. " +
                            std::to_string(static_cast<int64_t>(n) - 1));
}

void check(size_t src, size_t dst, size_t weight, size_t weights, size_t keys, size_t offsets, const Bucketing& how) {
    if (src != dst || (weight != 0 && weight != src))
        throw std::invalid_argument("scatter_edges: src, dst and weight must have one length");
    if (how.shift < 0 || how.dst_bits < 0 || how.shift + how.dst_bits > 64 || how.shift > 63)
        throw std::invalid_argument("scatter_edges: shift + dst_bits must be at most 64");
    if (how.dst_bits < 64 && how.num_nodes > 0 && ((how.num_nodes - 1) >> how.dst_bits) != 0)
        throw std::invalid_argument("scatter_edges: dst_bits are too few for num_nodes");
    if (offsets != how.buckets() + 1) throw std::invalid_argument("scatter_edges: offsets must hold buckets + 1");
    const size_t places = how.both_ways ? 2 * src : src;
    if (keys < places || (weight != 0 && weights < places))
        throw std::invalid_argument("scatter_edges: keys and weights must have room for every edge");
}

}  // namespace

template <typename Id>
void scatter_edges(std::span<const Id> src, std::span<const Id> dst, std::span<const float> weight,
                   const Bucketing& how, std::span<int64_t> offsets, std::span<uint64_t> keys,
                   std::span<float> weights) {
    check(src.size(), dst.size(), weight.size(), weights.size(), keys.size(), offsets.size(), how);
    const size_t buckets = how.buckets();
    // Ranges of edges count first and then write, each into its own part of every bucket: stable.
    const size_t ranges = std::clamp<size_t>(src.size() >> 14, 1, static_cast<size_t>(num_threads()) * 4);
    std::vector<std::vector<int64_t>> place(ranges);

    const auto each = [&](size_t range, auto&& emit) {
        const size_t end = src.size() * (range + 1) / ranges;
        for (size_t e = src.size() * range / ranges; e < end; ++e) {
            const Id u = src[e], v = dst[e];
            if (u == v && how.drop_loops) continue;
            emit(e, static_cast<uint64_t>(u), static_cast<uint64_t>(v));
            if (how.both_ways && u != v) emit(e, static_cast<uint64_t>(v), static_cast<uint64_t>(u));
        }
    };

    parallel_for(ranges, [&](size_t range) {
        auto& count = place[range];
        count.assign(buckets, 0);
        const size_t begin = src.size() * range / ranges, end = src.size() * (range + 1) / ranges;
        for (size_t e = begin; e < end; ++e)
            if (!inside(src[e], how.num_nodes) || !inside(dst[e], how.num_nodes)) [[unlikely]]
                foreign(e, src[e], dst[e], how.num_nodes);
        each(range, [&](size_t, uint64_t u, uint64_t) { ++count[u >> how.shift]; });
    });

    int64_t total = 0;
    for (size_t b = 0; b < buckets; ++b) {
        offsets[b] = total;
        for (auto& count : place) {
            const int64_t size = count[b];
            count[b] = total;
            total += size;
        }
    }
    offsets[buckets] = total;

    const uint64_t local = (uint64_t{1} << how.shift) - 1;
    parallel_for(ranges, [&](size_t range) {
        auto& cursor = place[range];
        each(range, [&](size_t e, uint64_t u, uint64_t v) {
            const auto at = static_cast<size_t>(cursor[u >> how.shift]++);
            keys[at] = how.dst_bits < 64 ? (u & local) << how.dst_bits | v : v;
            if (!weight.empty()) weights[at] = weight[e];
        });
    });
}

template void scatter_edges(std::span<const int64_t>, std::span<const int64_t>, std::span<const float>,
                            const Bucketing&, std::span<int64_t>, std::span<uint64_t>, std::span<float>);
template void scatter_edges(std::span<const uint32_t>, std::span<const uint32_t>, std::span<const float>,
                            const Bucketing&, std::span<int64_t>, std::span<uint64_t>, std::span<float>);

}  // namespace weft
