// The events of a node in the order of their time, in one array or in blocks with a directory.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace weft {

struct Event {
    int64_t time;
    uint32_t node;    // at the other end
    uint32_t number;  // in the order of arrival, modulo 2^32
};

// A block of a long row.
struct Part {
    int64_t first;     // time of its first event
    Event* events;
    uint32_t before;   // events of the row in the parts before
    uint32_t room;     // events that it has room for
    uint32_t version;  // since when it is the writer's alone, see TemporalRows
    uint32_t unused = 0;
};

// The events of a node, by time; of one time in the order of arrival.
struct Row {
    int64_t last = std::numeric_limits<int64_t>::min();  // time of the newest
    void* place = nullptr;                               // Event[room], or Part[room] where there are parts
    uint32_t size = 0, room = 0;
    uint32_t parts = 0;
    uint32_t version = 0;

    Event* events() const { return static_cast<Event*>(place); }
    Part* directory() const { return static_cast<Part*>(place); }

    // Of part p.
    uint32_t count(uint32_t p) const {
        const Part* const d = directory();
        return (p + 1 < parts ? d[p + 1].before : size) - d[p].before;
    }

    // Events before a time, or not after it.
    uint32_t rank(int64_t time, bool inclusive) const;
    // The part that holds the event at a place.
    uint32_t part_of(uint32_t at) const;
    const Event& event_at(uint32_t at) const;
    // Where an event stands; `size` if it does not. Numbers of one time rise, modulo 2^32.
    uint32_t place_of(const Event& event) const;
};

inline constexpr Row no_events{};

// Of the first `size` events, those before a time, or not after it.
uint32_t rank_in(const Event* events, uint32_t size, int64_t time, bool inclusive);

// Parts of a row that begin before a time, or not after it.
uint32_t parts_before(const Row& row, int64_t time, bool inclusive);

}  // namespace weft
