#include "row_cache.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "check.h"

using namespace weft;

namespace {

constexpr uint64_t rows = 2000;
constexpr size_t width = 200;

std::byte byte_of(uint64_t row, size_t i) { return static_cast<std::byte>(row * 31 + i * 7 + (row >> 5)); }

struct Written {
    std::string path = "cached-XXXXXX";

    Written() {
        std::vector<char> content(rows * width);
        for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(byte_of(i / width, i % width));
        const int fd = mkstemp(path.data());
        CHECK(fd >= 0);
        close(fd);
        std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
    }
    ~Written() { unlink(path.c_str()); }
};

// Rows in an order that repeats some far more often than others, each once in a batch.
std::vector<uint32_t> batch(uint64_t number, size_t size) {
    std::vector<uint32_t> ids;
    std::vector<char> there(rows);
    for (uint64_t i = 0; ids.size() < size && i < 4 * size; ++i) {
        const uint64_t h = (number * 1000 + i) * 0x9E3779B97F4A7C15u >> 20;
        const auto row = static_cast<uint32_t>(h % (i % 2 ? rows : 150));
        if (!there[row]) ids.push_back(row);
        there[row] = 1;
    }
    return ids;
}

bool right(const std::vector<uint32_t>& ids, const std::vector<std::byte>& out) {
    for (size_t i = 0; i < ids.size(); ++i)
        for (size_t j = 0; j < width; ++j)
            if (out[i * width + j] != byte_of(ids[i], j)) return false;
    return true;
}

void a_run(std::unique_ptr<CachePolicy> policy) {
    const Written written;
    RowFile file({written.path, 0, rows, width, 8, true, true});
    RowCache cache(std::move(policy), width);
    const size_t window = cache.window();
    uint64_t told = 0, asked = 0;
    std::vector<std::byte> out;
    for (uint64_t number = 0; number < 40; ++number) {
        while (window && told < number + 6) {
            cache.expect(batch(told, 100 + told % 7 * 50));
            ++told;
        }
        const auto ids = batch(number, 100 + number % 7 * 50);
        out.assign(ids.size() * width, std::byte{0});
        cache.take(file, ids, out);
        CHECK(right(ids, out));
        asked += ids.size();
        const std::vector<uint32_t> twice = {7, 7, 1999, 7};
        out.resize(4 * width);
        cache.take(file, twice, out);
        CHECK(right(twice, out));
        asked += 4;
    }
    const auto counts = cache.counts();
    CHECK(counts.hits + counts.misses == asked && counts.hits > 0);
    cache.forget();
}

void a_read_that_fails(std::unique_ptr<CachePolicy> policy) {
    const Written written;
    RowFile file({written.path, 0, rows, width, 8, true, true});
    RowCache cache(std::move(policy), width);
    const auto early = batch(1, 120);
    std::vector<uint32_t> low;
    for (const uint32_t row : early)
        if (row < 150) low.push_back(row);
    std::vector<std::byte> out(rows * width);
    cache.take(file, low, std::span(out).first(low.size() * width));
    CHECK(truncate(written.path.c_str(), 200 * width) == 0);
    const auto all = batch(2, 600);
    CHECK_THROWS(std::system_error, cache.take(file, all, std::span(out).first(all.size() * width)));
    out.assign(low.size() * width, std::byte{0});
    cache.take(file, low, out);
    CHECK(right(low, out));
    const std::vector<uint32_t> none = {rows};
    CHECK_THROWS(std::invalid_argument, cache.take(file, none, std::span(out).first(width)));
    CHECK_THROWS(std::invalid_argument, cache.take(file, low, std::span(out).first(1)));
    CHECK_THROWS(std::invalid_argument, cache.expect(none));
}

// One takes, another announces.
void two_threads() {
    const Written written;
    RowFile file({written.path, 0, rows, width, 8, false, true});
    RowCache cache(make_lookahead(rows, 300, 64, {}), width);
    std::atomic<uint64_t> told = 0, taken = 0;
    std::thread teller([&] {
        for (uint64_t number = 0; number < 60; ++number) {
            while (number >= taken + 60) std::this_thread::yield();
            cache.expect(batch(number, 200));
            ++told;
        }
    });
    for (uint64_t number = 0; number < 60; ++number) {
        while (told <= number) std::this_thread::yield();
        const auto ids = batch(number, 200);
        std::vector<std::byte> out(ids.size() * width);
        cache.take(file, ids, out);
        CHECK(right(ids, out));
        ++taken;
    }
    teller.join();
}

}  // namespace

int main() {
    const std::vector<std::function<std::unique_ptr<CachePolicy>()>> policies = {
        [] { return make_lru(rows, 200); },
        [] { return make_sieve(rows, 200); },
        [] { return make_lookahead(rows, 200, 8, {}); },
        [] { return make_lookahead(rows, 1, 8, std::vector<uint8_t>(rows, 3)); },
        [] { return make_lookahead(rows, rows, 100, {}); },
    };
    for (const auto& policy : policies) {
        a_run(policy());
        a_read_that_fails(policy());
    }
    two_threads();
    const std::vector<uint32_t> kept = {3, 5}, asked = {5, 6};
    RowCache counting(make_static(rows, kept), 0);
    counting.fill(kept, {});
    std::vector<int64_t> missing(2);
    CHECK(counting.begin(asked, {}, missing) == 1 && missing[0] == 1);
    counting.end(asked, {}, true);
    CHECK_THROWS(std::invalid_argument, make_lru(rows, 0));
    CHECK_THROWS(std::invalid_argument, make_lookahead(rows, 5, 0, {}));
    CHECK_THROWS(std::invalid_argument, make_lookahead(rows, 5, 5, std::vector<uint8_t>(3)));
    const std::vector<uint32_t> twice = {4, 4}, beyond = {rows};
    CHECK_THROWS(std::invalid_argument, make_static(rows, twice));
    CHECK_THROWS(std::invalid_argument, make_static(rows, beyond));
}
