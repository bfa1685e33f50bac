#include "row_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "io_ring.h"
#include "memory.h"

namespace weft {
namespace {

constexpr uint64_t block = 4096;         // what O_DIRECT asks of addresses, offsets and lengths on common devices
constexpr uint64_t longest = 64 << 10;   // of neighbouring blocks read at once
constexpr unsigned most_threads = 64;    // where io_uring is forbidden
constexpr uint64_t usual_gap = block;
constexpr uint64_t gap_in_memory = 1024;  // a call costs as much as so many bytes
constexpr size_t calls_in_memory = 256;   // by one thread before it asks for more
constexpr uint64_t widest_gap = 32 << 10;  // a wider one gained nothing on disks seen, and bytes are shared with others
constexpr uint64_t worth_measuring = 64 << 20;  // bytes of a file
constexpr unsigned probes = 128, rounds = 3;

uint64_t down(uint64_t x, uint64_t to = block) { return x / to * to; }
uint64_t up(uint64_t x, uint64_t to = block) { return (x + to - 1) / to * to; }

using Item = RowFile::Want;

using Request = RowFile::Request;

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

// A ring is shared memory: a forked child that went on with its parent's would take its reads, and lose its own.
std::atomic<unsigned> forks = 0;
std::mutex settling;

void after_fork() {
    forks.fetch_add(1);
    new (&settling) std::mutex;
}

unsigned forks_so_far() {
    [[maybe_unused]] static const int asked = pthread_atfork(nullptr, nullptr, after_fork);
    return forks.load();
}

}  // namespace

struct RowFile::State {
    RowFileOptions options;
    int fd = -1;
    bool direct = false;
    bool in_memory = false;  // a file system without a device: nothing is won by asking for several reads at once
    uint64_t grain = block;  // reads begin and end at its multiples
    uint64_t slot = 0;
    HugeBuffer buffers;
    std::optional<IoRing> ring;
    std::mutex busy;
    std::atomic<uint64_t> requests = 0, bytes = 0;
    uint64_t gap = usual_gap;
    std::atomic<unsigned> settled = forks_so_far();

    explicit State(const RowFileOptions& given) : options(given) {
        if (options.width == 0 || options.depth == 0 || options.width > UINT32_MAX / 2)
            throw std::invalid_argument("rows: a row must have 1 to 2**31 - 1 bytes, and a request be under way");
        open();
        try {
            check_size();
            // Rows may begin and end anywhere in a block.
            slot = std::max(longest, up(options.width) + block);
            buffers = HugeBuffer(slot * options.depth);
            open_ring();
        } catch (...) {
            ::close(fd);
            throw;
        }
    }

    ~State() { ::close(fd); }

    void open_ring() {
        if (!options.ring || in_memory || !IoRing::available()) return;
        try {
            ring.emplace(options.depth);
        } catch (const std::system_error&) {
            // One so deep is not granted, as older systems do where little memory may be locked.
        }
    }

    // In a forked child: a ring of its own, and a lock that nobody who is not there holds.
    void settle() {
        if (settled.load() == forks_so_far()) return;
        const std::lock_guard guard(settling);
        if (settled.load() == forks.load()) return;
        new (&busy) std::mutex;
        ring.reset();
        open_ring();
        settled.store(forks.load());
    }

    void open() {
        const char* const path = options.path.c_str();
        if (options.direct) {
            fd = ::open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
            direct = fd >= 0;
            // Some file systems know no other way than through the page cache.
            if (fd < 0 && errno != EINVAL) fail(errno, "open " + options.path);
        }
        if (fd < 0) fd = ::open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) fail(errno, "open " + options.path);
        struct statfs system;
        in_memory = options.ring && fstatfs(fd, &system) == 0 &&
                    (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
        if (!in_memory) return;
        // Past a page cache that is the file itself, the system takes a detour through threads of its own.
        const int plain = ::open(path, O_RDONLY | O_CLOEXEC);
        if (plain < 0) return;  // it has been removed meanwhile
        ::close(std::exchange(fd, plain));
        direct = false;
        grain = 1;
        gap = gap_in_memory;
    }

    void check_size() const {
        struct stat info;
        if (fstat(fd, &info) != 0) fail(errno, "stat " + options.path);
        const auto size = static_cast<uint64_t>(info.st_size);
        if (options.offset > size || options.rows > (size - options.offset) / options.width)
            throw std::invalid_argument("rows: " + options.path + " has " + std::to_string(size) + " bytes; " +
                                        std::to_string(options.rows) + " rows of " + std::to_string(options.width) +
                                        " from byte " + std::to_string(options.offset) + " do not fit");
    }

    std::vector<Item> wants(std::span<const int64_t> ids, std::byte* out) const {
        std::vector<Item> items(ids.size());
        for (size_t i = 0; i < ids.size(); ++i) items[i] = {static_cast<uint64_t>(ids[i]), out + i * options.width};
        return items;
    }

