// The alternative to rows of blocks: a log of segments, each a T-CSR of its own, that are merged as they grow (as an
// LSM tree has it). A prototype to measure against, on one thread: it appends in order or late, and samples what came
// in order; it deletes nothing and has no views.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace {

struct Event {
    int64_t time;
    uint32_t node, number;
};

// Events by node, of one node by time and number.
struct Segment {
    std::vector<uint32_t> key, offset;  // nodes that have any, and where they begin; key is empty: of all nodes
    std::vector<Event> events;

    std::pair<uint32_t, uint32_t> range(uint32_t node) const {
        if (key.empty()) return {offset[node], offset[node + 1]};
        const auto at = std::lower_bound(key.begin(), key.end(), node);
        if (at == key.end() || *at != node) return {0, 0};
        const auto k = at - key.begin();
        return {offset[k], offset[k + 1]};
    }
    size_t bytes() const { return (key.size() + offset.size()) * 4 + events.size() * sizeof(Event); }
    size_t held() const { return (key.capacity() + offset.capacity()) * 4 + events.capacity() * sizeof(Event); }
};

struct Log {
    uint32_t nodes, next = 0;
    std::vector<Segment> segments;  // each at least twice as long as the next

    bool dense(size_t events) const { return events >= nodes / 2; }

    // Of what is told by `each`, which calls back with a node and its events, the nodes rising.
    template <typename Each>
    Segment build(size_t size, const Each& each) const {
        Segment out;
        out.events.reserve(size);
        const bool all = dense(size);
        if (all) out.offset.reserve(nodes + 1);
        each([&](uint32_t node, auto&& put) {
            const size_t begin = out.events.size();
            put(out.events);
            if (all) {
                out.offset.resize(node + 1, static_cast<uint32_t>(begin));
            } else if (out.events.size() > begin) {
                out.key.push_back(node);
                out.offset.push_back(static_cast<uint32_t>(begin));
            }
        });
        out.offset.resize(all ? nodes + 1 : out.key.size() + 1, static_cast<uint32_t>(out.events.size()));
        return out;
    }

    Segment merge(const Segment& older, const Segment& newer) const {
        const auto put_both = [&](std::pair<uint32_t, uint32_t> a, std::pair<uint32_t, uint32_t> b) {
            return [&, a, b](std::vector<Event>& out) {
                const Event *x = older.events.data() + a.first, *x_end = older.events.data() + a.second;
                const Event *y = newer.events.data() + b.first, *y_end = newer.events.data() + b.second;
                if (x == x_end || y == y_end || x_end[-1].time <= y->time) {
                    out.insert(out.end(), x, x_end);
                    out.insert(out.end(), y, y_end);
                } else {
                    std::merge(x, x_end, y, y_end, std::back_inserter(out),
                               [](const Event& p, const Event& q) { return p.time < q.time; });
                }
            };
        };
        const size_t size = older.events.size() + newer.events.size();
        return build(size, [&](const auto& tell) {
            if (dense(size)) {
                size_t at_a = 0, at_b = 0;
                const auto next = [](const Segment& s, uint32_t node, size_t& at) -> std::pair<uint32_t, uint32_t> {
                    if (s.key.empty()) return {s.offset[node], s.offset[node + 1]};
                    if (at == s.key.size() || s.key[at] != node) return {0, 0};
                    ++at;
                    return {s.offset[at - 1], s.offset[at]};
                };
                for (uint32_t node = 0; node < nodes; ++node) {
                    const auto a = next(older, node, at_a), b = next(newer, node, at_b);
                    tell(node, put_both(a, b));
                }
                return;
            }
            size_t i = 0, j = 0;
            while (i < older.key.size() || j < newer.key.size()) {
                const uint32_t u = i < older.key.size() ? older.key[i] : nodes;
                const uint32_t v = j < newer.key.size() ? newer.key[j] : nodes;
                std::pair<uint32_t, uint32_t> a{0, 0}, b{0, 0};
                if (u <= v) a = {older.offset[i], older.offset[i + 1]}, ++i;
                if (v <= u) b = {newer.offset[j], newer.offset[j + 1]}, ++j;
                tell(std::min(u, v), put_both(a, b));
            }
        });
    }

