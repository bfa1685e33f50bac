#include "temporal_rows.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>
#include <utility>

#include "pool.h"

namespace weft {
namespace {

constexpr size_t few = 1024;  // events of a batch that one thread is done with before others have woken up
constexpr size_t kept_items = size_t{1} << 20;  // of a batch, in buffers that are kept for the next one
constexpr size_t row_ahead = 24, event_ahead = 12;

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument("temporal graph: " + what); }

uint32_t parts_for(size_t parts) { return static_cast<uint32_t>(Arena::rounded(parts * sizeof(Part)) / sizeof(Part)); }

}  // namespace

std::shared_ptr<TemporalRows> TemporalRows::make(size_t nodes) {
    auto rows = std::make_shared<TemporalRows>();
    rows->grow(nodes);
    return rows;
}

void TemporalRows::grow(size_t nodes) {
    if (nodes <= nodes_) return;
    pages_.resize((nodes + page_rows - 1) / page_rows);
    nodes_ = nodes;
}

void TemporalRows::check_whole() const {
    if (!whole_)
        refuse("there was no memory in the middle of a change, so this is not whole; open it where it was saved");
}

// A batch of the writer: what views there are, and what none of them reads any more.
void TemporalRows::begin() {
    check_whole();
    const std::lock_guard lock(viewing_);
    newest_ = views_.empty() ? 0 : *views_.rbegin();
    const uint32_t oldest = views_.empty() ? version_ + 1 : *views_.begin();
    for (Shard& shard : memory_) {
        const auto gone = [&](const Left& left) {
            if (left.version >= oldest) return false;
            shard.arena.give(left.array, left.bytes);
            return true;
        };
        std::erase_if(shard.left, gone);
        std::erase_if(shard.retired, [&](const auto& retired) { return retired.version < oldest; });
    }
}

std::shared_ptr<TemporalRows::View> TemporalRows::view(const std::shared_ptr<TemporalRows>& rows) {
    const auto lock = rows->reading();
    rows->check_whole();
    const std::lock_guard also(rows->viewing_);
    if (rows->version_ == std::numeric_limits<uint32_t>::max())
        refuse("there were 2**32 views; save it and open it again");
    Pages pages = rows->pages_;
    const auto place = rows->views_.insert(++rows->version_);
    try {
        return std::make_shared<View>(rows, std::move(pages), rows->nodes_, *place);
    } catch (...) {
        rows->views_.erase(place);
        throw;
    }
}

void TemporalRows::release(uint32_t version) {
    const std::lock_guard lock(viewing_);
    views_.erase(views_.find(version));
}

Row& TemporalRows::writable(uint32_t node) {
    auto& page = pages_[node / page_rows];
    if (!page) {
        page = std::make_shared<Page>();
        page->version = version_;
    } else if (shared(page->version)) {
        page = std::make_shared<Page>(*page);
        page->version = version_;
    }
    return page->rows[node % page_rows];
}

void TemporalRows::let_go(Shard& shard, void* array, size_t bytes, bool shared) {
    if (shared)
        shard.left.push_back({array, bytes, version_});
    else
        shard.arena.give(array, bytes);
}

Event* TemporalRows::block_for(Shard& shard, uint32_t events) {
    return static_cast<Event*>(shard.arena.take(events * sizeof(Event)));
}

