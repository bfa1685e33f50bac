// Blocks of a grid, each after its left and its upper neighbour.
#pragma once

#include <cstddef>
#include <functional>

namespace weft {

// Calls task(i, j) once for every 0 <= i < rows, 0 <= j < columns, on the pool; (i, j) begins only when
// (i - 1, j) and (i, j - 1) have ended. Tasks that run at the same time share neither i nor j, and whatever the
// number of threads, each row and each column sees its tasks in one order: that of two nested loops. A thread
// goes on down its column where it can: what belongs to the column is then still in its cache.
// If tasks throw, the first exception seen is rethrown and tasks not yet begun are dropped.
void wavefront(size_t rows, size_t columns, const std::function<void(size_t, size_t)>& task);

}  // namespace weft
