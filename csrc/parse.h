// Edge lists from text: whole lines in, columns out, in file order for any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "text.h"

namespace weft {

struct BadLine {
    uint64_t offset;  // of the line's first byte in the text
    uint64_t line;    // its number in the text, from 0
    text::Verdict verdict;
};

struct Parsed {
    size_t rows = 0;
    size_t bad = 0;  // lines that could not be read; without skipping, at most 1
    bool overflow = false;  // one of them holds an integer that int64 does not
    std::vector<BadLine> first;
};

// What to do about lines that cannot be read: skip and describe the first `keep`, or stop at the first.
struct OnBad {
    bool skip = false;
    size_t keep = 1;
};

// How many rows the outputs of a parse must have room for: the lines of `text`.
size_t count_lines(std::span<const char> text);

struct IntEdges {
    std::span<int64_t> src, dst;
    std::span<float> weight;  // empty when format.weight is none
};

// Strings of row i: bytes[offsets[i], offsets[i + 1]). Bytes need room for as much as the text has.
struct StringColumn {
    std::span<char> bytes;
    std::span<int64_t> offsets;
};

struct StringEdges {
    StringColumn src, dst;
    std::span<float> weight;
};

Parsed parse(std::span<const char> text, const text::LineFormat& format, OnBad on_bad, IntEdges out);
Parsed parse(std::span<const char> text, const text::LineFormat& format, OnBad on_bad, StringEdges out);

}  // namespace weft
