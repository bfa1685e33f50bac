// Reads that are under way together: io_uring by its system calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace weft {

class IoRing {
public:
    struct Done {
        uint64_t tag;
        int result;  // bytes read, or a negative errno
    };

    // Whether the system lets us; containers often forbid it.
    static bool available() noexcept;

    // At most `depth` reads are under way at a time. Throws std::system_error if the system refuses.
    explicit IoRing(unsigned depth);
    ~IoRing();
    IoRing(const IoRing&) = delete;
    IoRing& operator=(const IoRing&) = delete;

    // Queues a read; the caller sees to it that no more than `depth` are under way.
    void read(int fd, std::byte* to, uint32_t size, uint64_t offset, uint64_t tag) noexcept;

    // Hands queued reads to the system and waits until `least` of those under way have ended.
    void submit(unsigned least);

    // The next read that has ended; false when none has.
    bool next(Done& done) noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace weft
