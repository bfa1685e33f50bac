#include "paths.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "dispatch.h"
#include "philox.h"
#include "pool.h"

namespace weft {
namespace {

constexpr size_t group_size = 64;          // walks that step together: one waits for memory, others work
constexpr size_t batch_size = 2048;        // walks before their ends are counted: 80 KB of ends at ten steps
constexpr size_t ends_size = 1 << 19;      // ends before they are counted: long walks come in smaller batches
constexpr size_t chunk_work = 1 << 14;     // edges and walks that one task takes on
constexpr double unit = 68719476736.0;     // 2^36: shares of a row are whole multiples of 1 / unit
constexpr uint32_t count_lane = UINT32_MAX;  // of the word that rounds an edge's walks up or down
constexpr uint32_t nowhere = UINT32_MAX;   // where a walk is that has no edge to follow

[[noreturn, gnu::cold, gnu::noinline]] void damaged(const std::string& what) {
    throw std::invalid_argument("paths: the graph is damaged: " + what + "; import the graph again");
}

struct Row {
    uint64_t begin, degree;
};

WEFT_INLINE Row row_of(const PathGraph& graph, uint64_t node) {
    const uint64_t edges = graph.indices.size();
    const auto begin = static_cast<uint64_t>(graph.indptr[node]);
    const uint64_t degree = static_cast<uint64_t>(graph.indptr[node + 1]) - begin;
    if (begin > edges || degree > edges - begin || degree > UINT32_MAX) [[unlikely]]
        damaged("the row of node " + std::to_string(node) + " in indptr does not lie within the " +
                std::to_string(edges) + " edges or is 2**32 edges long or more");
    return {begin, degree};
}

// What one edge is worth to its node.
struct Share {
    uint64_t walks;  // that begin with the edge
    uint64_t units;  // of each
    uint64_t first;  // units of the edge itself, which no walk needs to find
};

WEFT_INLINE Share share_of(const PathGraph& graph, const PathSampling& how, uint64_t node, uint64_t edge) {
    const uint32_t other = graph.indices[edge];
    if (other >= graph.in.size()) [[unlikely]]
        damaged("indices hold node " + std::to_string(other) + " of " + std::to_string(graph.in.size()));
    const double weight = graph.weight.empty() ? 1.0 : double{graph.weight[edge]};
    if (!(weight > 0)) return {0, 0, 0};
    const double out = graph.out[node];
    if (!(weight <= out * 1.001)) [[unlikely]]  // so that shares are at most 1
        throw std::invalid_argument("paths: node " + std::to_string(node) + " has an edge of weight " +
                                    std::to_string(weight) + ", out says that all of them weigh " + std::to_string(out));
    const double kept = std::min(1.0, how.keep * weight * (1 / out + 1 / graph.in[other]));
    const double expected = how.window > 1 ? how.samples * kept : 0.0;
    const double whole = std::floor(expected);
    const uint32_t word = draw(key_of(how.key), edge, 0, count_lane)[0];
    const bool up = static_cast<double>(word) < (expected - whole) * 4294967296.0;
    return {static_cast<uint64_t>(whole) + up, static_cast<uint64_t>(weight / (kept * out) * unit + 0.5),
            static_cast<uint64_t>(how.samples * weight / out * unit + 0.5)};
}

// The units of one row by column: a table of all columns for long rows, a hash table for short ones.
class Tally {
public:
    explicit Tally(size_t nodes) : nodes_(nodes) {}

    void begin(size_t most) {
        dense_ = most >= nodes_ / 4;
        if (dense_) {
            all_.resize(nodes_);
            return;
        }
        bits_ = std::bit_width(2 * most);
        if (const size_t room = size_t{1} << bits_; slots_.size() < room) slots_.resize(room, {0, nowhere});
    }

    void add(uint32_t column, uint64_t units) {
        if (dense_) {
            all_[column] += units;
            return;
        }
        const size_t mask = (size_t{1} << bits_) - 1;
        size_t at = (uint64_t{column} * 0x9E3779B97F4A7C15u) >> (64 - bits_);
        while (slots_[at].column != column && slots_[at].column != nowhere) at = (at + 1) & mask;
        slots_[at] = {slots_[at].units + units, column};
    }

