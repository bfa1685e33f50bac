// One pool of std::threads for the whole core.
#pragma once

#include <cstddef>
#include <functional>

namespace weft {

// How many threads work at most, the caller included: where the system starts fewer, those do. Throws
// std::invalid_argument below 1.
void set_num_threads(int count);
int num_threads();

// Calls task(i) for every i in [0, count), each exactly once, on the pool and the calling thread, and
// returns when all are done. If tasks throw, the exception of the smallest such i that ran is rethrown
// here and tasks not yet begun are dropped. A call from inside a task runs in that task's thread.
// Which thread runs which i is not defined: a task must not depend on it.
void parallel_for(size_t count, const std::function<void(size_t)>& task);

// Splits [0, size) into equal ranges of at least `grain` items (the split depends on the number of
// threads, so results must not depend on the split) and calls task(begin, end) on each.
void parallel_ranges(size_t size, size_t grain, const std::function<void(size_t, size_t)>& task);

}  // namespace weft
