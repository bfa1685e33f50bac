#include "codec.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

#include "dispatch.h"
#include "pool.h"
#include "rows_ahead.h"

namespace weft {
namespace {

constexpr size_t grain = 1 << 16;  // bytes of float32 a task takes at least
constexpr uint32_t infinite = 0x7f800000;

template <typename T>
WEFT_INLINE T load(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

WEFT_INLINE float from_half(uint32_t half) {
    uint32_t bits = (half & 0x7fff) << 13;
    const uint32_t exponent = bits & (0x7c00u << 13);
    bits += (127 - 15) << 23;
    bits += exponent == (0x7c00u << 13) ? (128 - 16) << 23 : 0;
    // A subnormal half is m * 2^-24: put into the mantissa of 2^-14, which is then taken away.
    const float tiny = std::bit_cast<float>(bits + (1 << 23)) - std::bit_cast<float>(113u << 23);
    bits = exponent == 0 ? std::bit_cast<uint32_t>(tiny) : bits;
    return std::bit_cast<float>(bits | (half & 0x8000) << 16);
}

// Nearest, ties to even; what would round to infinity is found before.
WEFT_INLINE uint16_t to_half(float value) {
    const auto given = std::bit_cast<uint32_t>(value);
    const uint32_t bits = given & 0x7fffffff;
    // Adding 0.5 leaves m of a subnormal half in the last bits, rounded by the addition.
    const float shifted = std::bit_cast<float>(bits) + 0.5f;
    const uint32_t tiny = std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5f);
    const uint32_t normal = (bits - ((127u - 15) << 23) + 0xfff + (bits >> 13 & 1)) >> 13;
    const uint32_t special = bits > infinite ? 0x7e00 | (bits >> 13 & 0x3ff) : 0x7c00;
    uint32_t half = bits < (113u << 23) ? tiny : normal;
    half = bits >= infinite ? special : half;
    return static_cast<uint16_t>(half | (given >> 16 & 0x8000));
}

WEFT_INLINE uint16_t to_bfloat(float value) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    const uint32_t kept = bits >> 16 | 0x40;  // a NaN stays one though its last bits go
    return static_cast<uint16_t>((bits & 0x7fffffff) > infinite ? kept : rounded);
}

struct Half {
    static WEFT_INLINE void row(const std::byte* in, size_t columns, float* out) {
        for (size_t i = 0; i < columns; ++i) out[i] = from_half(load<uint16_t>(in + 2 * i));
    }
};

struct Bfloat {
    static WEFT_INLINE void row(const std::byte* in, size_t columns, float* out) {
        for (size_t i = 0; i < columns; ++i)
            out[i] = std::bit_cast<float>(static_cast<uint32_t>(load<uint16_t>(in + 2 * i)) << 16);
    }
};

struct Int8 {
    static WEFT_INLINE void row(const std::byte* in, size_t columns, float* out) {
        const auto scale = load<float>(in + columns);
        for (size_t i = 0; i < columns; ++i) out[i] = static_cast<float>(static_cast<int8_t>(in[i])) * scale;
    }
};

WEFT_CLONES void decode_half(const std::byte* in, size_t count, float* out) { Half::row(in, count, out); }

WEFT_CLONES void decode_bfloat(const std::byte* in, size_t count, float* out) { Bfloat::row(in, count, out); }

WEFT_CLONES void decode_int8(const std::byte* in, size_t rows, size_t columns, float* out) {
    for (size_t row = 0; row < rows; ++row) Int8::row(in + row * (columns + sizeof(float)), columns, out + row * columns);
}

template <typename Coded, typename Id>
WEFT_INLINE bool gather_range(const std::byte* table, uint64_t rows, size_t width, size_t columns, const Id* ids,
                              size_t count, float* out) {
    if (!rows_are_there(ids, count, rows)) return false;
    const size_t ahead = rows_ahead(width);
    for (size_t i = 0; i < std::min(ahead, count); ++i) ask(table + static_cast<size_t>(ids[i]) * width, width);
    for (size_t i = 0; i < count; ++i) {
        if (i + ahead < count) ask(table + static_cast<size_t>(ids[i + ahead]) * width, width);
        Coded::row(table + static_cast<size_t>(ids[i]) * width, columns, out + i * columns);
    }
    return true;
}

// Clones cannot be templates.
#define WEFT_GATHER(NAME, CODED, ID)                                                                              \
    WEFT_CLONES bool NAME(const std::byte* table, uint64_t rows, size_t width, size_t columns, const ID* ids,     \
                          size_t count, float* out) {                                                             \
        return gather_range<CODED>(table, rows, width, columns, ids, count, out);                                 \
    }
WEFT_GATHER(gather_half, Half, uint32_t)
WEFT_GATHER(gather_half, Half, int64_t)
WEFT_GATHER(gather_bfloat, Bfloat, uint32_t)
WEFT_GATHER(gather_bfloat, Bfloat, int64_t)
WEFT_GATHER(gather_int8, Int8, uint32_t)
WEFT_GATHER(gather_int8, Int8, int64_t)
#undef WEFT_GATHER

// The largest magnitude as bits, which order as magnitudes do, infinity and NaN above all.
WEFT_INLINE uint32_t largest(const float* in, size_t count) {
    uint32_t most = 0;
    for (size_t i = 0; i < count; ++i) most = std::max(most, std::bit_cast<uint32_t>(in[i]) & 0x7fffffff);
    return most;
}

// Whether all fit; `past` is the least magnitude as bits that rounds to infinity. Infinity itself and NaN are kept.
WEFT_INLINE bool all_fit(const float* in, size_t count, uint32_t past) {
    uint32_t wrong = 0;
    for (size_t i = 0; i < count; ++i) {
        const uint32_t bits = std::bit_cast<uint32_t>(in[i]) & 0x7fffffff;
        wrong |= static_cast<uint32_t>(bits >= past) & static_cast<uint32_t>(bits < infinite);
    }
    return wrong == 0;
}

constexpr uint32_t past_half = 0x477ff000;    // 65520
constexpr uint32_t past_bfloat = 0x7f7f8000;  // halfway between the largest bfloat16 and 2^128

WEFT_CLONES bool encode_half(const float* in, size_t count, std::byte* out) {
    for (size_t i = 0; i < count; ++i) {
        const uint16_t half = to_half(in[i]);
        std::memcpy(out + 2 * i, &half, sizeof half);
    }
    return all_fit(in, count, past_half);
}

WEFT_CLONES bool encode_bfloat(const float* in, size_t count, std::byte* out) {
    for (size_t i = 0; i < count; ++i) {
        const uint16_t top = to_bfloat(in[i]);
        std::memcpy(out + 2 * i, &top, sizeof top);
    }
    return all_fit(in, count, past_bfloat);
}

WEFT_CLONES bool encode_int8(const float* in, size_t rows, size_t columns, std::byte* out) {
    constexpr float shift = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number, ties to even
    for (size_t row = 0; row < rows; ++row, in += columns, out += columns + sizeof(float)) {
        const uint32_t most = largest(in, columns);
        if (most >= infinite) return false;
        const float scale = std::bit_cast<float>(most) / 127.0f;
        const float divisor = scale > 0 ? scale : 1.0f;  // a row that rounds to zero as a whole
        for (size_t i = 0; i < columns; ++i) {
            const float whole = in[i] / divisor + shift - shift;
            out[i] = static_cast<std::byte>(static_cast<int8_t>(static_cast<int>(std::clamp(whole, -127.0f, 127.0f))));
        }
        std::memcpy(out + columns, &scale, sizeof scale);
    }
    return true;
}

bool fits(Codec codec, float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value) & 0x7fffffff;
    if (codec == Codec::int8) return bits < infinite;
    return bits < (codec == Codec::float16 ? past_half : past_bfloat) || bits >= infinite;
}