    void sort(std::vector<Item>& items) const {
        for (size_t i = 0; i < items.size(); ++i)
            if (items[i].id >= options.rows)
                throw std::invalid_argument("rows: id " + std::to_string(i) + " is row " +
                                            std::to_string(static_cast<int64_t>(items[i].id)) + " of " +
                                            std::to_string(options.rows));
        std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.id < b.id; });
    }

    uint64_t begin_of(uint64_t id) const { return options.offset + id * options.width; }

    // The rows from item `first` on that one read gets.
    Request next(const std::vector<Item>& items, size_t first) const {
        const uint64_t at = begin_of(items[first].id);
        Request r{first, first + 1, down(at, grain), up(at + options.width, grain), at + options.width};
        for (; r.last < items.size(); ++r.last) {
            const uint64_t begin = begin_of(items[r.last].id), end = begin + options.width;
            if (down(begin, grain) > r.end + gap || (up(end, grain) > r.end && up(end, grain) - r.begin > longest)) break;
            r.end = std::max(r.end, up(end, grain));
            r.needed = std::max(r.needed, end);
        }
        return r;
    }

    std::vector<Request> requests_for(const std::vector<Item>& items) const {
        std::vector<Request> all;
        for (size_t first = 0; first < items.size(); first = all.back().last) all.push_back(next(items, first));
        return all;
    }

    // Items with the rows between them that `along` has a place for.
    void add(std::vector<Item>& items, std::vector<Request>& all, const RowFile::Along& along) const {
        std::vector<Item> more;
        more.reserve(items.size());
        for (Request& r : all) {
            size_t i = r.first;
            r.first = more.size();
            // Rows that lie whole within the read; the file's end may come before the block's.
            const uint64_t begin = (std::max(r.begin, options.offset) - options.offset + options.width - 1) / options.width;
            const uint64_t end = std::min(options.rows, (r.end - options.offset) / options.width);
            for (uint64_t id = std::min(begin, items[i].id); id < end || i < r.last; ++id) {
                if (i < r.last && items[i].id == id) {
                    for (; i < r.last && items[i].id == id; ++i) more.push_back(items[i]);
                } else if (std::byte* const to = id < end ? along(id) : nullptr) {
                    more.push_back({id, to});
                    r.needed = std::max(r.needed, begin_of(id) + options.width);
                }
            }
            r.last = more.size();
        }
        items = std::move(more);
    }

    void deliver(const Request& r, const std::vector<Item>& items, const std::byte* from) const {
        for (size_t i = r.first; i < r.last; ++i)
            std::memcpy(items[i].to, from + (begin_of(items[i].id) - r.begin), options.width);
    }

    void run(const std::vector<Item>& items, const std::vector<Request>& all) {
        for (const Request& r : all) bytes.fetch_add(r.end - r.begin, std::memory_order_relaxed);
        requests.fetch_add(all.size(), std::memory_order_relaxed);
        read(items, all);
    }

    void read(const std::vector<Item>& items, const std::vector<Request>& all) {
        if (!ring || !with_ring(items, all)) with_threads(items, all);
    }

    // Seconds that a read of `size` bytes takes when many are under way; other places each round.
    double seconds_of_a_read(uint64_t size, uint64_t round) {
        std::vector<Request> all;
        const uint64_t places = (options.rows * options.width - longest) / block;
        for (uint64_t i = 0; i < probes; ++i) {
            const uint64_t begin = down(options.offset) + ((round * probes + i) * 0x9E3779B97F4A7C15u >> 20) % places * block;
            all.push_back({0, 0, begin, begin + size, begin + size});
        }
        const auto start = std::chrono::steady_clock::now();
        read({}, all);
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / probes;
    }

    void measure_gap() {
        if (!direct || options.rows * options.width < worth_measuring) return;
        const std::lock_guard guard(busy);
        // Others use the disk, too: of each kind, the round that was disturbed least.
        double few = 1e9, many = 1e9;
        for (uint64_t round = 0; round < rounds; ++round) {
            few = std::min(few, seconds_of_a_read(block, 2 * round));
            many = std::min(many, seconds_of_a_read(longest, 2 * round + 1));
        }
        const double byte = (many - few) / static_cast<double>(longest - block);
        const double read = few - byte * block;
        gap = byte <= 0 ? widest_gap : down(static_cast<uint64_t>(std::clamp(read / byte, 0.0, double{widest_gap})));
    }

    std::byte* buffer(size_t i) const { return static_cast<std::byte*>(buffers.data()) + i * slot; }

    // What a read that ended gives: true when all is there, else how far it came.
    bool whole(const Request& r, uint64_t& had, int64_t result) const {
        if (result == -EINTR || result == -EAGAIN) return false;
        if (result < 0) fail(static_cast<int>(-result), "read " + options.path + " at byte " + std::to_string(r.begin + had));
        had += static_cast<uint64_t>(result);
        if (r.begin + had >= r.needed) return true;
        if (result == 0 || (direct && had % block != 0))
            fail(EIO, "rows up to byte " + std::to_string(r.needed) + " are asked for, " + options.path +
                          " ends before that: it was cut after it was opened");
        return false;
    }

    // False when the ring, not a read, has failed.
    bool with_ring(const std::vector<Item>& items, const std::vector<Request>& all) {
        struct Slot {
            Request request;
            uint64_t had;
        };
        std::vector<Slot> slots(options.depth);
        std::vector<uint32_t> free(options.depth);
        for (unsigned i = 0; i < options.depth; ++i) free[i] = options.depth - 1 - i;
        const auto ask = [&](uint32_t i) {
            const Slot& s = slots[i];
            ring->read(fd, buffer(i) + s.had, static_cast<uint32_t>(s.request.end - s.request.begin - s.had),
                       s.request.begin + s.had, i);
        };
        std::exception_ptr error;
        size_t next = 0;
        while ((next < all.size() && !error) || free.size() < options.depth) {
            for (; next < all.size() && !error && !free.empty(); free.pop_back()) {
                const uint32_t i = free.back();
                slots[i] = {all[next++], 0};
                ask(i);
            }
            try {
                ring->submit(1);
            } catch (const std::system_error&) {
                // What is under way may still be written to these buffers.
                ring.reset();
                buffers = HugeBuffer(slot * options.depth);
                return false;
            }
            for (IoRing::Done done; ring->next(done);) {
                const auto i = static_cast<uint32_t>(done.tag);
                Slot& s = slots[i];
                try {
                    if (!error && !whole(s.request, s.had, done.result)) {
                        ask(i);
                        continue;
                    }
                    if (!error) deliver(s.request, items, buffer(i));
                } catch (...) {
                    error = std::current_exception();  // thrown when nothing is under way
                }
                free.push_back(i);
            }
        }
        if (error) std::rethrow_exception(error);
        return true;
    }

    void with_threads(const std::vector<Item>& items, const std::vector<Request>& all) {
        std::mutex lock;
        size_t next = 0;
        std::exception_ptr error;
        const size_t at_once = in_memory ? calls_in_memory : 1;
        const auto work = [&](unsigned i) {
            for (;;) {
                size_t begin, end;
                {
                    const std::lock_guard guard(lock);
                    if (next == all.size() || error) return;
                    begin = next;
                    end = next = std::min(next + at_once, all.size());
                }
                try {
                    for (; begin < end; ++begin) {
                        const Request& r = all[begin];
                        for (uint64_t had = 0;;) {
                            const ssize_t got = pread(fd, buffer(i) + had, r.end - r.begin - had,
                                                      static_cast<off_t>(r.begin + had));
                            if (whole(r, had, got < 0 ? -errno : got)) break;
                        }
                        deliver(r, items, buffer(i));
                    }
                } catch (...) {
                    const std::lock_guard guard(lock);
                    if (!error) error = std::current_exception();
                    return;
                }
            }
        };
        const size_t most = in_memory ? std::max(1u, std::thread::hardware_concurrency()) : most_threads;
        const auto count = std::min<size_t>({options.depth, most, (all.size() + at_once - 1) / at_once});
        std::vector<std::thread> threads;
        try {
            for (unsigned i = 1; i < count; ++i) threads.emplace_back(work, i);
        } catch (const std::system_error&) {
            // Fewer threads do as well.
        }
        work(0);
        for (auto& thread : threads) thread.join();
        if (error) std::rethrow_exception(error);
    }
};

