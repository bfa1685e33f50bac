#include "temporal_sample.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "philox.h"
#include "pool.h"
#include "temporal_draw.h"
#include "temporal_find.h"

namespace weft {
namespace {

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
struct Root {
    const Row* row;
    uint32_t from, to;
    Found found;  // where `to` is
};

struct Places {
    int64_t* row;
    uint32_t* node;
    uint32_t* number;
    int64_t* time;

    void put(size_t at, const Event& event) const {
        node[at] = event.node;
        number[at] = event.number;
        time[at] = event.time;
    }
};

// As many roots as are drawn for at once.
class Group {
public:
    Group(const TemporalOptions& options, const Places& out) : options_(options), key_(key_of(options.key)), out_(out) {}
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    // The events of roots [begin, end), from place ends[begin] of the sample. They are written by the next call, while
    // memory brings those of other roots, or by finish().
    void write(std::span<const Root> roots, std::span<const size_t> ends, size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i)
            std::fill(out_.row + ends[i], out_.row + ends[i + 1], static_cast<int64_t>(i));
        if (options_.uniform) {
            for (size_t i = end + draw_lanes; i < std::min(end + 2 * draw_lanes, roots.size()); ++i)
                __builtin_prefetch(roots[i].row);
            for (size_t i = end; i < std::min(end + draw_lanes, roots.size()); ++i)
                if (roots[i].row->parts > 0) __builtin_prefetch(roots[i].row->directory());
            any(roots, ends, begin, end);
        } else {
            newest(roots, ends, begin, end);
        }
        finish();
        std::swap(events_, found_);
        first_ = ends[begin];
        count_ = ends[end] - first_;
    }

    void finish() {
        for (size_t k = 0; k < count_; ++k) out_.put(first_ + k, *found_[k]);
        count_ = 0;
    }

private:
    using Events = std::array<const Event*, draw_lanes * draw_most>;

    void newest(std::span<const Root> roots, std::span<const size_t> ends, size_t begin, size_t end) {
        const Event** at = events_;
        for (size_t i = begin; i < end; ++i) {
            const Root& root = roots[i];
            const auto wanted = static_cast<uint32_t>(ends[i + 1] - ends[i]);
            uint32_t part = root.found.part, inside = root.found.inside;
            const Event* end_of_part = root.found.end;
            for (uint32_t left = wanted;;) {
                const uint32_t here = std::min(left, inside);
                for (uint32_t k = 1; k <= here; ++k) *at++ = end_of_part - k;
                left -= here;
                if (left == 0) break;
                inside = root.row->count(--part);
                end_of_part = root.row->directory()[part].events + inside;
            }
            for (uint32_t k = 1; k <= wanted; k += 4) __builtin_prefetch(at[-static_cast<std::ptrdiff_t>(k)]);
        }
    }

    void any(std::span<const Root> roots, std::span<const size_t> ends, size_t begin, size_t end) {
        DrawGroup& draws = draws_;
        size_t lanes = 0;
        for (size_t i = begin; i < end; ++i) {
            if (!drawn(roots[i], ends[i + 1] - ends[i])) continue;
            draws.item[lanes] = options_.items.empty() ? options_.item + i : options_.items[i];
            draws.all[lanes++] = roots[i].to - roots[i].from;
        }
        if (lanes > 0) draw_places(draws, key_, options_.lane, options_.fanout, options_.replace);
        Place* at = places_.data();
        size_t lane = 0;
        for (size_t i = begin; i < end; ++i) {
            const auto& [row, from, to, found] = roots[i];
            const auto wanted = static_cast<uint32_t>(ends[i + 1] - ends[i]);
            if (drawn(roots[i], wanted)) {
                for (uint32_t k = 0; k < wanted; ++k) *at++ = {row, from + draws.pick[k][lane]};
                ++lane;
            } else {
                for (uint32_t k = 1; k <= wanted; ++k) *at++ = {row, to - k};
            }
        }
        find_events(std::span(places_).first(ends[end] - ends[begin]), events_);
    }

    // Whether a root has more events than are wanted.
    bool drawn(const Root& root, size_t wanted) const {
        return wanted > 0 && (options_.replace || root.to - root.from > wanted);
    }

