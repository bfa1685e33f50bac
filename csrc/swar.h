// Eight characters at a time in one 64-bit word.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "dispatch.h"

namespace weft::swar {

static_assert(std::endian::native == std::endian::little, "the first character must be the lowest byte");

inline constexpr uint64_t ones = 0x0101010101010101u;
inline constexpr uint64_t high = 0x8080808080808080u;

WEFT_INLINE uint64_t load(const char* p) {
    uint64_t word;
    std::memcpy(&word, p, sizeof word);
    return word;
}

// The high bit of every byte of `word` that is zero. Exact up to the first such byte, which is all one needs.
WEFT_INLINE uint64_t zeros(uint64_t word) { return (word - ones) & ~word & high; }

WEFT_INLINE uint64_t equal(uint64_t word, char c) {
    return zeros(word ^ (ones * static_cast<unsigned char>(c)));
}

WEFT_INLINE int first(uint64_t marks) { return std::countr_zero(marks) >> 3; }

// The number written by eight digit values, the first one in the lowest byte (Lemire, "Number parsing
// at a gigabyte per second", Software: Practice and Experience, 2021).
WEFT_INLINE uint64_t eight_digits(uint64_t w) {
    w = w * 10 + (w >> 8);
    return (((w & 0x000000FF000000FFu) * 0x000F424000000064u) +
            (((w >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u)) >> 32;
}

// Reads digits at p into value and returns how many; 0 when there are none or more than 18, which is for
// slower code to judge. Looks at up to 24 characters.
WEFT_INLINE int digits(const char* p, uint64_t& value) {
    static constexpr uint64_t power[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    const auto others = [](uint64_t w) { return (((w & ~high) + 0x76 * ones) | w) & high; };
    uint64_t word = load(p) ^ (0x30 * ones);
    uint64_t other = others(word);
    if (other) [[likely]] {
        const int n = first(other);
        if (n == 0) return 0;
        value = eight_digits(word << (64 - 8 * n));
        return n;
    }
    value = eight_digits(word);
    word = load(p + 8) ^ (0x30 * ones);
    other = others(word);
    int known = 8;
    if (!other) {
        value = value * 100000000 + eight_digits(word);
        word = load(p + 16) ^ (0x30 * ones);
        other = others(word);
        if (!other || first(other) > 2) return 0;
        known = 16;
    }
    const int n = first(other);
    if (n > 0) value = value * power[n] + eight_digits(word << (64 - 8 * n));
    return known + n;
}

}  // namespace weft::swar