void check(const char* what, size_t numbers, size_t columns, size_t bytes, size_t width) {
    if (columns == 0 || numbers % columns != 0 || numbers / columns * width != bytes)
        throw std::invalid_argument(std::string(what) + ": " + std::to_string(bytes) + " bytes are not rows of " +
                                    std::to_string(columns) + " columns for " + std::to_string(numbers) + " numbers");
}

}  // namespace

size_t row_bytes(Codec codec, size_t columns) {
    return codec == Codec::int8 ? columns + sizeof(float) : 2 * columns;
}

void decode_rows(Codec codec, std::span<const std::byte> rows, size_t columns, std::span<float> out) {
    const size_t width = row_bytes(codec, columns);
    check("decode", out.size(), columns, rows.size(), width);
    parallel_ranges(out.size() / columns, std::max<size_t>(1, grain / (4 * columns)), [&](size_t begin, size_t end) {
        const std::byte* from = rows.data() + begin * width;
        float* to = out.data() + begin * columns;
        switch (codec) {
            case Codec::float16: decode_half(from, (end - begin) * columns, to); break;
            case Codec::bfloat16: decode_bfloat(from, (end - begin) * columns, to); break;
            case Codec::int8: decode_int8(from, end - begin, columns, to); break;
        }
    });
}

