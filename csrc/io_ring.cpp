#include "io_ring.h"

#include <cerrno>
#include <stdexcept>
#include <system_error>

#if defined(__linux__) && __has_include(<linux/io_uring.h>)
#define WEFT_URING 1
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#endif

namespace weft {

#ifdef WEFT_URING
namespace {

constexpr long setup_call = 425, enter_call = 426;  // the same on every architecture

class Mapping {
public:
    Mapping() = default;
    Mapping(int fd, size_t size, int64_t offset) : size_(size) {
        at_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);
        if (at_ == MAP_FAILED) {
            at_ = nullptr;
            throw std::system_error(errno, std::generic_category(), "io_uring: mmap");
        }
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(at_, other.at_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Mapping() {
        if (at_) munmap(at_, size_);
    }
    template <typename T>
    T* at(size_t offset) const {
        return reinterpret_cast<T*>(static_cast<std::byte*>(at_) + offset);
    }

private:
    void* at_ = nullptr;
    size_t size_ = 0;
};

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    int get() const { return fd_; }

private:
    int fd_;
};

int set_up(unsigned depth, io_uring_params& params) noexcept {
    for (const uint32_t flags : {uint32_t{IORING_SETUP_CLAMP}, uint32_t{0}}) {
        std::memset(&params, 0, sizeof params);
        params.flags = flags;
        const long fd = syscall(setup_call, depth, &params);
        if (fd >= 0) return static_cast<int>(fd);
    }
    return -1;
}

uint32_t load(const uint32_t* at) { return std::atomic_ref(*const_cast<uint32_t*>(at)).load(std::memory_order_acquire); }
void store(uint32_t* at, uint32_t value) { std::atomic_ref(*at).store(value, std::memory_order_release); }

}  // namespace

struct IoRing::State {
    io_uring_params params{};
    Descriptor fd;
    Mapping submit, complete, entries;
    uint32_t queued = 0;

    explicit State(unsigned depth) : fd(set_up(depth, params)) {
        if (fd.get() < 0) throw std::system_error(errno, std::generic_category(), "io_uring_setup");
        const size_t submit_size = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
        const size_t complete_size = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
        submit = Mapping(fd.get(), submit_size, IORING_OFF_SQ_RING);
        complete = Mapping(fd.get(), complete_size, IORING_OFF_CQ_RING);
        entries = Mapping(fd.get(), params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES);
        if (params.sq_entries < depth) throw std::system_error(ENOMEM, std::generic_category(), "io_uring_setup");
    }
};

bool IoRing::available() noexcept {
    io_uring_params params{};
    const Descriptor fd(set_up(4, params));
    // Some filters let the one call through and not the other.
    return fd.get() >= 0 && syscall(enter_call, fd.get(), 0, 0, 0, nullptr, 0) == 0;
}

IoRing::IoRing(unsigned depth) : state_(std::make_unique<State>(depth)) {}
IoRing::~IoRing() = default;

void IoRing::read(int fd, std::byte* to, uint32_t size, uint64_t offset, uint64_t tag) noexcept {
    State& s = *state_;
    auto* const tail = s.submit.at<uint32_t>(s.params.sq_off.tail);
    const uint32_t at = *tail & (s.params.sq_entries - 1);  // only we write the tail
    auto& entry = s.entries.at<io_uring_sqe>(0)[at];
    std::memset(&entry, 0, sizeof entry);
    entry.opcode = IORING_OP_READ;
    entry.fd = fd;
    entry.addr = reinterpret_cast<uint64_t>(to);
    entry.len = size;
    entry.off = offset;
    entry.user_data = tag;
    s.submit.at<uint32_t>(s.params.sq_off.array)[at] = at;
    store(tail, *tail + 1);
    ++s.queued;
}

void IoRing::submit(unsigned least) {
    State& s = *state_;
    while (s.queued > 0 || least > 0) {
        const uint32_t flags = least > 0 ? IORING_ENTER_GETEVENTS : 0;
        const long taken = syscall(enter_call, s.fd.get(), s.queued, least, flags, nullptr, 0);
        if (taken >= 0) {
            s.queued -= static_cast<uint32_t>(taken);
            if (s.queued == 0) return;
        } else if (errno != EINTR && errno != EAGAIN && errno != EBUSY) {
            throw std::system_error(errno, std::generic_category(), "io_uring_enter");
        }
    }
}

bool IoRing::next(Done& done) noexcept {
    State& s = *state_;
    auto* const head = s.complete.at<uint32_t>(s.params.cq_off.head);
    if (*head == load(s.complete.at<uint32_t>(s.params.cq_off.tail))) return false;
    const auto& entry = s.complete.at<io_uring_cqe>(s.params.cq_off.cqes)[*head & (s.params.cq_entries - 1)];
    done = {entry.user_data, entry.res};
    store(head, *head + 1);
    return true;
}

#else

struct IoRing::State {};
bool IoRing::available() noexcept { return false; }
IoRing::IoRing(unsigned) { throw std::system_error(ENOSYS, std::generic_category(), "io_uring"); }
IoRing::~IoRing() = default;
void IoRing::read(int, std::byte*, uint32_t, uint64_t, uint64_t) noexcept {}
void IoRing::submit(unsigned) {}
bool IoRing::next(Done&) noexcept { return false; }

#endif

}  // namespace weft
