// Weakly connected components.
#pragma once

#include <cstdint>
#include <span>

namespace weft {

// root[i] = the smallest node of i's component. Union-find by smallest root with path halving
// (Tarjan, van Leeuwen: "Worst-case analysis of set union algorithms", JACM 1984).
// Throws std::invalid_argument when the rows are not those of a graph of root.size() nodes.
template <typename Index>
void connected_components(std::span<const int64_t> indptr, std::span<const Index> indices, std::span<int64_t> root);

}  // namespace weft
