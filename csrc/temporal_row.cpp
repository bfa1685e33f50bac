#include "temporal_row.h"

namespace weft {
namespace {

// Elements that come before, without branches that cannot be foreseen.
template <typename T, typename Before>
uint32_t count_before(const T* of, uint32_t size, const Before& before) {
    const T* base = of;
    while (size > 1) {
        const uint32_t half = size / 2;
        base = before(base[half - 1]) ? base + half : base;
        size -= half;
    }
    return static_cast<uint32_t>(base - of) + (size == 1 && before(*base) ? 1 : 0);
}

}  // namespace

uint32_t rank_in(const Event* events, uint32_t size, int64_t time, bool inclusive) {
    return inclusive ? count_before(events, size, [=](const Event& e) { return e.time <= time; })
                     : count_before(events, size, [=](const Event& e) { return e.time < time; });
}

// Parts that begin before a time, or not after it.
uint32_t parts_before(const Row& row, int64_t time, bool inclusive) {
    return inclusive ? count_before(row.directory(), row.parts, [=](const Part& p) { return p.first <= time; })
                     : count_before(row.directory(), row.parts, [=](const Part& p) { return p.first < time; });
}

uint32_t Row::rank(int64_t time, bool inclusive) const {
    // Most who ask want all there is.
    if (inclusive ? last <= time : last < time) return size;
    if (parts == 0) return rank_in(events(), size, time, inclusive);
    const uint32_t p = parts_before(*this, time, inclusive);
    if (p == 0) return 0;
    const Part& part = directory()[p - 1];
    return part.before + rank_in(part.events, count(p - 1), time, inclusive);
}

uint32_t Row::part_of(uint32_t at) const {
    return count_before(directory(), parts, [=](const Part& p) { return p.before <= at; }) - 1;
}

const Event& Row::event_at(uint32_t at) const {
    if (parts == 0) return events()[at];
    const Part& part = directory()[part_of(at)];
    return part.events[at - part.before];
}

uint32_t Row::place_of(const Event& event) const {
    uint32_t low = rank(event.time, false), high = rank(event.time, true);
    if (low == high) return size;
    const uint32_t first = event_at(low).number;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        (event_at(middle).number - first <= event.number - first ? low : high) = middle;
    }
    const Event& found = event_at(low);
    return found.number == event.number && found.node == event.node ? low : size;
}

}  // namespace weft
