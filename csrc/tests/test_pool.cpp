#include "pool.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "check.h"

using weft::parallel_for;
using weft::parallel_ranges;

#if defined(__SANITIZE_THREAD__)
constexpr bool can_fork = false;  // TSan does not follow threads started in a forked child
#else
constexpr bool can_fork = true;
#endif

static void every_item_once() {
    for (const int threads : {1, 2, 4, 7}) {
        weft::set_num_threads(threads);
        for (const size_t count : {0, 1, 2, 63, 1000}) {
            std::vector<std::atomic<int>> seen(count);
            parallel_for(count, [&](size_t i) { seen[i].fetch_add(1); });
            for (const auto& times : seen) CHECK(times == 1);
        }
    }
}

static void ranges_cover_without_overlap() {
    for (const int threads : {1, 3, 8}) {
        weft::set_num_threads(threads);
        for (const size_t size : {0, 1, 5, 100, 12345}) {
            std::vector<int> seen(size);
            parallel_ranges(size, 10, [&](size_t begin, size_t end) {
                CHECK(begin < end);
                for (size_t i = begin; i < end; ++i) ++seen[i];
            });
            for (const int times : seen) CHECK(times == 1);
        }
    }
}

static void exceptions_reach_the_caller() {
    for (const int threads : {1, 2, 4}) {
        weft::set_num_threads(threads);
        std::string message;
        try {
            parallel_for(1000, [](size_t i) {
                if (i == 500) throw std::runtime_error("item 500");
            });
        } catch (const std::runtime_error& error) {
            message = error.what();
        }
        CHECK(message == "item 500");
        std::atomic<int> after{0};
        parallel_for(10, [&](size_t) { ++after; });
        CHECK(after == 10);
    }
}

static void nested_calls_run() {
    weft::set_num_threads(4);
    std::atomic<int> sum{0};
    parallel_for(8, [&](size_t) { parallel_for(8, [&](size_t) { ++sum; }); });
    CHECK(sum == 64);
}

static void callers_take_turns() {
    weft::set_num_threads(3);
    std::atomic<int> sum{0};
    std::vector<std::thread> callers;
    for (int c = 0; c < 4; ++c)
        callers.emplace_back([&] {
            for (int i = 0; i < 50; ++i) parallel_for(20, [&](size_t) { ++sum; });
        });
    for (auto& caller : callers) caller.join();
    CHECK(sum == 4 * 50 * 20);
}

static void a_forked_child_has_a_pool() {
    if (!can_fork) return;
    weft::set_num_threads(3);
    parallel_for(10, [](size_t) {});
    const pid_t child = fork();
    if (child == 0) {
        std::atomic<int> sum{0};
        parallel_for(100, [&](size_t) { ++sum; });
        _exit(sum == 100 ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main() {
    CHECK_THROWS(std::invalid_argument, weft::set_num_threads(0));
    every_item_once();
    ranges_cover_without_overlap();
    exceptions_reach_the_caller();
    nested_calls_run();
    callers_take_turns();
    a_forked_child_has_a_pool();
}
