#include "pairs.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "pool.h"

namespace weft {
namespace {

constexpr size_t walks_per_task = 512;

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument(what); }

// Steps of a walk before it got stuck.
size_t steps(const uint32_t* walk, size_t length, std::span<const uint8_t> sink) {
    if (sink.empty()) return length;
    for (size_t x = 0; x < length; ++x) {
        if (walk[x] >= sink.size())
            throw std::out_of_range("window_pairs: walk holds node " + std::to_string(walk[x]) + " of a graph with " +
                                    std::to_string(sink.size()));
        if (sink[walk[x]]) return x;
    }
    return length;
}

struct Window {
    size_t length, window;
    std::span<const uint32_t> row_of;
    std::span<const uint8_t> sink;

    uint64_t* fill(const uint32_t* walk, uint64_t* out, std::vector<uint64_t>& rows) const {
        const size_t n = steps(walk, length, sink);
        for (size_t x = 0; x <= n; ++x) {
            if (walk[x] >= row_of.size())
                throw std::out_of_range("window_pairs: walk holds node " + std::to_string(walk[x]) +
                                        " of a graph with " + std::to_string(row_of.size()));
            rows[x] = row_of[walk[x]];
        }
        for (size_t x = 0; x < n; ++x) {
            const size_t last = std::min(n, x + window);
            for (size_t y = x + 1; y <= last; ++y) *out++ = rows[x] << 32 | rows[y];
        }
        return out;
    }
};

// The number of a pair's block.
struct BlockOf {
    uint32_t rows;
    uint32_t head_first, heads, tail_first, tails;

    explicit BlockOf(const Blocks& b)
        : rows(static_cast<uint32_t>(b.rows)), head_first(static_cast<uint32_t>(b.head_first)),
          heads(static_cast<uint32_t>(b.heads)), tail_first(static_cast<uint32_t>(b.tail_first)),
          tails(static_cast<uint32_t>(b.tails)) {}

    uint32_t head(uint64_t pair) const { return static_cast<uint32_t>(pair >> 32) / rows - head_first; }
    uint32_t tail(uint64_t pair) const { return static_cast<uint32_t>(pair) / rows - tail_first; }
    size_t operator()(uint64_t pair) const { return size_t{head(pair)} * tails + tail(pair); }
    // A part before the first becomes a number past the last.
    bool holds(uint64_t pair) const { return head(pair) < heads && tail(pair) < tails; }
};

[[noreturn]] void lies_outside(uint64_t pair, const Blocks& b) {
    const auto range = [&](size_t first, size_t parts) {
        return std::to_string(first * b.rows) + " .. " + std::to_string((first + parts) * b.rows - 1);
    };
    throw std::out_of_range("bucket_pairs: the pair (" + std::to_string(pair >> 32) + ", " +
                            std::to_string(static_cast<uint32_t>(pair)) + ") lies outside of head rows " +
                            range(b.head_first, b.heads) + " and tail rows " + range(b.tail_first, b.tails));
}

// Counts, or with Scatter moves, the pairs of each block. A task's pairs go behind those of earlier tasks,
// so the order is that of one thread.
void by_block(std::span<const uint64_t> pairs, std::span<uint64_t> out, const Blocks& blocks, std::span<int64_t> offset) {
    const size_t count = blocks.count();
    const BlockOf block_of(blocks);
    // Enough tasks to share out, few enough that their counters stay small beside the pairs.
    const size_t tasks = std::clamp<size_t>(pairs.size() / (8 * count), 1, 64);
    std::vector<std::vector<uint64_t>> at(tasks);
    const auto range = [&](size_t t) { return pairs.subspan(pairs.size() * t / tasks, pairs.size() * (t + 1) / tasks - pairs.size() * t / tasks); };
    parallel_for(tasks, [&](size_t t) {
        at[t].assign(count, 0);
        for (const uint64_t pair : range(t)) {
            if (!block_of.holds(pair)) lies_outside(pair, blocks);
            ++at[t][block_of(pair)];
        }
    });
    uint64_t sum = 0;
    for (size_t b = 0; b < count; ++b) {
        offset[b] = static_cast<int64_t>(sum);
        for (auto& task : at) {
            const uint64_t n = task[b];
            task[b] = sum;
            sum += n;
        }
    }
    offset[count] = static_cast<int64_t>(sum);
    parallel_for(tasks, [&](size_t t) {
        for (const uint64_t pair : range(t)) out[at[t][block_of(pair)]++] = pair;
    });
}

}  // namespace