    void append(size_t count, const uint32_t* source, const uint32_t* target, const int64_t* time) {
        std::vector<uint32_t> order(count);
        std::iota(order.begin(), order.end(), 0u);
        if (!std::is_sorted(time, time + count))
            std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return time[a] < time[b]; });
        // Node and place, so that a sort by node keeps the order.
        std::vector<uint64_t> items;
        items.reserve(2 * count);
        for (size_t k = 0; k < count; ++k) {
            const uint32_t i = order[k];
            items.push_back(uint64_t{source[i]} << 32 | k << 1);
            if (source[i] != target[i]) items.push_back(uint64_t{target[i]} << 32 | k << 1 | 1);
        }
        if (dense(items.size())) {
            std::vector<uint32_t> at(nodes + 1);
            for (const uint64_t item : items) ++at[(item >> 32) + 1];
            for (uint32_t n = 0; n < nodes; ++n) at[n + 1] += at[n];
            std::vector<uint64_t> sorted(items.size());
            for (const uint64_t item : items) sorted[at[item >> 32]++] = item;
            items.swap(sorted);
        } else {
            std::sort(items.begin(), items.end());
        }
        const uint32_t first = next;
        next += static_cast<uint32_t>(count);
        segments.push_back(build(items.size(), [&](const auto& tell) {
            for (size_t k = 0; k < items.size();) {
                const auto node = static_cast<uint32_t>(items[k] >> 32);
                tell(node, [&](std::vector<Event>& out) {
                    for (; k < items.size() && items[k] >> 32 == node; ++k) {
                        const uint32_t i = order[(items[k] & 0xFFFFFFFF) >> 1];
                        out.push_back({time[i], items[k] & 1 ? source[i] : target[i], first + i});
                    }
                });
            }
        }));
        while (segments.size() > 1 && segments[segments.size() - 2].events.size() < 2 * segments.back().events.size()) {
            Segment merged = merge(segments[segments.size() - 2], segments.back());
            segments.pop_back();
            segments.back() = std::move(merged);
        }
    }

    uint64_t word(uint64_t seed) const {
        seed += 0x9E3779B97F4A7C15ull;
        seed = (seed ^ seed >> 30) * 0xBF58476D1CE4E5B9ull;
        seed = (seed ^ seed >> 27) * 0x94D049BB133111EBull;
        return seed ^ seed >> 31;
    }

    size_t sample(size_t count, const uint32_t* root, const int64_t* time, uint32_t fanout, bool uniform, int64_t* row,
                  uint32_t* node, uint32_t* number, int64_t* at) const {
        constexpr size_t group = 32, most = 32;
        const size_t parts = segments.size();
        struct Found {
            const Event* begin;
            uint32_t size, before;
        };
        std::vector<Found> found(group * parts);
        std::vector<const Event*> events;
        size_t written = 0;
        for (size_t first = 0; first < count; first += group) {
            const size_t end = std::min(first + group, count);
            for (size_t i = first; i < end; ++i)
                for (const Segment& s : segments)
                    if (s.key.empty()) __builtin_prefetch(&s.offset[root[i]]);
            for (size_t i = first; i < end; ++i)
                for (size_t p = 0; p < parts; ++p) {
                    const auto [low, high] = segments[p].range(root[i]);
                    found[(i - first) * parts + p] = {segments[p].events.data() + low, high - low, 0};
                    __builtin_prefetch(segments[p].events.data() + low + (high - low) / 2);
                    if (high > low) __builtin_prefetch(segments[p].events.data() + high - 1);
                }
            for (size_t i = first; i < end; ++i) {
                uint32_t all = 0;
                for (size_t p = 0; p < parts; ++p) {
                    Found& f = found[(i - first) * parts + p];
                    if (f.size > 0 && f.begin[f.size - 1].time >= time[i]) {
                        const Event* base = f.begin;
                        uint32_t left = f.size;
                        while (left > 1) {
                            const uint32_t half = left / 2;
                            base = base[half - 1].time < time[i] ? base + half : base;
                            left -= half;
                        }
                        f.size = static_cast<uint32_t>(base - f.begin) + (base->time < time[i] ? 1 : 0);
                    }
                    f.before = all;
                    all += f.size;
                }
                const uint32_t wanted = std::min(all, fanout);
                uint32_t picked[most];
                for (uint32_t j = 0; j < wanted; ++j) {
                    if (!uniform || all <= fanout) {
                        picked[j] = all - 1 - j;
                        continue;
                    }
                    const uint32_t last = all - wanted + j;
                    const uint32_t pick = static_cast<uint32_t>((word(i * 64 + j) >> 32) * (uint64_t{last} + 1) >> 32);
                    picked[j] = std::find(picked, picked + j, pick) == picked + j ? pick : last;
                }
                size_t p = parts;
                for (uint32_t j = 0; j < wanted; ++j) {
                    if (uniform) p = parts;
                    while (p == parts || found[(i - first) * parts + p].before > picked[j]) --p;
                    const Found& f = found[(i - first) * parts + p];
                    events.push_back(f.begin + (picked[j] - f.before));
                    __builtin_prefetch(events.back());
                    row[written + events.size() - 1] = static_cast<int64_t>(i);
                }
            }
            for (const Event* e : events) {
                node[written] = e->node;
                number[written] = e->number;
                at[written++] = e->time;
            }
            events.clear();
        }
        return written;
    }
};

}  // namespace

extern "C" {

void* segments_new(uint32_t nodes) { return new Log{.nodes = nodes, .segments = {}}; }
void segments_free(void* log) { delete static_cast<Log*>(log); }
void segments_append(void* log, size_t count, const uint32_t* source, const uint32_t* target, const int64_t* time) {
    static_cast<Log*>(log)->append(count, source, target, time);
}
// No more than 32 events of each root.
size_t segments_sample(const void* log, size_t count, const uint32_t* root, const int64_t* time, uint32_t fanout,
                       int uniform, int64_t* row, uint32_t* node, uint32_t* number, int64_t* at) {
    return static_cast<const Log*>(log)->sample(count, root, time, fanout, uniform != 0, row, node, number, at);
}
size_t segments_count(const void* log) { return static_cast<const Log*>(log)->segments.size(); }
size_t segments_bytes(const void* log, int held) {
    size_t bytes = 0;
    for (const auto& s : static_cast<const Log*>(log)->segments) bytes += held ? s.held() : s.bytes();
    return bytes;
}
}
