// The events of every node in the order of their time, while more arrive, some late, and old ones go. As GNNFlow's
// blocks of a node (Zhong et al., arXiv 2311.17410), with one array for a node of few events and, for one of
// many, a directory of its blocks instead of a chain; what comes in order moves no block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <span>
#include <vector>

#include "temporal_arena.h"
#include "temporal_row.h"

namespace weft {

class TemporalRows {
public:
    static constexpr uint32_t alone = 16;       // events of a row in one array, which moves as it grows, at most;
                                                // after compact(), until it grows, as many as a part
    static constexpr uint32_t block = 256;      // events of a part at most: 4 KiB
    static constexpr size_t page_rows = 256;    // rows of a page
    static constexpr size_t shards = 16;        // pages are dealt to so many, each with its own memory

    struct Page {
        uint32_t version;
        Row rows[page_rows];
    };
    using Pages = std::vector<std::shared_ptr<Page>>;

    // Rows as they were at a moment. Readers may read it while the writer goes on.
    class View {
    public:
        View(std::shared_ptr<TemporalRows> rows, Pages pages, size_t nodes, uint32_t version)
            : rows_(std::move(rows)), pages_(std::move(pages)), nodes_(nodes), version_(version) {}
        ~View() { rows_->release(version_); }
        View(const View&) = delete;
        View& operator=(const View&) = delete;

        size_t nodes() const { return nodes_; }
        const Pages& pages() const { return pages_; }

    private:
        std::shared_ptr<TemporalRows> rows_;
        Pages pages_;
        size_t nodes_;
        uint32_t version_;
    };

    static std::shared_ptr<TemporalRows> make(size_t nodes);

    // Of one writer. Nodes beyond what there are get rows, and events their places. `both`: an event stands in the
    // rows of both its nodes, once if they are one; otherwise in that of its source. Numbers rise from event to event,
    // modulo 2^32. Throws std::invalid_argument where arrays differ in length; nothing is changed then. Throws
    // std::bad_alloc; then some events may be there, and every later call refuses.
    void append(std::span<const uint32_t> source, std::span<const uint32_t> target, std::span<const int64_t> time,
                std::span<const uint32_t> number, bool both);

    // Takes events out. Throws std::invalid_argument if one is not there or is named twice; nothing is changed then.
    void remove(std::span<const uint32_t> source, std::span<const uint32_t> target, std::span<const int64_t> time,
                std::span<const uint32_t> number, bool both);

    // Takes all events before a time out of the rows of these nodes, each named once; or of all.
    void expire(std::span<const uint32_t> nodes, int64_t before);
    void expire_all(int64_t before);

    // Moves all events to blocks as small as they are, and gives the rest of the memory back; what views hold of it,
    // when they are gone. No result changes. Throws std::bad_alloc; then nothing is lost.
    void compact();

    static std::shared_ptr<View> view(const std::shared_ptr<TemporalRows>& rows);

    size_t nodes() const;
    size_t used() const { return bytes(&Arena::used); }  // bytes of rows and events
    size_t held() const { return bytes(&Arena::held); }  // bytes asked from the system for them, and for views

    // What stands in the rows now; for several readers, and no writer, at once.
    template <typename Read>
    auto read(const Read& what) const {
        const auto lock = reading();
        check_whole();
        return what(pages_, nodes_);
    }

    static const Row& row_of(const Pages& pages, uint32_t node) {
        const Page* const page = pages[node / page_rows].get();
        return page ? page->rows[node % page_rows] : no_events;
    }

private:
    struct Item {
        uint32_t node, event;  // event: twice its place in the batch, and whether it is seen from its target
    };
    struct Left {
        void* array;
        size_t bytes;
        uint32_t version;  // views made by then may read it
    };
    struct Shard {
        struct Retired {
            Arena arena;
            uint32_t version;  // views made by then may read it
        };
        Arena arena;
        std::vector<Left> left;
        std::vector<Retired> retired;
    };

    // Readers and the writer wait at one door, so that readers who come and go cannot keep the writer out.
    std::shared_lock<std::shared_mutex> reading() const {
        const std::lock_guard door(door_);
        return std::shared_lock(writing_);
    }
    std::unique_lock<std::shared_mutex> writing() {
        const std::lock_guard door(door_);
        return std::unique_lock(writing_);
    }
    void check_whole() const;

    size_t bytes(size_t (Arena::*of)() const) const;
    void release(uint32_t version);
    void begin();
    void grow(size_t nodes);
    bool shared(uint32_t version) const { return version < newest_; }

    Row& writable(uint32_t node);
    Shard& shard_of(uint32_t node) { return memory_[node / page_rows % shards]; }
    void let_go(Shard& shard, void* array, size_t bytes, bool shared);
    Event* block_for(Shard& shard, uint32_t events);

    void insert(Shard& shard, Row& row, Event event);
    void append(Shard& shard, Row& row, Event event);
    void insert_late(Shard& shard, Row& row, Event event);
    void insert_into_part(Shard& shard, Row& row, uint32_t part, uint32_t at, Event event);
    void widen(Shard& shard, Row& row, uint32_t room);
    void own_directory(Shard& shard, Row& row, uint32_t room);
    void own_part(Shard& shard, Row& row, uint32_t part, uint32_t room);
    void into_parts(Shard& shard, Row& row);
    void add_part(Shard& shard, Row& row, uint32_t at, Part part);
    static uint32_t next_room(uint32_t size);
    static uint32_t room_for(size_t events) {
        return static_cast<uint32_t>(Arena::rounded(events * sizeof(Event)) / sizeof(Event));
    }
    void put_in_order(std::span<const int64_t> time);
    void erase(Shard& shard, Row& row, uint32_t place);
    void erase_many(Shard& shard, Row& row, std::span<const uint32_t> places);
    void merge_parts(Shard& shard, Row& row, uint32_t part);
    void drop(Shard& shard, Row& row, uint32_t count);
    void clear(Shard& shard, Row& row);
    Row tight(Arena& arena, const Row& row) const;

    mutable std::mutex door_;
    mutable std::shared_mutex writing_;
    bool whole_ = true;  // no change was broken off
    Pages pages_;
    size_t nodes_ = 0;
    Shard memory_[shards];

    mutable std::mutex viewing_;
    std::multiset<uint32_t> views_;
    uint32_t version_ = 0;
    uint32_t newest_ = 0, oldest_ = 0;  // of the views there were when the writer began
    std::vector<Item> items_, dealt_;
    std::vector<uint32_t> order_, late_;  // of a batch whose times do not rise: its events by time
};

}  // namespace weft
