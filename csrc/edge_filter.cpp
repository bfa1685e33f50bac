#include "edge_filter.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>

#include "pool.h"

namespace weft {
namespace {

[[noreturn, gnu::cold, gnu::noinline]] void refuse(uint64_t node, const std::string& what) {
    throw std::invalid_argument("edge filter: the graph is damaged: the row of node " + std::to_string(node) + " " +
                                what + "; import the graph again");
}

}  // namespace

template <typename Id>
uint64_t fill_filter(std::span<const int64_t> indptr, std::span<const Id> indices, bool directed,
                 std::span<uint64_t> words) {
    if (indptr.empty() || words.empty() || words.size() > uint64_t{1} << 32)
        throw std::invalid_argument("edge filter: indptr must hold at least one element and words 1 to 2**32 (got " +
                                    std::to_string(indptr.size()) + " and " + std::to_string(words.size()) + ")");
    const uint64_t nodes = indptr.size() - 1;
    std::atomic<uint64_t> parallel{0};
    parallel_ranges(nodes, 1024, [&](size_t first, size_t last) {
        uint64_t most = 0;
        for (size_t u = first; u < last; ++u) {
            const auto begin = static_cast<uint64_t>(indptr[u]);
            const uint64_t degree = static_cast<uint64_t>(indptr[u + 1]) - begin;
            if (begin > indices.size() || degree > indices.size() - begin || degree > UINT32_MAX)
                refuse(u, "does not lie within the edges or is 2**32 edges long or more");
            uint64_t run = 0;
            for (uint64_t e = begin; e < begin + degree; ++e) {
                const auto v = static_cast<uint64_t>(indices[e]);
                if (v >= nodes) refuse(u, "holds node " + std::to_string(v) + " of " + std::to_string(nodes));
                if (e > begin && indices[e] < indices[e - 1]) refuse(u, "does not rise");
                run = e > begin && indices[e] == indices[e - 1] ? run + 1 : 1;
                most = std::max(most, run);
                if (!directed && v < u) continue;  // its reverse stands for it
                const uint64_t h = EdgeFilter::hash(directed, u, v);
                std::atomic_ref<uint64_t>(words[EdgeFilter::place(h, words.size())])
                    .fetch_or(EdgeFilter::mask(h), std::memory_order_relaxed);
            }
        }
        for (uint64_t seen = parallel; seen < most && !parallel.compare_exchange_weak(seen, most);) {}
    });
    return parallel;
}

template uint64_t fill_filter(std::span<const int64_t>, std::span<const uint32_t>, bool, std::span<uint64_t>);
template uint64_t fill_filter(std::span<const int64_t>, std::span<const int64_t>, bool, std::span<uint64_t>);

}  // namespace weft