RowFile::RowFile(const RowFileOptions& options) : state_(std::make_unique<State>(options)) {}
RowFile::~RowFile() = default;

void RowFile::read(std::span<const int64_t> ids, std::span<std::byte> out) {
    State& s = *state_;
    if (out.size() != ids.size() * s.options.width)
        throw std::invalid_argument("rows: out must hold " + std::to_string(ids.size() * s.options.width) +
                                    " bytes (got " + std::to_string(out.size()) + ")");
    run(plan(s.wants(ids, out.data()), nullptr));
}

RowFile::Plan RowFile::plan(std::vector<Want> wants, const Along& along) const {
    state_->sort(wants);
    std::vector<Request> requests = state_->requests_for(wants);
    if (along) state_->add(wants, requests, along);
    return {std::move(wants), std::move(requests)};
}

void RowFile::run(const Plan& plan) {
    if (plan.requests.empty()) return;
    state_->settle();
    const std::lock_guard guard(state_->busy);
    state_->run(plan.wants, plan.requests);
}

void RowFile::measure_gap() { state_->measure_gap(); }
uint64_t RowFile::gap() const { return state_->gap; }
void RowFile::set_gap(uint64_t bytes) { state_->gap = down(std::min(bytes, longest)); }
uint64_t RowFile::width() const { return state_->options.width; }
uint64_t RowFile::bytes() const { return state_->options.rows * state_->options.width; }
bool RowFile::ring() const { return state_->ring.has_value(); }
bool RowFile::direct() const { return state_->direct; }
RowFile::Counts RowFile::counts() const { return {state_->requests.load(), state_->bytes.load()}; }

}  // namespace weft