void TemporalRows::append(std::span<const uint32_t> source, std::span<const uint32_t> target,
                          std::span<const int64_t> time, std::span<const uint32_t> number, bool both) {
    const size_t count = source.size();
    if (target.size() != count || time.size() != count || number.size() != count)
        refuse("source, target, time and number differ in length: " + std::to_string(count) + ", " +
               std::to_string(target.size()) + ", " + std::to_string(time.size()) + ", " +
               std::to_string(number.size()));
    if (count >= size_t{1} << 31) refuse("a batch has 2**31 events or more; give it in pieces");
    const auto lock = writing();
    begin();
    whole_ = false;
    uint32_t highest = 0;
    for (size_t i = 0; i < count; ++i) highest = std::max({highest, source[i], target[i]});
    if (count > 0) grow(size_t{highest} + 1);
    put_in_order(time);
    items_.clear();
    items_.reserve(2 * count);
    for (size_t k = 0; k < count; ++k) {
        const uint32_t i = order_.empty() ? static_cast<uint32_t>(k) : order_[k];
        items_.push_back({source[i], 2 * i});
        if (both && target[i] != source[i]) items_.push_back({target[i], 2 * i | 1});
    }
    const auto work = [&](std::span<const Item> items) {
        const size_t size = items.size();
        for (size_t k = 0; k < size; ++k) {
            if (k + row_ahead < size) __builtin_prefetch(&row_of(pages_, items[k + row_ahead].node), 1);
            if (k + event_ahead < size) {
                const Row& next = row_of(pages_, items[k + event_ahead].node);
                if (next.parts > 0)
                    __builtin_prefetch(next.directory() + (next.parts - 1));
                else
                    __builtin_prefetch(next.events() + next.size, 1);
            }
            const auto [node, event] = items[k];
            const size_t i = event / 2;
            insert(shard_of(node), writable(node), {time[i], event % 2 ? source[i] : target[i], number[i]});
        }
    };
    if (items_.size() < few) {
        work(items_);
    } else {
        size_t ends[shards + 1] = {};
        for (const Item& item : items_) ++ends[item.node / page_rows % shards + 1];
        for (size_t s = 0; s < shards; ++s) ends[s + 1] += ends[s];
        size_t at[shards];
        std::copy(ends, ends + shards, at);
        dealt_.resize(items_.size());
        for (const Item& item : items_) dealt_[at[item.node / page_rows % shards]++] = item;
        parallel_for(shards, [&](size_t s) { work(std::span(dealt_).subspan(ends[s], ends[s + 1] - ends[s])); });
    }
    if (items_.size() > kept_items) {
        items_ = {};
        dealt_ = {};
        order_ = {};
        late_ = {};
    }
    whole_ = true;
}

// Events that come late are put before those of the batch that they belong before: what is sorted, is appended.
void TemporalRows::put_in_order(std::span<const int64_t> time) {
    order_.clear();
    late_.clear();
    if (std::is_sorted(time.begin(), time.end())) return;
    std::vector<uint32_t> risen;
    int64_t last = std::numeric_limits<int64_t>::min();
    for (uint32_t i = 0; i < time.size(); ++i) {
        (time[i] < last ? late_ : risen).push_back(i);
        last = std::max(last, time[i]);
    }
    const auto before = [&](uint32_t a, uint32_t b) { return time[a] != time[b] ? time[a] < time[b] : a < b; };
    std::sort(late_.begin(), late_.end(), before);
    order_.resize(time.size());
    std::merge(risen.begin(), risen.end(), late_.begin(), late_.end(), order_.begin(), before);
}

void TemporalRows::insert(Shard& shard, Row& row, Event event) {
    if (row.size == 0 || event.time >= row.last)
        append(shard, row, event);
    else
        insert_late(shard, row, event);
}

// Past the end of what views know nothing is shared.
void TemporalRows::append(Shard& shard, Row& row, Event event) {
    if (row.parts == 0 && row.size == row.room) {
        if (row.size < alone)
            widen(shard, row, room_for(row.size + 1));
        else
            into_parts(shard, row);
    }
    if (row.parts == 0) {
        row.events()[row.size++] = event;
    } else {
        if (row.count(row.parts - 1) == row.directory()[row.parts - 1].room) {
            const uint32_t room = next_room(row.size);
            add_part(shard, row, row.parts, {event.time, block_for(shard, room), row.size, room, version_});
        }
        const Part& tail = row.directory()[row.parts - 1];
        tail.events[row.size - tail.before] = event;
        ++row.size;
    }
    row.last = event.time;
}

void TemporalRows::insert_late(Shard& shard, Row& row, Event event) {
    if (row.parts == 0 && row.size >= alone) into_parts(shard, row);
    if (row.parts > 0) {
        const uint32_t p = std::max(parts_before(row, event.time, true), uint32_t{1}) - 1;
        const uint32_t at = rank_in(row.directory()[p].events, row.count(p), event.time, true);
        return insert_into_part(shard, row, p, at, event);
    }
    const uint32_t at = rank_in(row.events(), row.size, event.time, true);
    if (row.size == row.room || shared(row.version)) widen(shard, row, room_for(row.size + 1));
    Event* const events = row.events();
    std::copy_backward(events + at, events + row.size, events + row.size + 1);
    events[at] = event;
    ++row.size;
}

