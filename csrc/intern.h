// Strings to dense numbers, in order of first appearance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

namespace weft {

// String i is bytes[offsets[i], offsets[i + 1]).
struct StringsView {
    std::span<const char> bytes;
    std::span<const int64_t> offsets;

    size_t size() const { return offsets.empty() ? 0 : offsets.size() - 1; }
};

// 64 bits of a string; equal on every machine and in every version.
uint64_t hash_bytes(std::string_view text);

// The bytes of all strings end to end, in blocks that never move.
class Arena {
public:
    void append(std::string_view text);
    bool equals(size_t at, std::string_view text) const;
    size_t size() const { return size_; }
    void cut(size_t size) { size_ = size; }  // size: at most what it is
    void copy(size_t begin, size_t end, char* to) const;
    const char* address(size_t at) const { return blocks_[at >> block_bits].get() + (at & (block - 1)); }

private:
    static constexpr int block_bits = 22;
    static constexpr size_t block = size_t{1} << block_bits;

    std::vector<std::unique_ptr<char[]>> blocks_;
    size_t size_ = 0;
};

// Calls take turns; a batch is looked up on all threads.
class Interner {
public:
    static constexpr uint32_t unknown = 0xFFFFFFFFu;

    Interner();

    // out[c][i] = the number of string i of column c. New strings are numbered row by row, and in the order of
    // the columns within a row. Throws std::out_of_range on damaged offsets, std::length_error when there would
    // be more than 2^32 - 1 strings; numbers given before stay.
    void add(std::span<const StringsView> columns, std::span<const std::span<uint32_t>> out);

    // out[i] = the number of string i, `unknown` when it has none.
    void find(const StringsView& strings, std::span<uint32_t> out) const;

    size_t size() const;
    size_t bytes() const;
    // All strings: `offsets` has size() + 1 values, `to` room for bytes().
    void names(std::span<char> to, std::span<int64_t> offsets) const;

private:
    struct Slot {
        uint32_t tag = 0;
        uint32_t number = unknown;
    };

    uint32_t seek(uint64_t hash, std::string_view text) const;
    uint32_t insert(uint64_t hash, std::string_view text);
    void grow();
    void look_up(const StringsView& strings, size_t begin, size_t end, uint32_t* out, uint64_t* hashes) const;

    mutable std::mutex mutex_;
    Arena arena_;
    std::vector<int64_t> offsets_{0};
    std::vector<Slot> slots_;
    size_t mask_;
};

}  // namespace weft
