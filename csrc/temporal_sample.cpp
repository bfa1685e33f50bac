#include "temporal_sample.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "philox.h"
#include "pool.h"

namespace weft {
namespace {

constexpr size_t group = 32;    // roots whose memory is asked for at once
constexpr uint32_t linear_most = 32;  // so many are searched one by one for one that was picked before
constexpr size_t grain = 256;   // roots that a thread takes at least

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument("sample events: " + what); }

int64_t start_of(int64_t time, uint64_t window) {
    const auto least = std::numeric_limits<int64_t>::min();
    if (window > static_cast<uint64_t>(time) - static_cast<uint64_t>(least)) return least;
    return static_cast<int64_t>(static_cast<uint64_t>(time) - window);
}

// Events of a row by place, which mostly follow each other.
class Reader {
public:
    explicit Reader(const Row& row) : row_(row) {}

    const Event& operator[](uint32_t place) {
        if (place < begin_ || place >= end_) {
            begin_ = 0;
            end_ = row_.size;
            events_ = row_.events();
            if (row_.parts > 0) {
                const uint32_t p = row_.part_of(place);
                begin_ = row_.directory()[p].before;
                end_ = begin_ + row_.count(p);
                events_ = row_.directory()[p].events;
            }
        }
        return events_[place - begin_];
    }

private:
    const Row& row_;
    const Event* events_ = nullptr;
    uint32_t begin_ = 0, end_ = 0;
};

// What of a row a root may have.
struct Found {
    const Row* row;
    uint32_t from, to;
};

struct Places {
    int64_t* row;
    uint32_t* node;
    uint32_t* number;
    int64_t* time;
};

// The events of root i, from place `at` to `end` of the sample.
class Draws {
public:
    Draws(const TemporalOptions& options, const Places& out) : options_(options), key_(key_of(options.key)), out_(out) {}

    void write(size_t i, const Found& found, size_t at, size_t end) {
        const auto wanted = static_cast<uint32_t>(end - at);
        if (wanted == 0) return;
        Reader events(*found.row);
        const auto put = [&](uint32_t place) {
            const Event& event = events[place];
            out_.row[at] = static_cast<int64_t>(i);
            out_.node[at] = event.node;
            out_.number[at] = event.number;
            out_.time[at++] = event.time;
        };
        const uint32_t all = found.to - found.from;
        if (!options_.uniform || (!options_.replace && all <= wanted)) {
            for (uint32_t k = 1; k <= wanted; ++k) put(found.to - k);
            return;
        }
        const uint64_t item = options_.items.empty() ? options_.item + i : options_.items[i];
        Counter words{};
        const auto word = [&](uint32_t j) {
            if (j % 4 == 0) words = draw(key_, item, j / 4, options_.lane);
            return words[j % 4];
        };
        if (options_.replace) {
            for (uint32_t j = 0; j < wanted; ++j) put(found.from + static_cast<uint32_t>(bounded(word(j), all)));
            return;
        }
        // Floyd's way (Bentley, Floyd: "A sample of brilliance", CACM 1987).
        picked_.clear();
        const bool many = wanted > linear_most;
        if (many) marked_.assign((size_t{all} + 63) / 64, 0);
        for (uint32_t j = 0; j < wanted; ++j) {
            const uint32_t last = all - wanted + j;
            auto pick = static_cast<uint32_t>(bounded(word(j), uint64_t{last} + 1));
            const bool taken = many ? marked_[pick / 64] >> pick % 64 & 1
                                    : std::find(picked_.begin(), picked_.end(), pick) != picked_.end();
            if (taken) pick = last;
            if (many) marked_[pick / 64] |= uint64_t{1} << pick % 64;
            picked_.push_back(pick);
        }
        std::sort(picked_.begin(), picked_.end(), std::greater<>());
        for (const uint32_t place : picked_) put(found.from + place);
    }

private:
    const TemporalOptions& options_;
    Key key_;
    Places out_;
    std::vector<uint32_t> picked_;
    std::vector<uint64_t> marked_;  // of many that were picked: one bit each
};

// Memory of the roots some way ahead.
void ask(const TemporalRows::Pages& pages, std::span<const uint32_t> root, std::span<const int64_t> time, size_t i,
         size_t end) {
    if (i + 2 * group < end) __builtin_prefetch(&TemporalRows::row_of(pages, root[i + 2 * group]));
    if (i + group >= end) return;
    const Row& next = TemporalRows::row_of(pages, root[i + group]);
    if (next.parts > 0)
        __builtin_prefetch(next.directory() + next.parts / 2);
    else if (next.size > 0)
        __builtin_prefetch(next.events() + (next.last < time[i + group] ? next.size - 1 : next.size / 2));
}

}  // namespace

TemporalSample sample_events(const TemporalRows::Pages& pages, size_t nodes, std::span<const uint32_t> root,
                             std::span<const int64_t> time, const TemporalOptions& options) {
    const size_t count = root.size();
    if (count != time.size())
        refuse(std::to_string(count) + " roots with " + std::to_string(time.size()) + " times");
    if (!options.items.empty() && options.items.size() != count)
        refuse(std::to_string(count) + " roots with " + std::to_string(options.items.size()) + " numbers");
    for (const uint32_t node : root)
        if (node >= nodes) refuse("node " + std::to_string(node) + " is not one of " + std::to_string(nodes));
    std::vector<Found> found(count);
    std::vector<size_t> ends(count + 1);
    parallel_ranges(count, grain, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            ask(pages, root, time, i, end);
            const Row& row = TemporalRows::row_of(pages, root[i]);
            const uint32_t to = row.rank(time[i], options.inclusive);
            const uint32_t from = options.window == 0 ? 0 : std::min(to, row.rank(start_of(time[i], options.window), false));
            found[i] = {&row, from, to};
            const bool whole = options.uniform && options.replace && to > from;
            ends[i + 1] = whole ? options.fanout : std::min(to - from, options.fanout);
        }
    });
    for (size_t i = 0; i < count; ++i) ends[i + 1] += ends[i];
    TemporalSample out;
    const size_t size = ends[count];
    const Places places{out.row.room(size), out.node.room(size), out.number.room(size), out.time.room(size)};
    parallel_ranges(count, grain, [&](size_t begin, size_t end) {
        Draws draws(options, places);
        for (size_t i = begin; i < end; ++i) draws.write(i, found[i], ends[i], ends[i + 1]);
    });
    out.row.keep(size);
    out.node.keep(size);
    out.number.keep(size);
    out.time.keep(size);
    return out;
}

}  // namespace weft
