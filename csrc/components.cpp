#include "components.h"

#include <stdexcept>
#include <string>

namespace weft {
namespace {

int64_t find(std::span<int64_t> root, int64_t i) {
    while (root[i] != i) {
        root[i] = root[root[i]];
        i = root[i];
    }
    return i;
}

}  // namespace

template <typename Index>
void connected_components(std::span<const int64_t> indptr, std::span<const Index> indices, std::span<int64_t> root) {
    const auto nodes = static_cast<int64_t>(root.size());
    for (int64_t i = 0; i < nodes; ++i) root[i] = i;
    for (int64_t i = 0; i < nodes; ++i) {
        if (indptr[i] < 0 || indptr[i] > indptr[i + 1] || indptr[i + 1] > static_cast<int64_t>(indices.size()))
            throw std::invalid_argument("connected_components: indptr is damaged at node " + std::to_string(i));
        for (int64_t e = indptr[i]; e < indptr[i + 1]; ++e) {
            const auto j = static_cast<int64_t>(indices[e]);
            if (j < 0 || j >= nodes)
                throw std::invalid_argument("connected_components: edge " + std::to_string(e) + " names node " +
                                            std::to_string(j) + ", there are " + std::to_string(nodes));
            const int64_t a = find(root, i), b = find(root, j);
            if (a < b) root[b] = a;
            if (b < a) root[a] = b;
        }
    }
    for (int64_t i = 0; i < nodes; ++i) root[i] = root[root[i]];  // roots come first, so one step reaches them
}

template void connected_components(std::span<const int64_t>, std::span<const uint32_t>, std::span<int64_t>);
template void connected_components(std::span<const int64_t>, std::span<const int64_t>, std::span<int64_t>);

}  // namespace weft
