#include <algorithm>
#include <bit>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "temporal_rows.h"

namespace weft {
namespace {

constexpr size_t few = 8;  // events of a row that are taken out one by one

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument("temporal graph: " + what); }

}  // namespace

void TemporalRows::remove(std::span<const uint32_t> source, std::span<const uint32_t> target,
                          std::span<const int64_t> time, std::span<const uint32_t> number, bool both) {
    const size_t count = source.size();
    if (target.size() != count || time.size() != count || number.size() != count)
        refuse("arrays of events to remove differ in length");
    const auto lock = writing();
    begin();
    struct Gone {
        uint32_t node, place;
    };
    std::vector<Gone> gone;
    const auto find = [&](uint32_t node, const Event& event) {
        const uint32_t place = node < nodes_ ? row_of(pages_, node).place_of(event) : 0;
        if (node >= nodes_ || place == row_of(pages_, node).size)
            refuse("there is no event " + std::to_string(event.number) + " of nodes " + std::to_string(node) + " and " +
                   std::to_string(event.node) + " at time " + std::to_string(event.time));
        gone.push_back({node, place});
    };
    for (size_t i = 0; i < count; ++i) {
        find(source[i], {time[i], target[i], number[i]});
        if (both && target[i] != source[i]) find(target[i], {time[i], source[i], number[i]});
    }
    std::sort(gone.begin(), gone.end(),
              [](const Gone& a, const Gone& b) { return a.node != b.node ? a.node < b.node : a.place < b.place; });
    for (size_t k = 1; k < gone.size(); ++k)
        if (gone[k].node == gone[k - 1].node && gone[k].place == gone[k - 1].place)
            refuse("an event of node " + std::to_string(gone[k].node) + " is named twice");
    whole_ = false;
    std::vector<uint32_t> places;
    for (size_t k = 0; k < gone.size();) {
        const uint32_t node = gone[k].node;
        for (places.clear(); k < gone.size() && gone[k].node == node; ++k) places.push_back(gone[k].place);
        Row& row = writable(node);
        Shard& shard = shard_of(node);
        if (places.size() > few && places.size() * row.parts > row.size / 8) {
            erase_many(shard, row, places);
        } else {
            for (size_t i = places.size(); i-- > 0;) erase(shard, row, places[i]);
        }
    }
    whole_ = true;
}

void TemporalRows::erase(Shard& shard, Row& row, uint32_t place) {
    if (row.size == 1) return clear(shard, row);
    if (row.parts == 0) {
        if (shared(row.version)) widen(shard, row, row.room);
        Event* const events = row.events();
        std::copy(events + place + 1, events + row.size, events + place);
        row.last = events[--row.size - 1].time;
        return;
    }
    if (shared(row.version)) own_directory(shard, row, row.room);
    const uint32_t p = row.part_of(place);
    Part* const parts = row.directory();
    if (row.count(p) == 1) {
        let_go(shard, parts[p].events, parts[p].room * sizeof(Event), shared(parts[p].version));
        std::copy(parts + p + 1, parts + row.parts, parts + p);
        --row.parts;
        for (uint32_t q = p; q < row.parts; ++q) --parts[q].before;
        --row.size;
    } else {
        if (shared(parts[p].version)) own_part(shard, row, p, parts[p].room);
        Part& part = parts[p];
        const uint32_t at = place - part.before;
        std::copy(part.events + at + 1, part.events + row.count(p), part.events + at);
        part.first = part.events[0].time;
        for (uint32_t q = p + 1; q < row.parts; ++q) --parts[q].before;
        --row.size;
        if (p + 1 < row.parts && row.count(p) + row.count(p + 1) <= block / 4) merge_parts(shard, row, p);
        else if (p > 0 && row.count(p - 1) + row.count(p) <= block / 4) merge_parts(shard, row, p - 1);
    }
    row.last = row.event_at(row.size - 1).time;
}

