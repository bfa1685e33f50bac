#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

#include "csr.h"
#include "pool.h"

namespace weft {

template <typename Index>
void has_edges(std::span<const int64_t> indptr, std::span<const Index> indices, std::span<const int64_t> src,
               std::span<const int64_t> dst, std::span<uint8_t> out) {
    if (src.size() != dst.size() || out.size() != src.size())
        throw std::invalid_argument("has_edges: src, dst and out must have one length");
    const auto n = static_cast<int64_t>(indptr.size()) - 1;
    const auto edges = static_cast<int64_t>(indices.size());
    parallel_ranges(src.size(), 1024, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            const int64_t u = src[i];
            if (u < 0 || u >= n)
                throw std::out_of_range("has_edges: node " + std::to_string(u) + " is not in 0 .. " +
                                        std::to_string(n - 1));
            const int64_t first = indptr[static_cast<size_t>(u)], last = indptr[static_cast<size_t>(u) + 1];
            if (first < 0 || first > last || last > edges)
                throw std::out_of_range("has_edges: the row of node " + std::to_string(u) +
                                        " is damaged; open the graph with verify=True");
            const auto row = indices.subspan(static_cast<size_t>(first), static_cast<size_t>(last - first));
            // Rows may lead to nodes of another type, of which there may be more.
            const bool possible = dst[i] >= 0 && static_cast<uint64_t>(dst[i]) <= std::numeric_limits<Index>::max();
            out[i] = possible && std::binary_search(row.begin(), row.end(), static_cast<Index>(dst[i]));
        }
    });
}

template <typename Index>
void expand_rows(std::span<const int64_t> indptr, std::span<Index> out) {
    const auto edges = static_cast<int64_t>(out.size());
    if (indptr.empty() || indptr.front() != 0 || indptr.back() != edges)
        throw std::out_of_range("expand_rows: indptr must rise from 0 to the number of edges");
    parallel_ranges(indptr.size() - 1, 1024, [&](size_t begin, size_t end) {
        for (size_t u = begin; u < end; ++u) {
            const int64_t first = indptr[u], last = indptr[u + 1];
            if (first < 0 || first > last || last > edges)
                throw std::out_of_range("expand_rows: indptr falls at node " + std::to_string(u) +
                                        "; open the graph with verify=True");
            std::fill(out.begin() + first, out.begin() + last, static_cast<Index>(u));
        }
    });
}

template void has_edges(std::span<const int64_t>, std::span<const uint32_t>, std::span<const int64_t>,
                        std::span<const int64_t>, std::span<uint8_t>);
template void has_edges(std::span<const int64_t>, std::span<const int64_t>, std::span<const int64_t>,
                        std::span<const int64_t>, std::span<uint8_t>);
template void expand_rows(std::span<const int64_t>, std::span<uint32_t>);
template void expand_rows(std::span<const int64_t>, std::span<int64_t>);

}  // namespace weft