    // Calls take(column, units) for each column that has any, in no order, and forgets them.
    template <typename Take>
    void drain(Take&& take) {
        if (dense_) {
            for (size_t column = 0; column < nodes_; ++column)
                if (all_[column] != 0) take(static_cast<uint32_t>(column), all_[column]);
            std::fill(all_.begin(), all_.end(), 0);
            return;
        }
        for (size_t at = 0; at < size_t{1} << bits_; ++at) {
            if (slots_[at].column == nowhere) continue;
            take(slots_[at].column, slots_[at].units);
            slots_[at] = {0, nowhere};
        }
    }

private:
    struct Slot {
        uint64_t units;
        uint32_t column;
    };
    size_t nodes_;
    bool dense_ = false;
    int bits_ = 0;
    std::vector<uint64_t> all_;
    std::vector<Slot> slots_;
};

// Walks that are waiting to be made, a column each.
struct Batch {
    std::array<uint32_t, batch_size> at;
    std::array<uint64_t, batch_size> edge;
    std::array<uint32_t, batch_size> number;  // of the walk among those of its edge
    std::array<uint64_t, batch_size> units;
    size_t size = 0;
};

constexpr uint32_t end_of_walk = nowhere;

// Where a step from `node` leads to.
WEFT_INLINE const uint32_t* step(const PathGraph& graph, uint64_t node, uint32_t word) {
    const Row row = row_of(graph, node);
    if (row.degree == 0) return &end_of_walk;
    uint64_t edge = bounded(word, row.degree);
    if (!graph.alias.empty()) {
        const uint64_t slot = graph.alias[row.begin + edge];
        if (static_cast<uint32_t>(word * row.degree) >= static_cast<uint32_t>(slot)) edge = slot >> 32;
        if (edge >= row.degree) [[unlikely]]
            throw std::invalid_argument("paths: the alias table does not belong to the graph: a slot of node " +
                                        std::to_string(node) + " points out of its row; build the table again");
    }
    return graph.indices.data() + row.begin + edge;
}

// Makes the walks of one group: ends[i * steps + s] is where walk i is after s + 2 edges.
WEFT_INLINE void walk_group(const PathGraph& graph, Key key, Batch& batch, size_t begin, size_t count, size_t steps,
                            uint32_t* ends) {
    const uint64_t nodes = graph.in.size();
    std::array<const uint32_t*, group_size> next;
    alignas(64) std::array<std::array<uint32_t, group_size>, 4> words;
    for (size_t i = 0; i < count; ++i) __builtin_prefetch(graph.indptr.data() + batch.at[begin + i]);
    for (size_t s = 0; s < steps; ++s) {
        if (s % 4 == 0)
            for (size_t i = 0; i < group_size; ++i) {
                const Counter block =
                    draw(key, batch.edge[begin + i], batch.number[begin + i], static_cast<uint32_t>(s / 4));
                for (size_t j = 0; j < 4; ++j) words[j][i] = block[j];
            }
        for (size_t i = 0; i < count; ++i) {
            const uint32_t node = batch.at[begin + i];
            next[i] = node == nowhere ? &end_of_walk : step(graph, node, words[s % 4][i]);
            __builtin_prefetch(next[i]);
        }
        for (size_t i = 0; i < count; ++i) {
            const uint32_t node = *next[i];
            if (node >= nodes && node != nowhere) [[unlikely]]
                damaged("indices hold node " + std::to_string(node) + " of " + std::to_string(nodes));
            if (node != nowhere) __builtin_prefetch(graph.indptr.data() + node);
            batch.at[begin + i] = node;
            ends[i * steps + s] = node;
        }
    }
}

WEFT_CLONES void make_walks(const PathGraph& graph, Key key, Batch& batch, size_t steps, uint32_t* ends) {
    for (size_t begin = 0; begin < batch.size; begin += group_size)
        walk_group(graph, key, batch, begin, std::min(group_size, batch.size - begin), steps, ends + begin * steps);
}

struct Scratch {
    Scratch(size_t nodes, size_t steps)
        : tally(nodes),
          walks(std::clamp(ends_size / std::max<size_t>(1, steps), group_size, batch_size)),
          ends(walks * steps) {}

    Tally tally;
    size_t walks;  // of a batch
    Batch batch{};
    std::vector<uint32_t> ends;
    std::vector<uint64_t> kept;  // column << 32 | bits of the value, to be sorted