// A part and the next one, which have become small.
void TemporalRows::merge_parts(Shard& shard, Row& row, uint32_t p) {
    const uint32_t count = row.count(p), more = row.count(p + 1);
    Part* const parts = row.directory();
    const Part next = parts[p + 1];
    own_part(shard, row, p, std::max(alone, std::bit_ceil(2 * (count + more))));
    std::copy(next.events, next.events + more, parts[p].events + count);
    let_go(shard, next.events, next.room * sizeof(Event), shared(next.version));
    std::copy(parts + p + 2, parts + row.parts, parts + p + 1);
    --row.parts;
    if (row.parts < row.room / 4) own_directory(shard, row, row.room / 2);
}

// Many events of a row at once: the others are put into a new one.
void TemporalRows::erase_many(Shard& shard, Row& row, std::span<const uint32_t> places) {
    Row made;
    size_t next = 0;
    for (uint32_t place = 0, p = 0; place < row.size; ++place) {
        while (row.parts > 0 && p + 1 < row.parts && row.directory()[p + 1].before <= place) ++p;
        if (next < places.size() && places[next] == place) {
            ++next;
            continue;
        }
        append(shard, made, row.parts == 0 ? row.events()[place]
                                           : row.directory()[p].events[place - row.directory()[p].before]);
    }
    clear(shard, row);
    row = made;
}

void TemporalRows::expire(std::span<const uint32_t> nodes, int64_t before) {
    const auto lock = writing();
    begin();
    for (const uint32_t node : nodes)
        if (node >= nodes_) refuse("there is no node " + std::to_string(node) + " to expire events of");
    whole_ = false;
    for (const uint32_t node : nodes)
        if (const uint32_t count = row_of(pages_, node).rank(before, false))
            drop(shard_of(node), writable(node), count);
    whole_ = true;
}

void TemporalRows::expire_all(int64_t before) {
    const auto lock = writing();
    begin();
    whole_ = false;
    for (size_t p = 0; p < pages_.size(); ++p)
        for (size_t r = 0; pages_[p] && r < page_rows; ++r) {
            const auto node = static_cast<uint32_t>(p * page_rows + r);
            if (const uint32_t count = row_of(pages_, node).rank(before, false))
                drop(shard_of(node), writable(node), count);
        }
    whole_ = true;
}

// The first events of a row.
void TemporalRows::drop(Shard& shard, Row& row, uint32_t count) {
    if (count == row.size) return clear(shard, row);
    if (row.parts == 0) {
        const uint32_t left = row.size - count, room = room_for(left);
        Event* const old = row.events();
        if (shared(row.version) || room <= row.room / 2) {
            Event* const events = block_for(shard, room);
            std::copy(old + count, old + row.size, events);
            let_go(shard, old, row.room * sizeof(Event), shared(row.version));
            row.place = events;
            row.room = room;
            row.version = version_;
        } else {
            std::copy(old + count, old + row.size, old);
        }
        row.size = left;
        return;
    }
    if (shared(row.version)) own_directory(shard, row, row.room);
    Part* const parts = row.directory();
    const uint32_t gone = row.part_of(count);  // the part that holds the first event that stays
    for (uint32_t q = 0; q < gone; ++q)
        let_go(shard, parts[q].events, parts[q].room * sizeof(Event), shared(parts[q].version));
    std::copy(parts + gone, parts + row.parts, parts);
    row.parts -= gone;
    const uint32_t inside = count - parts[0].before;
    if (inside > 0) {
        if (shared(parts[0].version)) own_part(shard, row, 0, parts[0].room);
        std::copy(parts[0].events + inside, parts[0].events + row.count(0), parts[0].events);
        parts[0].first = parts[0].events[0].time;
    }
    parts[0].before = 0;
    for (uint32_t q = 1; q < row.parts; ++q) parts[q].before -= count;
    row.size -= count;
}

void TemporalRows::clear(Shard& shard, Row& row) {
    if (row.parts == 0) {
        let_go(shard, row.place, row.room * sizeof(Event), shared(row.version));
    } else {
        for (const Part& part : std::span(row.directory(), row.parts))
            let_go(shard, part.events, part.room * sizeof(Event), shared(part.version));
        let_go(shard, row.place, row.room * sizeof(Part), shared(row.version));
    }
    row = Row{};
}

}  // namespace weft