void sort_by_head(std::span<const uint64_t> in, std::span<uint64_t> out, uint64_t first, size_t rows) {
    if (in.size() < rows / 8) {
        std::copy(in.begin(), in.end(), out.begin());
        std::stable_sort(out.begin(), out.end(), [](uint64_t a, uint64_t b) { return a >> 32 < b >> 32; });
        return;
    }
    thread_local std::vector<uint32_t> at;  // kept: for small blocks a new one would cost as much as the sort
    at.assign(rows + 1, 0);
    for (const uint64_t pair : in) ++at[(pair >> 32) - first + 1];
    for (size_t r = 0; r < rows; ++r) at[r + 1] += at[r];
    for (const uint64_t pair : in) out[at[(pair >> 32) - first]++] = pair;
}

size_t pairs_per_walk(size_t length, size_t window) {
    const size_t w = std::min(window, length);
    return w * length - w * (w - 1) / 2;
}

size_t window_pairs(std::span<const uint32_t> walks, size_t length, size_t window, std::span<const uint32_t> row_of,
                    std::span<const uint8_t> sink, std::span<uint64_t> out) {
    if (length < 1 || window < 1) refuse("window_pairs: length and window must be at least 1");
    if (walks.size() % (length + 1) != 0) refuse("window_pairs: walks must hold rows of length + 1 nodes");
    if (!sink.empty() && sink.size() != row_of.size()) refuse("window_pairs: sink and row_of must name the same nodes");
    const size_t count = walks.size() / (length + 1);
    if (out.size() < count * pairs_per_walk(length, window)) refuse("window_pairs: out is too small for the walks");
    const size_t tasks = (count + walks_per_task - 1) / walks_per_task;
    const auto each = [&](size_t t, const auto& visit) {
        for (size_t w = t * walks_per_task; w < std::min(count, (t + 1) * walks_per_task); ++w)
            visit(walks.data() + w * (length + 1));
    };
    std::vector<size_t> begin(tasks + 1, 0);
    parallel_for(tasks, [&](size_t t) {
        each(t, [&](const uint32_t* walk) { begin[t + 1] += pairs_per_walk(steps(walk, length, sink), window); });
    });
    for (size_t t = 0; t < tasks; ++t) begin[t + 1] += begin[t];
    const Window fill{length, window, row_of, sink};
    parallel_for(tasks, [&](size_t t) {
        std::vector<uint64_t> rows(length + 1);
        uint64_t* to = out.data() + begin[t];
        each(t, [&](const uint32_t* walk) { to = fill.fill(walk, to, rows); });
    });
    return begin[tasks];
}

void bucket_pairs(std::span<uint64_t> pairs, std::span<uint64_t> scratch, const Blocks& blocks, std::span<int64_t> offset) {
    const size_t parts = std::max(blocks.head_first + blocks.heads, blocks.tail_first + blocks.tails);
    if (blocks.rows < 1 || blocks.heads < 1 || blocks.tails < 1 || blocks.rows > 0xFFFFFFFFu / parts)
        refuse("bucket_pairs: rows and parts must be positive, with at most 2^32 rows in all");
    if (scratch.size() < pairs.size()) refuse("bucket_pairs: scratch must be as large as pairs");
    if (offset.size() != blocks.count() + 1) refuse("bucket_pairs: offset must hold one number more than there are blocks");
    by_block(pairs, scratch, blocks, offset);
    parallel_for(blocks.count(), [&](size_t b) {
        const auto begin = static_cast<size_t>(offset[b]);
        const auto size = static_cast<size_t>(offset[b + 1]) - begin;
        const size_t part = blocks.head_first + b / blocks.tails;
        sort_by_head(scratch.subspan(begin, size), pairs.subspan(begin, size), part * blocks.rows, blocks.rows);
    });
}

}  // namespace weft
