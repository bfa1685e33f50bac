// Lines, fields and numbers of delimited text. The grammar is defined by kernels/parse/reference.py.
#pragma once

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "dispatch.h"

namespace weft::text {

// Values are known to kernels/parse/cpu.py.
enum class Why : uint32_t {
    ok = 0,
    few_fields = 1,  // detail: how many there are
    open_quote = 2,  // detail of this and the next: which field
    after_quote = 3,
    empty_id = 4,  // detail of this and the next three: 0 source, 1 target
    not_integer = 5,
    id_overflow = 6,
    not_utf8 = 7,
    not_number = 8,
    not_finite = 9,
    negative = 10,
};

struct Verdict {
    Why why = Why::ok;
    uint32_t detail = 0;
};

struct LineFormat {
    static constexpr uint32_t none = std::numeric_limits<uint32_t>::max();

    char delimiter = ',';  // 0: a run of spaces and tabs
    char quote = '"';      // 0: no quoting
    std::array<bool, 256> comment{};
    uint32_t src = 0, dst = 1, weight = none;

    uint32_t needed() const {
        const uint32_t ends = src > dst ? src : dst;
        return (weight != none && weight > ends ? weight : ends) + 1;
    }
    // What surrounds an unquoted field without belonging to it.
    bool pads(char c) const { return c == ' ' || (c == '\t' && delimiter != '\t'); }
    bool parts(char c) const { return delimiter == 0 ? c == ' ' || c == '\t' : c == delimiter; }
    bool comments(char c) const { return comment[static_cast<unsigned char>(c)]; }
};

// [begin, end) of the text, without quotes; `doubled` when it holds quotes written twice.
struct Field {
    const char* begin = nullptr;
    const char* end = nullptr;
    bool doubled = false;
};

struct Fields {
    Field src, dst, weight;
};

inline const char* find(const char* p, const char* end, char c) {
    return p == end ? nullptr : static_cast<const char*>(std::memchr(p, c, static_cast<size_t>(end - p)));
}

// p stands behind an opening quote; afterwards behind the closing one. False: it does not close.
inline bool quoted(const char*& p, const char* end, char quote, Field& field) {
    field.begin = p;
    for (;;) {
        p = find(p, end, quote);
        if (!p) return false;
        if (p + 1 == end || p[1] != quote) break;
        field.doubled = true;
        p += 2;
    }
    field.end = p++;
    return true;
}

inline void bare(const char*& p, const char* end, const LineFormat& format, Field& field) {
    field.begin = p;
    while (p < end && !format.parts(*p)) ++p;
    field.end = p;
    while (field.end > field.begin && format.pads(field.end[-1])) --field.end;
}

// Splits one line, its end excluded, and keeps the fields that are wanted.
inline Verdict split(const LineFormat& format, const char* p, const char* end, Fields& out) {
    const bool runs = format.delimiter == 0;
    const uint32_t needed = format.needed();
    uint32_t count = 0;
    const char* quote = p;  // where the next one is, once looked for: a search for every field would be quadratic
    for (;;) {
        while (p < end && format.pads(*p)) ++p;
        if (runs && p == end) break;
        Field field;
        if (format.quote != 0 && p < end && *p == format.quote) {
            if (!quoted(++p, end, format.quote, field)) return {Why::open_quote, count};
            while (!runs && p < end && format.pads(*p)) ++p;
            if (p < end && !format.parts(*p)) return {Why::after_quote, count};
        } else {
            bare(p, end, format, field);
        }
        if (count == format.src) out.src = field;
        if (count == format.dst) out.dst = field;
        if (count == format.weight) out.weight = field;
        ++count;
        if (p == end) break;
        ++p;
        // Fields nobody asked for are looked at only for quotes that do not close.
        if (count < needed) continue;
        if (format.quote != 0 && quote && quote < p) quote = find(p, end, format.quote);
        if (format.quote == 0 || !quote) break;
    }
    if (count < needed) return {Why::few_fields, count};
    return {};
}

inline Why integer(const Field& field, int64_t& value) {
    if (field.begin == field.end) return Why::empty_id;
    const auto [stop, error] = std::from_chars(field.begin, field.end, value);
    if (error == std::errc::invalid_argument || stop != field.end) return Why::not_integer;
    return error == std::errc::result_out_of_range ? Why::id_overflow : Why::ok;
}

inline Why judge(float& value) {
    if (!std::isfinite(value)) return Why::not_finite;
    if (value < 0) return Why::negative;
    value += 0.0f;  // -0 becomes 0
    return Why::ok;
}

inline Why number(const Field& field, float& value) {
    const char* begin = field.begin;
    if (field.end - begin > 1 && *begin == '+' && begin[1] != '-') ++begin;
    const auto [stop, error] = std::from_chars(begin, field.end, value);
    if (error == std::errc::invalid_argument || stop != field.end) return Why::not_number;
    if (error == std::errc::result_out_of_range) {
        // Too large and too small for float32 are one error code; a double tells them apart, or is itself
        // out of range, and then the sign of the exponent does.
        double wide = 0;
        if (std::from_chars(begin, field.end, wide).ec == std::errc::result_out_of_range) {
            const char* e = begin;
            while (e != field.end && *e != 'e' && *e != 'E') ++e;
            const bool tiny = e == field.end ? *begin == '0' || *begin == '.' || *begin == '-' : e[1] == '-';
            wide = tiny ? 0 : std::numeric_limits<double>::infinity();
        }
        value = static_cast<float>(wide);
    }
    return judge(value);
}

// Well-formed UTF-8 as in the Unicode standard, table 3-7: no overlong forms, no surrogates.
inline bool utf8(const char* from, const char* to) {
    const auto* p = reinterpret_cast<const unsigned char*>(from);
    const auto* end = reinterpret_cast<const unsigned char*>(to);
    while (p < end) {
        const unsigned char lead = *p++;
        if (lead < 0x80) continue;
        if (lead < 0xC2 || lead > 0xF4) return false;
        const int more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        if (end - p < more) return false;
        const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (*p < low || *p > high) return false;
        for (int i = 1; i < more; ++i)
            if ((p[i] & 0xC0) != 0x80) return false;
        p += more;
    }
    return true;
}

}  // namespace weft::text
