#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string>

#include "temporal_rows.h"

namespace weft {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument("temporal graph: " + what); }

}  // namespace

void TemporalRows::remove(std::span<const uint32_t> source, std::span<const uint32_t> target,
                          std::span<const int64_t> time, std::span<const uint32_t> number, bool both) {
    const size_t count = source.size();
    if (target.size() != count || time.size() != count || number.size() != count)
        refuse("arrays of events to remove differ in length");
    const std::unique_lock lock(writing_);
    begin();
    const auto there = [&](uint32_t node, size_t i) {
        if (node >= nodes_) return false;
        const Row& row = row_of(pages_, node);
        return row.place_of(time[i], number[i]) < row.size;
    };
    for (size_t i = 0; i < count; ++i)
        if (!there(source[i], i) || (both && !there(target[i], i)))
            refuse("there is no event " + std::to_string(number[i]) + " of node " + std::to_string(source[i]) +
                   " at time " + std::to_string(time[i]));
    for (size_t i = 0; i < count; ++i) {
        erase(shard_of(source[i]), writable(source[i]), {time[i], target[i], number[i]});
        if (both && target[i] != source[i])
            erase(shard_of(target[i]), writable(target[i]), {time[i], source[i], number[i]});
    }
}

void TemporalRows::erase(Shard& shard, Row& row, Event event) {
    const uint32_t place = row.place_of(event.time, event.number);
    if (place == row.size) refuse("event " + std::to_string(event.number) + " is named twice");
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
    } else {
        if (shared(parts[p].version)) own_part(shard, row, p);
        Part& part = parts[p];
        const uint32_t at = place - part.before;
        std::copy(part.events + at + 1, part.events + row.count(p), part.events + at);
        part.first = part.events[0].time;
        for (uint32_t q = p + 1; q < row.parts; ++q) --parts[q].before;
    }
    --row.size;
    row.last = row.event_at(row.size - 1).time;
}

void TemporalRows::expire(std::span<const uint32_t> nodes, int64_t before) {
    const std::unique_lock lock(writing_);
    begin();
    for (const uint32_t node : nodes) {
        if (node >= nodes_) refuse("there is no node " + std::to_string(node) + " to expire events of");
        if (const uint32_t count = row_of(pages_, node).rank(before, false))
            drop(shard_of(node), writable(node), count);
    }
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
        if (shared(parts[0].version)) own_part(shard, row, 0);
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