    struct Part {
        size_t row, begin;
        bool first, last;  // of this row
    };
    std::vector<Part> parts;
};

struct Target {
    std::span<const double> row_scale, column_scale;
    uint32_t* columns;
    float* values;
    int64_t* degree;  // of row `first`
    size_t first;
};

// Rows begin .. end, written from place `at`; gives the place behind.
class Chunk {
public:
    Chunk(const PathGraph& graph, const PathSampling& how, const Target& target, Scratch& scratch)
        : graph_(graph), how_(how), target_(target), s_(scratch), steps_(how.window - 1) {}

    size_t run(size_t begin, size_t end, std::span<const int64_t> walks, size_t at) {
        walks_ = walks;
        at_ = at;
        for (size_t row = begin; row < end; ++row) {
            const Row span = row_of(graph_, row);
            target_.degree[row - target_.first] = 0;
            if (span.degree == 0) continue;
            open(row, true);
            int64_t left = walks[row - target_.first];
            for (uint64_t e = span.begin; e < span.begin + span.degree; ++e) {
                const Share share = share_of(graph_, how_, row, e);
                if ((left -= static_cast<int64_t>(share.walks)) < 0)  // the tally would have no room
                    throw std::invalid_argument("paths: walks do not belong to the graph; count them again");
                for (uint64_t j = 0; j < share.walks; ++j) {
                    if (s_.batch.size == s_.walks) {
                        settle();
                        open(row, false);
                    }
                    push(graph_.indices[e], e, static_cast<uint32_t>(j), share.units);
                }
            }
            s_.parts.back().last = true;
        }
        settle();
        return at_;
    }

private:
    void open(size_t row, bool first) { s_.parts.push_back({row, s_.batch.size, first, false}); }

    void push(uint32_t at, uint64_t edge, uint32_t number, uint64_t units) {
        Batch& b = s_.batch;
        b.at[b.size] = at;
        b.edge[b.size] = edge;
        b.number[b.size] = number;
        b.units[b.size++] = units;
    }

    void settle() {
        make_walks(graph_, key_of(how_.key), s_.batch, steps_, s_.ends.data());
        for (size_t p = 0; p < s_.parts.size(); ++p) {
            const auto& part = s_.parts[p];
            const size_t end = p + 1 < s_.parts.size() ? s_.parts[p + 1].begin : s_.batch.size;
            if (part.first) s_.tally.begin(path_room(graph_, how_, part.row, walks_[part.row - target_.first]));
            for (size_t i = part.begin; i < end; ++i)
                for (size_t s = 0; s < steps_ && s_.ends[i * steps_ + s] != nowhere; ++s)
                    s_.tally.add(s_.ends[i * steps_ + s], s_.batch.units[i]);
            if (part.last) finish(part.row);
        }
        s_.parts.clear();
        s_.batch.size = 0;
    }

    void finish(size_t row) {
        const Row span = row_of(graph_, row);
        for (uint64_t e = span.begin; e < span.begin + span.degree; ++e)
            if (const Share share = share_of(graph_, how_, row, e); share.first)
                s_.tally.add(graph_.indices[e], share.first);
        const double scale = target_.row_scale[row];
        s_.kept.clear();
        s_.tally.drain([&](uint32_t column, uint64_t units) {
            const auto value = static_cast<float>(static_cast<double>(units) * scale * target_.column_scale[column]);
            if (value > 1) s_.kept.push_back(uint64_t{column} << 32 | std::bit_cast<uint32_t>(value));
        });
        std::sort(s_.kept.begin(), s_.kept.end());
        for (const uint64_t entry : s_.kept) {
            target_.columns[at_] = static_cast<uint32_t>(entry >> 32);
            target_.values[at_++] = std::bit_cast<float>(static_cast<uint32_t>(entry));
        }
        target_.degree[row - target_.first] = static_cast<int64_t>(s_.kept.size());
    }

