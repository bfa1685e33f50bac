// An array that grows without copying what the system can move, and without writing to what it gets.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace weft {

template <typename T>
class Growing {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    struct Free {
        void operator()(T* p) const noexcept { std::free(p); }
    };

    size_t size() const { return size_; }
    T& operator[](size_t i) { return data_.get()[i]; }
    const T& operator[](size_t i) const { return data_.get()[i]; }
    T* data() { return data_.get(); }
    std::span<const T> span() const { return {data_.get(), size_}; }

    // Room for `more` elements past the end; their place stands until the next call.
    T* room(size_t more) {
        if (size_ + more > capacity_) {
            const size_t wanted = std::max({size_ + more, capacity_ + capacity_ / 2, size_t{64}});
            T* const moved = static_cast<T*>(std::realloc(data_.get(), wanted * sizeof(T)));
            if (!moved) throw std::bad_alloc();
            static_cast<void>(data_.release());
            data_.reset(moved);
            capacity_ = wanted;
        }
        return data_.get() + size_;
    }

    // Keeps `more` elements that were written to room().
    void keep(size_t more) { size_ += more; }

    void push(T value) {
        *room(1) = value;
        ++size_;
    }

    // The elements, which belong to the caller from now on.
    std::unique_ptr<T[], Free> take() {
        std::unique_ptr<T[], Free> out(room(1) ? data_.release() : nullptr);
        size_ = capacity_ = 0;
        return out;
    }

private:
    std::unique_ptr<T[], Free> data_;
    size_t size_ = 0, capacity_ = 0;
};

}  // namespace weft
