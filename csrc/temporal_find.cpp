#include "temporal_find.h"

#include <algorithm>
#include <array>
#include <bit>

#include "temporal_rows.h"

namespace weft {
namespace {

int64_t time_of(const Event& event) { return event.time; }
int64_t time_of(const Part& part) { return part.first; }

// Records by time, down to one that is not known to be before, or known to be the last that is.
template <typename Record>
struct Search {
    const Record* at;
    uint32_t left;

    uint32_t half() const { return left / 2; }
    const Record* probe() const { return at + (half() - (half() > 0)); }
    uint32_t rank(const Record* first, int64_t before) const {
        return static_cast<uint32_t>(at - first) + (time_of(*at) < before ? 1 : 0);
    }
};

template <typename Record>
using Searches = std::array<Search<Record>, most_found>;
using Times = std::array<int64_t, most_found>;

// All searches, a step each in turn, without branches that cannot be foreseen.
template <typename Record>
void halve_all(Searches<Record>& searches, const Times& before, size_t count) {
    uint32_t most = 0;
    for (size_t i = 0; i < count; ++i) most = std::max(most, searches[i].left);
    for (; most > 1; most -= most / 2)
        for (size_t i = 0; i < count; ++i) {
            auto& search = searches[i];
            const uint32_t half = search.half();
            search.at += time_of(*search.probe()) < before[i] ? half : 0;
            search.left -= half;
            __builtin_prefetch(search.probe());
        }
}

constexpr Part no_part{};
constexpr Event no_event{};

// The part that holds a place, if events came in order and none went: see TemporalRows::next_room.
uint32_t part_if_grown(uint32_t at) {
    if (at >= 1024) return 12 + (at - 1024) / 256;
    if (at < 64) return at / 16;
    const auto level = static_cast<uint32_t>(std::bit_width(at)) - 1;  // 6 to 9: two parts each
    return 2 * level - 8 + (at >> (level - 1) & 1);
}

// The same, or if all parts but the last are full, as TemporalRows::compact leaves them.
uint32_t likely_part(const Row& row, uint32_t at) {
    static_assert(TemporalRows::alone == 16 && TemporalRows::block == 256);
    const bool full = row.directory()[row.parts > 1].before == 256;
    return std::min(full ? at / 256 : part_if_grown(at), row.parts - 1);
}

}  // namespace

void find_moments(std::span<const Moment> moments, Found* out) {
    const size_t count = moments.size();
    Times before;
    Searches<Part> parts;
    bool any = false;
    // Most who ask want all there is.
    const auto whole = [](const Moment& m) { return m.all || m.row->size == 0 || m.row->last < m.before; };
    for (size_t i = 0; i < count; ++i) {
        const Moment& moment = moments[i];
        const Row& row = *moment.row;
        before[i] = moment.before;
        parts[i] = {&no_part, 1};
        if (row.parts == 0) continue;
        if (whole(moment)) {
            __builtin_prefetch(row.directory() + (row.parts - 1));
        } else {
            parts[i] = {row.directory(), row.parts};
            __builtin_prefetch(parts[i].probe());
            any = true;
        }
    }
    if (any) halve_all(parts, before, count);
    Searches<Event> searches;
    for (size_t i = 0; i < count; ++i) {
        const Moment& moment = moments[i];
        const Row& row = *moment.row;
        searches[i] = {&no_event, 1};
        out[i] = {0, 0, row.size, row.events()};
        if (row.parts > 0) {
            const Part* const directory = row.directory();
            const uint32_t p = whole(moment) ? row.parts : parts[i].rank(directory, before[i]);
            out[i] = {0, 0, 0, nullptr};
            if (p > 0) out[i] = {directory[p - 1].before, p - 1, row.count(p - 1), directory[p - 1].events};
        }
        if (out[i].inside > 0 && !whole(moment)) {
            searches[i] = {out[i].end, out[i].inside};
            __builtin_prefetch(searches[i].probe());
        }
    }
    halve_all(searches, before, count);
    for (size_t i = 0; i < count; ++i) {
        if (out[i].inside > 0 && !whole(moments[i])) out[i].inside = searches[i].rank(out[i].end, before[i]);
        out[i].rank += out[i].inside;
        out[i].end += out[i].inside;
    }
}

void find_events(std::span<const Place> places, const Event** out) {
    for (const auto& [row, at] : places)
        if (row->parts > 0) {
            const Part* const part = row->directory() + likely_part(*row, at);
            __builtin_prefetch(part);
            __builtin_prefetch(part + 1);
        }
    for (const auto& [row, at] : places) {
        const Event* event;
        if (row->parts == 0) {
            event = row->events() + at;
        } else {
            const Part* const directory = row->directory();
            uint32_t p = likely_part(*row, at);
            if (at < directory[p].before || at - directory[p].before >= row->count(p)) p = row->part_of(at);
            event = directory[p].events + (at - directory[p].before);
        }
        __builtin_prefetch(event);
        *out++ = event;
    }
}

}  // namespace weft