    const PathGraph& graph_;
    const PathSampling& how_;
    const Target& target_;
    Scratch& s_;
    size_t steps_;
    std::span<const int64_t> walks_;
    size_t at_ = 0;
};

void check(const PathGraph& graph, const PathSampling& how) {
    if (graph.indptr.empty() || graph.out.size() + 1 != graph.indptr.size() || graph.in.size() != graph.out.size())
        throw std::invalid_argument("paths: indptr must hold N + 1 values, out and in N");
    if ((!graph.weight.empty() && graph.weight.size() != graph.indices.size()) ||
        (!graph.alias.empty() && graph.alias.size() != graph.indices.size()))
        throw std::invalid_argument("paths: weight and alias must be empty or hold a value for each edge");
    // A row's units then stay below 2**64: a walk meets one node at most `window` times.
    if (!(how.samples >= 0) || how.window < 1 || !((how.samples + 1) * how.window <= 1 << 26) || !(how.keep >= 1))
        throw std::invalid_argument("paths: window and keep must be at least 1, (samples + 1) * window at most 2**26");
}

}  // namespace

void path_counts(const PathGraph& graph, const PathSampling& how, std::span<int64_t> walks) {
    check(graph, how);
    if (walks.size() + 1 != graph.indptr.size()) throw std::invalid_argument("paths: walks must hold N values");
    parallel_ranges(walks.size(), 256, [&](size_t begin, size_t end) {
        for (size_t row = begin; row < end; ++row) {
            const Row span = row_of(graph, row);
            uint64_t sum = 0;
            for (uint64_t e = span.begin; e < span.begin + span.degree; ++e) sum += share_of(graph, how, row, e).walks;
            walks[row] = static_cast<int64_t>(sum);
        }
    });
}

size_t path_room(const PathGraph& graph, const PathSampling& how, size_t row, int64_t walks) {
    const uint64_t met = row_of(graph, row).degree + static_cast<uint64_t>(walks) * (how.window - 1);
    return static_cast<size_t>(std::min<uint64_t>(met, graph.in.size()));
}

size_t path_rows(const PathGraph& graph, const PathSampling& how, size_t first, std::span<const int64_t> walks,
                 std::span<const double> row_scale, std::span<const double> column_scale, std::span<int64_t> degree,
                 std::span<uint32_t> columns, std::span<float> values) {
    check(graph, how);
    const size_t nodes = graph.in.size(), rows = degree.size();
    if (first > nodes || rows > nodes - first || walks.size() != rows || row_scale.size() != nodes ||
        column_scale.size() != nodes)
        throw std::invalid_argument("paths: walks and degree must hold a value for each row asked for, the scales N");
    struct Task {
        size_t begin, end, at, stop;
    };
    std::vector<Task> tasks;
    size_t room = 0, work = 0;
    for (size_t row = first; row < first + rows; ++row) {
        if (tasks.empty() || work >= chunk_work) {
            tasks.push_back({row, row, room, room});
            work = 0;
        }
        room += path_room(graph, how, row, walks[row - first]);
        work += row_of(graph, row).degree + static_cast<size_t>(walks[row - first]);
        tasks.back().end = row + 1;
    }
    if (columns.size() < room || values.size() < room)
        throw std::invalid_argument("paths: columns and values must have room for " + std::to_string(room) + " entries");

    const Target target{row_scale, column_scale, columns.data(), values.data(), degree.data(), first};
    std::mutex mutex;
    std::vector<std::unique_ptr<Scratch>> free;
    parallel_for(tasks.size(), [&](size_t t) {
        std::unique_ptr<Scratch> scratch;
        {
            const std::lock_guard lock(mutex);
            if (!free.empty()) {
                scratch = std::move(free.back());
                free.pop_back();
            }
        }
        if (!scratch) scratch = std::make_unique<Scratch>(nodes, how.window - 1);
        tasks[t].stop = Chunk(graph, how, target, *scratch).run(tasks[t].begin, tasks[t].end, walks, tasks[t].at);
        const std::lock_guard lock(mutex);
        free.push_back(std::move(scratch));
    });

    size_t used = 0;
    for (const Task& task : tasks) {
        const auto from = static_cast<ptrdiff_t>(task.at), to = static_cast<ptrdiff_t>(task.stop);
        std::copy(columns.begin() + from, columns.begin() + to, columns.begin() + static_cast<ptrdiff_t>(used));
        std::copy(values.begin() + from, values.begin() + to, values.begin() + static_cast<ptrdiff_t>(used));
        used += task.stop - task.at;
    }
    return used;
}

}  // namespace weft
