#include <algorithm>
#include <memory>
#include <utility>

#include "pool.h"
#include "temporal_rows.h"

namespace weft {
namespace {

uint32_t room_of(uint32_t events) { return events + events % 2; }  // memory comes in twos

// Of a row of so many events, when it is tight.
size_t tight_bytes(uint32_t events) {
    const uint32_t full = events / TemporalRows::block, rest = events % TemporalRows::block;
    const size_t parts = events > TemporalRows::block ? full + (rest > 0) : 0;
    return (size_t{full} * TemporalRows::block + room_of(rest)) * sizeof(Event) + parts * sizeof(Part);
}

}  // namespace

// Each shard gets new memory, and its rows move there; the old memory goes, or stays as long as there are views of it.
void TemporalRows::compact() {
    const auto lock = writing();
    begin();
    const bool viewed = newest_ > 0;
    parallel_for(shards, [&](size_t s) {
        Shard& shard = memory_[s];
        Arena arena;
        size_t bytes = 0;
        for (size_t p = s; p < pages_.size(); p += shards)
            for (size_t r = 0; pages_[p] && r < page_rows; ++r) bytes += tight_bytes(pages_[p]->rows[r].size);
        arena.reserve(bytes);
        std::vector<std::shared_ptr<Page>> made;
        for (size_t p = s; p < pages_.size(); p += shards) {
            made.push_back(nullptr);
            if (!pages_[p]) continue;
            auto page = std::make_shared<Page>();
            page->version = version_;
            bool any = false;
            for (size_t r = 0; r < page_rows; ++r) {
                const Row& row = pages_[p]->rows[r];
                if (row.size > 0) page->rows[r] = tight(arena, row);
                any = any || row.size > 0;
            }
            if (any) made.back() = std::move(page);
        }
        // Nothing below throws but for the first line: without memory all stays as it was.
        if (viewed) shard.retired.reserve(shard.retired.size() + 1);
        if (viewed) shard.retired.push_back({std::move(shard.arena), version_});
        shard.arena = std::move(arena);
        shard.left.clear();  // in the old memory
        for (size_t k = 0; k < made.size(); ++k) pages_[s + k * shards] = std::move(made[k]);
    });
}

// The same events in as many bytes as they take.
Row TemporalRows::tight(Arena& arena, const Row& row) const {
    uint32_t p = 0, at = 0;  // what is read next
    const auto copy = [&](Event* out, uint32_t count) {
        if (row.parts == 0) {
            std::copy_n(row.events() + at, count, out);
            at += count;
            return;
        }
        while (count > 0) {
            const uint32_t here = std::min(count, row.count(p) - at);
            out = std::copy_n(row.directory()[p].events + at, here, out);
            count -= here;
            at += here;
            if (at == row.count(p)) {
                ++p;
                at = 0;
            }
        }
    };
    Row made;
    made.last = row.last;
    made.size = row.size;
    made.version = version_;
    if (row.size <= block) {
        made.room = room_of(row.size);
        auto* const events = static_cast<Event*>(arena.take(made.room * sizeof(Event)));
        copy(events, row.size);
        made.place = events;
        return made;
    }
    made.parts = made.room = (row.size + block - 1) / block;
    auto* const parts = static_cast<Part*>(arena.take(made.room * sizeof(Part)));
    for (uint32_t k = 0; k < made.parts; ++k) {
        const uint32_t before = k * block, count = std::min(block, row.size - before), room = room_of(count);
        auto* const events = static_cast<Event*>(arena.take(room * sizeof(Event)));
        copy(events, count);
        parts[k] = {events[0].time, events, before, room, version_};
    }
    made.place = parts;
    return made;
}

}  // namespace weft