template <typename Id>
void gather_decoded(Codec codec, std::span<const std::byte> table, size_t columns, std::span<const Id> ids,
                    std::span<float> out) {
    const size_t width = row_bytes(codec, columns);
    if (columns == 0 || table.size() % width != 0 || out.size() != ids.size() * columns)
        throw std::invalid_argument("gather: " + std::to_string(table.size()) + " bytes are not rows of " +
                                    std::to_string(columns) + " columns, or " + std::to_string(ids.size()) +
                                    " ids not those of " + std::to_string(out.size()) + " numbers");
    const uint64_t rows = table.size() / width;
    parallel_ranges(ids.size(), std::max<size_t>(1, grain / (4 * columns)), [&](size_t begin, size_t end) {
        const Id* some = ids.data() + begin;
        float* to = out.data() + begin * columns;
        const size_t count = end - begin;
        const bool good = codec == Codec::float16    ? gather_half(table.data(), rows, width, columns, some, count, to)
                          : codec == Codec::bfloat16 ? gather_bfloat(table.data(), rows, width, columns, some, count, to)
                                                     : gather_int8(table.data(), rows, width, columns, some, count, to);
        if (!good) {
            const auto wrong = std::find_if(ids.begin(), ids.end(), [&](Id id) { return static_cast<uint64_t>(id) >= rows; });
            throw std::invalid_argument("gather: id " + std::to_string(wrong - ids.begin()) + " is row " +
                                        std::to_string(*wrong) + " of " + std::to_string(rows));
        }
    });
}

template void gather_decoded(Codec, std::span<const std::byte>, size_t, std::span<const uint32_t>, std::span<float>);
template void gather_decoded(Codec, std::span<const std::byte>, size_t, std::span<const int64_t>, std::span<float>);

int64_t encode_rows(Codec codec, std::span<const float> rows, size_t columns, std::span<std::byte> out) {
    const size_t width = row_bytes(codec, columns);
    check("encode", rows.size(), columns, out.size(), width);
    std::atomic<int64_t> first{std::numeric_limits<int64_t>::max()};
    parallel_ranges(rows.size() / columns, std::max<size_t>(1, grain / (4 * columns)), [&](size_t begin, size_t end) {
        const float* from = rows.data() + begin * columns;
        std::byte* to = out.data() + begin * width;
        const size_t count = (end - begin) * columns;
        const bool good = codec == Codec::float16    ? encode_half(from, count, to)
                          : codec == Codec::bfloat16 ? encode_bfloat(from, count, to)
                                                     : encode_int8(from, end - begin, columns, to);
        if (good) return;
        const auto wrong = std::find_if(from, from + count, [&](float value) { return !fits(codec, value); });
        const auto at = static_cast<int64_t>(wrong - rows.data());
        int64_t seen = first.load();
        while (at < seen && !first.compare_exchange_weak(seen, at)) {
        }
    });
    const int64_t found = first.load();
    return found == std::numeric_limits<int64_t>::max() ? -1 : found;
}

}  // namespace weft