void TemporalRows::insert_into_part(Shard& shard, Row& row, uint32_t p, uint32_t at, Event event) {
    if (shared(row.version)) own_directory(shard, row, row.room);
    if (const uint32_t room = row.directory()[p].room; row.count(p) == room && room < block) {
        own_part(shard, row, p, std::min(block, 2 * room));
    } else if (row.count(p) == room) {
        // The lower half will have room where others may still read.
        if (shared(row.directory()[p].version)) own_part(shard, row, p, room);
        const Part full = row.directory()[p];
        Event* const upper = block_for(shard, room);
        std::copy(full.events + room / 2, full.events + room, upper);
        add_part(shard, row, p + 1, {upper[0].time, upper, full.before + room / 2, room, version_});
        if (at > room / 2) {
            ++p;
            at -= room / 2;
        }
    }
    if (shared(row.directory()[p].version)) own_part(shard, row, p, row.directory()[p].room);
    Part& part = row.directory()[p];
    const uint32_t count = row.count(p);
    std::copy_backward(part.events + at, part.events + count, part.events + count + 1);
    part.events[at] = event;
    if (at == 0) part.first = event.time;
    for (uint32_t q = p + 1; q < row.parts; ++q) ++row.directory()[q].before;
    ++row.size;
}

// Of a block that follows so many events: a quarter to a half of them.
uint32_t TemporalRows::next_room(uint32_t size) { return std::clamp(std::bit_floor(size / 2), alone, block); }

// An array of the row's own with so much room.
void TemporalRows::widen(Shard& shard, Row& row, uint32_t room) {
    Event* const events = block_for(shard, room);
    std::copy(row.events(), row.events() + row.size, events);
    if (row.room > 0) let_go(shard, row.place, row.room * sizeof(Event), shared(row.version));
    row.place = events;
    row.room = room;
    row.version = version_;
}

void TemporalRows::own_directory(Shard& shard, Row& row, uint32_t room) {
    auto* const parts = static_cast<Part*>(shard.arena.take(room * sizeof(Part)));
    std::copy(row.directory(), row.directory() + row.parts, parts);
    let_go(shard, row.place, row.room * sizeof(Part), shared(row.version));
    row.place = parts;
    row.room = room;
    row.version = version_;
}

// A block of the row's own with so much room.
void TemporalRows::own_part(Shard& shard, Row& row, uint32_t p, uint32_t room) {
    Part& part = row.directory()[p];
    Event* const events = block_for(shard, room);
    std::copy(part.events, part.events + row.count(p), events);
    let_go(shard, part.events, part.room * sizeof(Event), shared(part.version));
    part.events = events;
    part.room = room;
    part.version = version_;
}

void TemporalRows::into_parts(Shard& shard, Row& row) {
    const uint32_t room = parts_for(4);
    auto* const parts = static_cast<Part*>(shard.arena.take(room * sizeof(Part)));
    parts[0] = {row.events()[0].time, row.events(), 0, row.room, row.version};
    row.place = parts;
    row.room = room;
    row.parts = 1;
    row.version = version_;
}

// The directory is the row's own, or the part comes at its end.
void TemporalRows::add_part(Shard& shard, Row& row, uint32_t at, Part part) {
    if (row.parts == row.room) own_directory(shard, row, parts_for(row.room + 1));
    Part* const parts = row.directory();
    std::copy_backward(parts + at, parts + row.parts, parts + row.parts + 1);
    parts[at] = part;
    ++row.parts;
}

size_t TemporalRows::nodes() const {
    const auto lock = reading();
    return nodes_;
}

size_t TemporalRows::bytes(size_t (Arena::*of)() const) const {
    const auto lock = reading();
    size_t bytes = pages_.size() * sizeof(pages_[0]);
    for (const auto& page : pages_) bytes += page ? sizeof(Page) : 0;
    for (const Shard& shard : memory_) {
        bytes += (shard.arena.*of)();
        for (const auto& retired : shard.retired) bytes += of == &Arena::held ? retired.arena.held() : 0;
    }
    return bytes;
}

}  // namespace weft
