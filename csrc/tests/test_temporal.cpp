#include <algorithm>
#include <atomic>
#include <limits>
#include <span>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.h"
#include "philox.h"
#include "pool.h"
#include "temporal_rows.h"
#include "temporal_sample.h"

using weft::Event;
using weft::TemporalOptions;
using weft::TemporalRows;
using weft::TemporalSample;

namespace {

struct Happening {
    uint32_t source, target;
    int64_t time;
    uint32_t number;
};

struct Batch {
    std::vector<uint32_t> source, target, number;
    std::vector<int64_t> time;

    void add(const Happening& h) {
        source.push_back(h.source);
        target.push_back(h.target);
        time.push_back(h.time);
        number.push_back(h.number);
    }
};

// What the rows must hold: every event, searched one by one.
struct Plain {
    std::vector<Happening> events;
    bool both;

    // Of a node, newest first.
    std::vector<Event> of(uint32_t node, int64_t before) const {
        std::vector<Event> found;
        for (const auto& h : events) {
            if (h.time >= before) continue;
            if (h.source == node) found.push_back({h.time, h.target, h.number});
            else if (both && h.target == node) found.push_back({h.time, h.source, h.number});
        }
        std::sort(found.begin(), found.end(), [](const Event& a, const Event& b) {
            return a.time != b.time ? a.time > b.time : a.number > b.number;
        });
        return found;
    }
};

uint32_t word(uint32_t i, uint32_t what) { return weft::draw({7, 9}, i, what)[0]; }

TemporalOptions newest(uint32_t fanout) {
    return {.key = 1, .item = 0, .items = {}, .lane = 0, .fanout = fanout, .uniform = false, .replace = false, .inclusive = false,
            .window = 0};
}

void same(const Plain& plain, const TemporalRows::Pages& pages, size_t nodes, int64_t before) {
    std::vector<uint32_t> root;
    for (uint32_t n = 0; n < nodes; ++n) root.push_back(n);
    const std::vector<int64_t> time(nodes, before);
    const auto all = newest(std::numeric_limits<uint32_t>::max());
    TemporalSample found = weft::sample_events(pages, nodes, root, time, all);
    size_t at = 0;
    for (uint32_t n = 0; n < nodes; ++n)
        for (const Event& event : plain.of(n, before)) {
            CHECK(at < found.row.size() && found.row[at] == n);
            CHECK(found.node[at] == event.node && found.number[at] == event.number && found.time[at] == event.time);
            ++at;
        }
    CHECK(at == found.row.size());
    if (before == std::numeric_limits<int64_t>::max()) return;
    // Few events of each are found in other ways than all: each must be one of all, before its time.
    for (const uint32_t fanout : {10u, 33u})
        for (const int how : {0, 1, 2, 3}) {
            TemporalOptions few = newest(fanout);
            few.uniform = how > 0;
            few.replace = how == 2;
            few.window = how == 3 ? 50 : 0;
            const TemporalSample some = weft::sample_events(pages, nodes, root, time, few);
            size_t begin = 0, k = 0;
            for (uint32_t n = 0; n < nodes; ++n) {
                const size_t end = static_cast<size_t>(
                    std::upper_bound(found.row.data() + begin, found.row.data() + found.row.size(), int64_t{n}) -
                    found.row.data());
                size_t place = begin, drawn = 0;
                for (; k < some.row.size() && some.row[k] == n; ++k, ++drawn) {
                    if (few.replace) place = begin;
                    while (place < end && found.number[place] != some.number[k]) ++place;
                    CHECK(place < end && found.time[place] == some.time[k] && found.node[place] == some.node[k]);
                    if (!few.replace) ++place;  // the newest first, none twice
                }
                const size_t all = end - begin;
                if (how < 2) CHECK(drawn == std::min<size_t>(all, fanout));
                if (how == 2) CHECK(drawn == (all > 0 ? fanout : 0));
                begin = end;
            }
            CHECK(k == some.row.size());
        }
}

// Appends, late ones too, removals, expiry, and views of all that was before.
void a_life(bool both, uint32_t spread, int threads) {
    weft::set_num_threads(threads);
    const auto rows = TemporalRows::make(10);
    Plain plain{{}, both};
    std::vector<std::pair<std::shared_ptr<TemporalRows::View>, Plain>> seen;
    uint32_t number = 0;
    for (uint32_t step = 0; step < 60; ++step) {
        Batch batch;
        const uint32_t size = step % 10 == 3 ? 5000 : word(step, 0) % 300;
        for (uint32_t i = 0; i < size; ++i) {
            const uint32_t hub = word(number, 1) % 3;
            const uint32_t u = hub ? word(number, 2) % 3 : word(number, 2) % (300 + step);
            const uint32_t v = word(number, 3) % 600;
            const int64_t time = int64_t{number} / 3 - word(number, 4) % spread;
            const Happening h{u, v, time, number++};
            batch.add(h);
            plain.events.push_back(h);
        }
        rows->append(batch.source, batch.target, batch.time, batch.number, both);
        if (step % 4 == 1 && !plain.events.empty()) {
            Batch gone;
            for (uint32_t i = 0; i < 50 && !plain.events.empty(); ++i) {
                const size_t at = word(step * 50 + i, 5) % plain.events.size();
                gone.add(plain.events[at]);
                plain.events.erase(plain.events.begin() + static_cast<std::ptrdiff_t>(at));
            }
            rows->remove(gone.source, gone.target, gone.time, gone.number, both);
        }
        if (step % 13 == 7) {
            const int64_t before = int64_t{number} / 5;
            std::vector<uint32_t> nodes;
            for (uint32_t n = 0; n < rows->nodes(); ++n) nodes.push_back(n);
            rows->expire(nodes, before);
            std::erase_if(plain.events, [&](const Happening& h) { return h.time < before; });
        }
        if (step % 7 == 2) {
            const size_t used = rows->used();
            rows->compact();
            CHECK(rows->used() <= used);
        }
        if (step % 5 == 0) seen.emplace_back(TemporalRows::view(rows), plain);
        if (step % 9 == 0 && seen.size() > 2) seen.erase(seen.begin() + 1);
        if (step % 6 == 0) {
            rows->read([&](const auto& pages, size_t nodes) {
                same(plain, pages, nodes, std::numeric_limits<int64_t>::max());
                same(plain, pages, nodes, int64_t{number} / 4);
            });
            for (const auto& [view, then] : seen)
                same(then, view->pages(), view->nodes(), std::numeric_limits<int64_t>::max());
        }
    }
    // All gone: so is the memory, but for the pages.
    seen.clear();
    std::vector<uint32_t> nodes;
    for (uint32_t n = 0; n < rows->nodes(); ++n) nodes.push_back(n);
    rows->expire(nodes, std::numeric_limits<int64_t>::max());
    rows->append({}, {}, {}, {}, both);
    CHECK(rows->used() <= rows->nodes() * sizeof(weft::Row) + 2 * (sizeof(TemporalRows::Page) + 32) + 4096);
    weft::set_num_threads(1);
}

// Readers look at views while a writer goes on.
void readers_beside_a_writer() {
    const auto rows = TemporalRows::make(2000);
    std::atomic<bool> done{false};
    std::thread writer([&] {
        uint32_t number = 0;
        for (int step = 0; step < 120; ++step) {
            Batch batch;
            for (uint32_t i = 0; i < 400; ++i, ++number)
                batch.add({word(number, 1) % 5, word(number, 2) % 2000, int64_t{number} - word(number, 3) % 50, number});
            rows->append(batch.source, batch.target, batch.time, batch.number, true);
            if (step % 10 == 9) {
                std::vector<uint32_t> nodes;
                for (uint32_t n = 0; n < 2000; ++n) nodes.push_back(n);
                rows->expire(nodes, int64_t{number} - 3000);
            }
        }
        done = true;
    });
    std::vector<std::thread> readers;
    for (int r = 0; r < 2; ++r)
        readers.emplace_back([&] {
            std::vector<uint32_t> root;
            for (uint32_t n = 0; n < 2000; ++n) root.push_back(n);
            const std::vector<int64_t> time(2000, std::numeric_limits<int64_t>::max());
            do {
                const auto view = TemporalRows::view(rows);
                const auto first = weft::sample_events(view->pages(), view->nodes(), root, time, newest(1000));
                std::this_thread::yield();
                const auto again = weft::sample_events(view->pages(), view->nodes(), root, time, newest(1000));
                const auto some = [&] {
                    TemporalOptions ten = newest(10);
                    ten.uniform = true;
                    return weft::sample_events(view->pages(), view->nodes(), root, time, ten);
                };
                const auto drawn = some(), drawn_again = some();
                CHECK(drawn.row.size() == drawn_again.row.size());
                for (size_t k = 0; k < drawn.row.size(); ++k) CHECK(drawn.number[k] == drawn_again.number[k]);
                CHECK(first.row.size() == again.row.size());
                for (size_t k = 0; k < first.row.size(); ++k) {
                    CHECK(first.number[k] == again.number[k] && first.time[k] == again.time[k]);
                    if (k > 0 && first.row[k] == first.row[k - 1]) CHECK(first.time[k] <= first.time[k - 1]);
                }
            } while (!done);
        });
    writer.join();
    for (auto& reader : readers) reader.join();
}

void refusals() {
    const auto rows = TemporalRows::make(3);
    const std::vector<uint32_t> one{1}, two{1, 2}, none;
    const std::vector<int64_t> at{5};
    CHECK_THROWS(std::invalid_argument, rows->append(one, two, at, one, true));
    CHECK_THROWS(std::invalid_argument, rows->append(one, one, {}, one, true));
    const std::vector<uint32_t> other{7}, zero{0};
    CHECK_THROWS(std::invalid_argument, rows->append(one, one, at, two, true));
    rows->append(one, one, at, zero, true);
    CHECK_THROWS(std::invalid_argument, rows->remove(one, one, at, two, true));
    CHECK_THROWS(std::invalid_argument, rows->remove(one, one, at, other, true));
    CHECK_THROWS(std::invalid_argument, rows->remove(other, one, at, zero, true));
    CHECK_THROWS(std::invalid_argument, rows->expire(other, 3));
    const auto sample = [&](const std::vector<uint32_t>& root) {
        return rows->read([&](const auto& pages, size_t nodes) {
            return weft::sample_events(pages, nodes, root, at, newest(3));
        });
    };
    CHECK_THROWS(std::invalid_argument, sample(other));
    CHECK_THROWS(std::invalid_argument, sample(two));
    CHECK(sample(one).row.size() == 0);  // not before its own time
    rows->remove(one, one, at, zero, true);
}

}  // namespace

int main() {
    for (const bool both : {false, true})
        for (const uint32_t spread : {1u, 40u, 4000u}) a_life(both, spread, 1);
    a_life(true, 40, 4);
    readers_beside_a_writer();
    refusals();
}