    const TemporalOptions& options_;
    Key key_;
    Places out_;
    DrawGroup draws_;
    std::array<Place, draw_lanes * draw_most> places_;
    Events buffers_[2];
    const Event** events_ = buffers_[0].data();  // of the roots that are asked for
    const Event** found_ = buffers_[1].data();   // of those before
    size_t first_ = 0, count_ = 0;
};

// A root of many events, which are drawn one by one.
class Many {
public:
    Many(const TemporalOptions& options, const Places& out) : options_(options), key_(key_of(options.key)), out_(out) {}

    // From place `at` to `end` of the sample.
    void write(size_t i, const Root& found, size_t at, size_t end) {
        const auto wanted = static_cast<uint32_t>(end - at);
        if (wanted == 0) return;
        Reader events(*found.row);
        const auto put = [&](uint32_t place) {
            out_.row[at] = static_cast<int64_t>(i);
            out_.put(at++, events[place]);
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
        marked_.assign((size_t{all} + 63) / 64, 0);
        for (uint32_t j = 0; j < wanted; ++j) {
            const uint32_t last = all - wanted + j;
            auto pick = static_cast<uint32_t>(bounded(word(j), uint64_t{last} + 1));
            if (marked_[pick / 64] >> pick % 64 & 1) pick = last;
            marked_[pick / 64] |= uint64_t{1} << pick % 64;
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
    std::vector<uint64_t> marked_;  // one bit each
};

// What events the roots [begin, end) may have; no more roots than most_found.
void find_roots(const TemporalRows::Pages& pages, std::span<const uint32_t> root, std::span<const int64_t> time,
                const TemporalOptions& options, size_t begin, size_t end, Root* out) {
    std::array<Moment, most_found> moments;
    std::array<Found, most_found> found;
    const size_t count = end - begin;
    constexpr auto latest = std::numeric_limits<int64_t>::max();
    for (size_t k = 0; k < count; ++k) {
        const int64_t at = time[begin + k];
        const bool all = options.inclusive && at == latest;
        moments[k] = {&TemporalRows::row_of(pages, root[begin + k]), options.inclusive && !all ? at + 1 : at, all};
    }
    find_moments(std::span(moments).first(count), found.data());
    for (size_t k = 0; k < count; ++k)
        out[begin + k] = {moments[k].row, 0, found[k].rank, found[k]};
    if (options.window == 0) return;
    for (size_t k = 0; k < count; ++k) {
        moments[k].before = start_of(time[begin + k], options.window);
        moments[k].all = false;
    }
    find_moments(std::span(moments).first(count), found.data());
    for (size_t k = 0; k < count; ++k) out[begin + k].from = std::min(out[begin + k].to, found[k].rank);
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
    const auto roots = std::make_unique_for_overwrite<Root[]>(count);
    const auto ends = std::make_unique_for_overwrite<size_t[]>(count + 1);
    parallel_ranges(count, grain, [&](size_t begin, size_t end) {
        const auto ask = [&](size_t from) {
            for (size_t i = from; i < std::min(from + most_found, end); ++i)
                __builtin_prefetch(&TemporalRows::row_of(pages, root[i]));
        };
        ask(begin);
        for (size_t first = begin; first < end; first += most_found) {
            const size_t last = std::min(first + most_found, end);
            ask(last);
            find_roots(pages, root, time, options, first, last, roots.get());
            for (size_t i = first; i < last; ++i) {
                const uint32_t all = roots[i].to - roots[i].from;
                const bool whole = options.uniform && options.replace && all > 0;
                ends[i + 1] = whole ? options.fanout : std::min(all, options.fanout);
            }
        }
    });
    ends[0] = 0;
    for (size_t i = 0; i < count; ++i) ends[i + 1] += ends[i];
    TemporalSample out;
    const size_t size = ends[count];
    const Places places{out.row.room(size), out.node.room(size), out.number.room(size), out.time.room(size)};
    parallel_ranges(count, grain, [&](size_t begin, size_t end) {
        if (options.fanout > draw_most) {
            Many many(options, places);
            for (size_t i = begin; i < end; ++i) many.write(i, roots[i], ends[i], ends[i + 1]);
            return;
        }
        Group group(options, places);
        const std::span all_roots(roots.get(), count);
        const std::span all_ends(ends.get(), count + 1);
        for (size_t i = begin; i < end; i += draw_lanes) group.write(all_roots, all_ends, i, std::min(i + draw_lanes, end));
        group.finish();
    });
    out.row.keep(size);
    out.node.keep(size);
    out.number.keep(size);
    out.time.keep(size);
    return out;
}

}  // namespace weft
