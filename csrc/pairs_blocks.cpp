#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "dispatch.h"
#include "pairs.h"
#include "pool.h"

namespace weft {
namespace {

__extension__ typedef unsigned __int128 u128;

// x / d for 32-bit x, by one multiplication (Lemire, Kaser, Kurz: "Faster remainder by direct computation", 2019).
class Divider {
public:
    explicit Divider(uint64_t d) : one_(d == 1), inverse_(UINT64_MAX / d + 1) {}
    WEFT_INLINE uint32_t operator()(uint32_t x) const {
        return one_ ? x : static_cast<uint32_t>((u128{inverse_} * x) >> 64);
    }

private:
    bool one_;
    uint64_t inverse_;
};

struct Walks {
    std::span<const uint32_t> nodes;
    size_t length, window;
    std::span<const uint32_t> row_of;
    std::span<const uint8_t> sink;
    size_t limit;  // of the rows

    size_t count() const { return nodes.size() / (length + 1); }

    // The rows of walk w, as far as it goes; returns its steps.
    size_t read(size_t w, uint32_t* rows) const {
        const uint32_t* walk = nodes.data() + w * (length + 1);
        for (size_t x = 0; x <= length; ++x) {
            if (walk[x] >= row_of.size())
                throw std::out_of_range("block_pairs: a walk holds node " + std::to_string(walk[x]) +
                                        " of a graph with " + std::to_string(row_of.size()));
            rows[x] = row_of[walk[x]];
            if (rows[x] >= limit)
                throw std::out_of_range("block_pairs: node " + std::to_string(walk[x]) + " is in row " +
                                        std::to_string(rows[x]) + " of " + std::to_string(limit));
            if (!sink.empty() && sink[walk[x]]) return x;
        }
        return length;
    }

    size_t tails(size_t x, size_t steps) const { return std::min(window, steps - x); }
};

// A run of walks, and how many of their pairs belong to the pool.
struct Task {
    size_t begin, end, pairs;
};

std::vector<Task> share_out(const Walks& walks, size_t most) {
    const size_t count = walks.count();
    const size_t tasks = std::clamp<size_t>(count / 64, 1, 256);
    std::vector<Task> out(tasks);
    parallel_for(tasks, [&](size_t t) {
        Task task{count * t / tasks, count * (t + 1) / tasks, 0};
        std::vector<uint32_t> rows(walks.length + 1);
        for (size_t w = task.begin; w < task.end; ++w) task.pairs += pairs_per_walk(walks.read(w, rows.data()), walks.window);
        out[t] = task;
    });
    for (Task& task : out) {
        task.pairs = std::min(task.pairs, most);
        most -= task.pairs;
    }
    return out;
}

// Calls visit(rows, x, n) for each head x of the task's walks and its n tails behind it.
template <typename Visit>
void each_head(const Walks& walks, const Task& task, const Visit& visit) {
    std::vector<uint32_t> rows(walks.length + 1);
    size_t left = task.pairs;
    for (size_t w = task.begin; w < task.end && left; ++w) {
        const size_t steps = walks.read(w, rows.data());
        for (size_t x = 0; x < steps && left; ++x) {
            const size_t n = std::min(left, walks.tails(x, steps));
            visit(rows.data(), x, n);
            left -= n;
        }
    }
}

// The pairs of one part of heads: by part of the tail into `scratch`, then each block by head, in cache by now.
void sort_part(std::span<uint64_t> pairs, std::span<uint64_t> scratch, uint32_t first, size_t rows, size_t parts,
               const Divider& part_of, int64_t* offset) {
    std::vector<size_t> at(parts + 1, 0);
    for (const uint64_t pair : pairs) ++at[part_of(static_cast<uint32_t>(pair)) + 1];
    for (size_t j = 0; j < parts; ++j) at[j + 1] += at[j];
    for (size_t j = 0; j < parts; ++j) offset[j] += static_cast<int64_t>(at[j]);
    for (const uint64_t pair : pairs) scratch[at[part_of(static_cast<uint32_t>(pair))]++] = pair;
    for (size_t j = 0, begin = 0; j < parts; begin = at[j++])  // at[j] has moved to the end of block j
        sort_by_head(scratch.subspan(begin, at[j] - begin), pairs.subspan(begin, at[j] - begin), first, rows);
}

}  // namespace

size_t block_pairs(std::span<const uint32_t> nodes, size_t length, size_t window, std::span<const uint32_t> row_of,
                   std::span<const uint8_t> sink, size_t most, size_t rows, size_t parts, std::span<uint64_t> out,
                   std::span<int64_t> offset) {
    const auto refuse = [](const std::string& what) { throw std::invalid_argument("block_pairs: " + what); };
    if (length < 1 || window < 1 || rows < 1 || parts < 1) refuse("length, window, rows and parts must be at least 1");
    if (rows > 0xFFFFFFFFu / parts) refuse("there may be at most 2^32 rows in all");
    if (nodes.size() % (length + 1) != 0) refuse("walks must hold rows of length + 1 nodes");
    if (!sink.empty() && sink.size() != row_of.size()) refuse("sink and row_of must name the same nodes");
    if (offset.size() != parts * parts + 1) refuse("offset must hold one number more than there are blocks");
    const Walks walks{nodes, length, window, row_of, sink, rows * parts};
    const Divider part_of(rows);
    const auto tasks = share_out(walks, most);
    size_t total = 0;
    for (const Task& task : tasks) total += task.pairs;
    if (out.size() < total) refuse("out has room for " + std::to_string(out.size()) + " of " + std::to_string(total) + " pairs");

    // A task's pairs go behind those of earlier tasks, so the order is that of one thread.
    std::vector<std::vector<uint64_t>> at(tasks.size());
    parallel_for(tasks.size(), [&](size_t t) {
        at[t].assign(parts, 0);
        each_head(walks, tasks[t], [&](const uint32_t* row, size_t x, size_t n) { at[t][part_of(row[x])] += n; });
    });
    std::vector<uint64_t> begin(parts + 1, 0);
    uint64_t sum = 0;
    for (size_t i = 0; i < parts; ++i) {
        begin[i] = sum;
        for (auto& task : at) {
            const uint64_t n = task[i];
            task[i] = sum;
            sum += n;
        }
    }
    begin[parts] = sum;
    parallel_for(tasks.size(), [&](size_t t) {
        each_head(walks, tasks[t], [&](const uint32_t* row, size_t x, size_t n) {
            uint64_t& to = at[t][part_of(row[x])];
            for (size_t y = 1; y <= n; ++y) out[to++] = uint64_t{row[x]} << 32 | row[x + y];
        });
    });

    size_t largest = 0;
    for (size_t i = 0; i < parts; ++i) {
        largest = std::max<size_t>(largest, begin[i + 1] - begin[i]);
        std::fill_n(offset.begin() + static_cast<ptrdiff_t>(i * parts), parts, static_cast<int64_t>(begin[i]));
    }
    offset[parts * parts] = static_cast<int64_t>(total);
    std::atomic<size_t> next{0};
    // One scratch for each thread, not for each part: fresh memory costs as much as the sort.
    parallel_for(std::min<size_t>(static_cast<size_t>(num_threads()), parts), [&](size_t) {
        std::vector<uint64_t> scratch(largest);
        for (size_t i = next++; i < parts; i = next++)
            sort_part(out.subspan(begin[i], begin[i + 1] - begin[i]), scratch, static_cast<uint32_t>(i * rows), rows, parts,
                      part_of, offset.data() + i * parts);
    });
    return total;
}

}  // namespace weft
