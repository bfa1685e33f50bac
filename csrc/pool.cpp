#include "pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace weft {
namespace {

struct Job {
    Job(size_t count, const std::function<void(size_t)>& task) : count(count), task(task) {}

    const size_t count;
    const std::function<void(size_t)>& task;
    std::atomic<size_t> next{0};
    std::atomic<bool> failed{false};
    std::mutex mutex;
    size_t error_at = 0;
    std::exception_ptr error;

    void run() noexcept {
        for (;;) {
            const size_t i = next.fetch_add(1, std::memory_order_relaxed);
            if (i >= count || failed.load(std::memory_order_relaxed)) return;
            try {
                task(i);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!error || i < error_at) {
                    error = std::current_exception();
                    error_at = i;
                }
                failed.store(true, std::memory_order_relaxed);
            }
        }
    }
};

thread_local bool inside_task = false;

class Pool {
public:
    explicit Pool(int workers) {
        threads_.reserve(static_cast<size_t>(workers));
        try {
            for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
        } catch (const std::system_error&) {
            // The system grants no more: no result depends on how many there are.
        }
    }

    ~Pool() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        wake_.notify_all();
        for (auto& thread : threads_) thread.join();
    }

    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    void run(Job& job) {
        {
            const std::lock_guard lock(mutex_);
            job_ = &job;
            ++generation_;
        }
        wake_.notify_all();
        inside_task = true;
        job.run();
        inside_task = false;
        // Nothing is left to begin: a thread that has not woken up by now need not be waited for.
        std::unique_lock lock(mutex_);
        job_ = nullptr;
        idle_.wait(lock, [this] { return busy_ == 0; });
    }

private:
    void work() {
        inside_task = true;
        size_t seen = 0;
        for (;;) {
            Job* job = nullptr;
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [&] { return stop_ || generation_ != seen; });
                if (stop_) return;
                seen = generation_;
                job = job_;
                if (!job) continue;
                ++busy_;
            }
            job->run();
            {
                const std::lock_guard lock(mutex_);
                --busy_;
            }
            idle_.notify_one();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_, idle_;
    std::vector<std::thread> threads_;
    Job* job_ = nullptr;
    size_t generation_ = 0;
    size_t busy_ = 0;  // threads at work on the job
    bool stop_ = false;
};

int default_threads() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// The pool belongs to one process: a forked child has none of its threads and starts its own.
struct State {
    std::mutex mutex;  // held for the length of a parallel_for: callers take turns
    std::atomic<int> threads{default_threads()};
    std::unique_ptr<Pool> pool;
    int pool_threads = 0;
};

void forget_after_fork();

State& state() {
    static State* const instance = [] {
        static State first;
        pthread_atfork(nullptr, nullptr, forget_after_fork);
        return &first;
    }();
    return *instance;
}

void forget_after_fork() {
    // The child's copy of the pool names threads that do not exist there; joining them would hang.
    State& s = state();
    static_cast<void>(s.pool.release());
    s.pool_threads = 0;
    new (&s.mutex) std::mutex;
    inside_task = false;
}

}  // namespace

void set_num_threads(int count) {
    if (count < 1) throw std::invalid_argument("set_num_threads: count must be at least 1 (got " + std::to_string(count) + ")");
    state().threads.store(count);
}

int num_threads() { return state().threads.load(); }

void parallel_for(size_t count, const std::function<void(size_t)>& task) {
    const int threads = num_threads();
    if (inside_task || threads == 1 || count <= 1) {
        for (size_t i = 0; i < count; ++i) task(i);
        return;
    }
    State& s = state();
    const std::lock_guard lock(s.mutex);
    if (s.pool_threads != threads) {
        s.pool.reset();
        s.pool_threads = 0;
        s.pool = std::make_unique<Pool>(threads - 1);
        s.pool_threads = threads;
    }
    Job job(count, task);
    s.pool->run(job);
    if (job.error) std::rethrow_exception(job.error);
}

void parallel_ranges(size_t size, size_t grain, const std::function<void(size_t, size_t)>& task) {
    if (size == 0) return;
    const size_t threads = static_cast<size_t>(num_threads());
    // Four ranges a thread, so that one slow range does not leave the others waiting.
    const size_t wanted = threads == 1 ? 1 : threads * 4;
    const size_t ranges = std::max<size_t>(1, std::min(wanted, size / std::max<size_t>(1, grain)));
    parallel_for(ranges, [&](size_t i) { task(size * i / ranges, size * (i + 1) / ranges); });
}

}  // namespace weft
