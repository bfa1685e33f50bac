#include "parse.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "pool.h"
#include "swar.h"

namespace weft {
namespace {

using text::Field;
using text::Fields;
using text::LineFormat;
using text::Verdict;
using text::Why;

constexpr size_t grain = size_t{1} << 18;

WEFT_CLONES size_t newlines(const char* p, size_t size) {
    // Bytes are summed in short runs so that the compiler keeps the sums in 8-bit lanes.
    size_t total = 0;
    while (size > 0) {
        const size_t run = std::min<size_t>(size, 192);
        uint8_t sum = 0;
        for (size_t i = 0; i < run; ++i) sum = static_cast<uint8_t>(sum + (p[i] == '\n'));
        total += sum;
        p += run;
        size -= run;
    }
    return total;
}

// One stretch of whole lines: where it is, where its results go before they are moved together, what came of it.
struct Range {
    size_t begin = 0, end = 0;
    size_t line = 0;       // number of its first line, and of the row its first row is written to
    size_t lines = 0, rows = 0;
    size_t src_bytes = 0, dst_bytes = 0;
    Parsed result = {};
};

bool two_first_columns(const LineFormat& f) {
    return f.src <= 1 && f.dst <= 1 && f.src != f.dst && (f.weight == LineFormat::none || f.weight == 2);
}

// Where the rest of a line ends: at its newline; nullptr when a quote or the end of the text comes first.
const char* skip_rest(const char* p, const char* end, char quote) {
    const char either = quote != 0 ? quote : '\n';
    for (; end - p >= 8; p += 8) {
        const uint64_t word = swar::load(p);
        const uint64_t marks = swar::equal(word, '\n') | swar::equal(word, either);
        if (marks) {
            p += swar::first(marks);
            return *p == '\n' ? p : nullptr;
        }
    }
    return nullptr;
}

// What follows the two ids of a line of the commonest form: [delimiter weight] [delimiter anything] newline.
// Gives the start of the next line; nullptr when it is not that.
const char* finish(const char* p, const char* end, const LineFormat& format, float* weight) {
    if (weight) {
        if (p == end || !format.parts(*p)) return nullptr;
        const auto [stop, error] = std::from_chars(p + 1, end, *weight);
        if (error != std::errc{} || text::judge(*weight) != Why::ok) return nullptr;
        p = stop;
    }
    if (end - p < 2) return nullptr;
    if (*p == '\r' && p[1] == '\n') ++p;
    if (*p != '\n') {
        if (!format.parts(*p)) return nullptr;
        p = skip_rest(p + 1, end, format.quote);
        if (!p) return nullptr;
    }
    return p + 1;
}

// A sink writes rows. fast() reads a whole line of the commonest form in one pass and returns the start of the
// next; nullptr leaves the line to split() and store(), which judge it.
class IntSink {
public:
    IntSink(const LineFormat& format, const IntEdges& out)
        : format_(format), out_(out), usual_(two_first_columns(format)) {}

    void open(const Range&) {}
    void close(Range&) const {}

    const char* fast(const char* p, const char* end, size_t row) const {
        if (!usual_ || end - p < 64) return nullptr;
        uint64_t a = 0, b = 0;
        int n = swar::digits(p, a);
        if (n == 0 || !format_.parts(p[n])) return nullptr;
        p += n + 1;
        if (format_.delimiter == 0)
            while (end - p > 40 && format_.pads(*p)) ++p;
        n = swar::digits(p, b);
        if (n == 0) return nullptr;
        out_.src[row] = static_cast<int64_t>(format_.src == 0 ? a : b);
        out_.dst[row] = static_cast<int64_t>(format_.src == 0 ? b : a);
        return finish(p + n, end, format_, out_.weight.empty() ? nullptr : &out_.weight[row]);
    }

    Verdict store(const Fields& fields, size_t row) const {
        if (const Why why = text::integer(fields.src, out_.src[row]); why != Why::ok) return {why, 0};
        if (const Why why = text::integer(fields.dst, out_.dst[row]); why != Why::ok) return {why, 1};
        if (out_.weight.empty()) return {};
        return {text::number(fields.weight, out_.weight[row]), 0};
    }

    void move(const Range& range, size_t to) const {
        const auto rows = [&](auto column) {
            const auto* from = column.data() + range.line;
            if (!column.empty()) std::copy(from, from + range.rows, column.data() + to);
        };
        if (range.line == to) return;
        rows(out_.src);
        rows(out_.dst);
        rows(out_.weight);
    }

private:
    const LineFormat& format_;
    IntEdges out_;
    bool usual_;
};

class StringSink {
public:
    StringSink(const LineFormat& format, const StringEdges& out)
        : format_(format), out_(out), usual_(two_first_columns(format)) {
        out_.src.offsets[0] = out_.dst.offsets[0] = 0;
    }

    void open(const Range& range) { src_at_ = dst_at_ = range.begin; }
    void close(Range& range) const {
        range.src_bytes = src_at_ - range.begin;
        range.dst_bytes = dst_at_ - range.begin;
    }

    const char* fast(const char* p, const char* end, size_t row) {
        if (!usual_ || format_.comments(*p)) return nullptr;
        const char* const a = p;
        p = plain(p, end);
        if (!p || *p == '\n' || format_.pads(p[-1])) return nullptr;
        const size_t na = static_cast<size_t>(p - a);
        ++p;
        if (format_.delimiter == 0)
            while (p < end && format_.pads(*p)) ++p;
        const char* const b = p;
        p = plain(p, end);
        if (!p) return nullptr;
        if (*p == '\n' && p[-1] == '\r') --p;
        if (p == b || format_.pads(p[-1])) return nullptr;
        const size_t nb = static_cast<size_t>(p - b);
        p = finish(p, end, format_, out_.weight.empty() ? nullptr : &out_.weight[row]);
        if (!p) return nullptr;
        const bool straight = format_.src == 0;
        append(out_.src, src_at_, straight ? a : b, straight ? na : nb, row);
        append(out_.dst, dst_at_, straight ? b : a, straight ? nb : na, row);
        return p;
    }

    Verdict store(const Fields& fields, size_t row) {
        if (const Why why = judge(fields.src); why != Why::ok) return {why, 0};
        if (const Why why = judge(fields.dst); why != Why::ok) return {why, 1};
        if (!out_.weight.empty()) {
            const Why why = text::number(fields.weight, out_.weight[row]);
            if (why != Why::ok) return {why, 0};
        }
        append(out_.src, src_at_, fields.src, row);
        append(out_.dst, dst_at_, fields.dst, row);
        return {};
    }

    void move(const Range& range, size_t to) const {
        move(out_.src, range, range.src_bytes, to);
        move(out_.dst, range, range.dst_bytes, to);
        if (out_.weight.empty() || range.line == to) return;
        const auto* from = out_.weight.data() + range.line;
        std::copy(from, from + range.rows, out_.weight.data() + to);
    }

private:
    // The end of an unquoted ASCII field that begins at p; nullptr when it is empty or anything else.
    const char* plain(const char* p, const char* end) const {
        if (p == end || format_.pads(*p) || (format_.quote != 0 && *p == format_.quote)) return nullptr;
        const char* const begin = p;
        const char one = format_.delimiter == 0 ? ' ' : format_.delimiter;
        const char other = format_.delimiter == 0 ? '\t' : '\n';
        for (; end - p >= 8; p += 8) {
            const uint64_t word = swar::load(p);
            const uint64_t marks =
                swar::equal(word, one) | swar::equal(word, other) | swar::equal(word, '\n') | (word & swar::high);
            if (marks) {
                p += swar::first(marks);
                return p == begin || (*p & 0x80) ? nullptr : p;
            }
        }
        return nullptr;
    }

    static Why judge(const Field& field) {
        if (field.begin == field.end) return Why::empty_id;
        return text::utf8(field.begin, field.end) ? Why::ok : Why::not_utf8;
    }

    static void append(const StringColumn& column, size_t& at, const char* from, size_t size, size_t row) {
        std::memcpy(column.bytes.data() + at, from, size);
        at += size;
        column.offsets[row + 1] = static_cast<int64_t>(at);
    }

    void append(const StringColumn& column, size_t& at, const Field& field, size_t row) const {
        if (!field.doubled) return append(column, at, field.begin, static_cast<size_t>(field.end - field.begin), row);
        for (const char* p = field.begin; p != field.end; ++p) {
            column.bytes[at++] = *p;
            if (*p == format_.quote) ++p;
        }
        column.offsets[row + 1] = static_cast<int64_t>(at);
    }

    static void move(const StringColumn& column, const Range& range, size_t size, size_t to) {
        const int64_t base = column.offsets[to];
        std::memmove(column.bytes.data() + base, column.bytes.data() + range.begin, size);
        const int64_t down = static_cast<int64_t>(range.begin) - base;
        const int64_t* from = column.offsets.data() + range.line + 1;
        int64_t* out = column.offsets.data() + to + 1;
        for (size_t i = 0; i < range.rows; ++i) out[i] = from[i] - down;
    }

    const LineFormat& format_;
    StringEdges out_;
    bool usual_;
    size_t src_at_ = 0, dst_at_ = 0;
};

// Blank or a comment: a line that holds no edge and is no mistake.
bool idle(const LineFormat& format, const char* p, const char* end) {
    while (p < end && (*p == ' ' || *p == '\t')) ++p;
    return p == end || format.comments(*p);
}

template <class Sink>
void read_range(std::span<const char> text, const LineFormat& format, OnBad on_bad, Sink sink, Range& range) {
    const char* p = text.data() + range.begin;
    const char* const end = text.data() + range.end;
    const char* counted = p;
    uint64_t line = range.line;
    sink.open(range);
    while (p < end) {
        const size_t row = range.line + range.rows;
        if (const char* next = sink.fast(p, end, row)) {
            ++range.rows;
            p = next;
            continue;
        }
        const char* newline = text::find(p, end, '\n');
        const char* stop = newline ? newline : end;
        const char* next = newline ? newline + 1 : end;
        if (stop > p && stop[-1] == '\r') --stop;
        if (!idle(format, p, stop)) {
            Fields fields;
            Verdict verdict = text::split(format, p, stop, fields);
            if (verdict.why == Why::ok) verdict = sink.store(fields, row);
            if (verdict.why == Why::ok) {
                ++range.rows;
            } else {
                ++range.result.bad;
                range.result.overflow |= verdict.why == Why::id_overflow;
                if (range.result.first.size() < on_bad.keep) {
                    line += newlines(counted, static_cast<size_t>(p - counted));
                    counted = p;
                    range.result.first.push_back({static_cast<uint64_t>(p - text.data()), line, verdict});
                }
                if (!on_bad.skip) break;
            }
        }
        p = next;
    }
    sink.close(range);
}

// Ranges end at newlines; the last one may end without.
std::vector<Range> cut(std::span<const char> text) {
    const size_t threads = static_cast<size_t>(num_threads());
    const size_t parts = std::clamp<size_t>(text.size() / grain, 1, threads == 1 ? 1 : threads * 4);
    std::vector<Range> ranges;
    size_t begin = 0;
    for (size_t i = 1; i <= parts && begin < text.size(); ++i) {
        size_t end = std::max(begin, text.size() * i / parts);
        const char* newline = text::find(text.data() + end, text.data() + text.size(), '\n');
        end = i < parts && newline ? static_cast<size_t>(newline - text.data()) + 1 : text.size();
        ranges.push_back({.begin = begin, .end = end});
        begin = end;
    }
    return ranges;
}

std::vector<Range> numbered(std::span<const char> text) {
    std::vector<Range> ranges = cut(text);
    parallel_for(ranges.size(), [&](size_t i) {
        ranges[i].lines = newlines(text.data() + ranges[i].begin, ranges[i].end - ranges[i].begin);
    });
    if (!text.empty() && text.back() != '\n') ++ranges.back().lines;
    size_t line = 0;
    for (Range& range : ranges) {
        range.line = line;
        line += range.lines;
    }
    return ranges;
}

template <class Sink>
Parsed parse_into(std::span<const char> text, const LineFormat& format, OnBad on_bad, Sink sink, size_t room) {
    std::vector<Range> ranges = numbered(text);
    const size_t lines = ranges.empty() ? 0 : ranges.back().line + ranges.back().lines;
    if (room < lines)
        throw std::invalid_argument("parse: the outputs hold " + std::to_string(room) + " rows, the text has " +
                                    std::to_string(lines) + " lines; give them count_lines(text) rows");
    parallel_for(ranges.size(), [&](size_t i) { read_range(text, format, on_bad, sink, ranges[i]); });
    Parsed total;
    for (const Range& range : ranges) {
        sink.move(range, total.rows);
        total.rows += range.rows;
        total.bad += range.result.bad;
        total.overflow |= range.result.overflow;
        const size_t free = on_bad.keep - std::min(on_bad.keep, total.first.size());
        const auto& first = range.result.first;
        total.first.insert(total.first.end(), first.begin(), first.begin() + std::min(free, first.size()));
        if (total.bad > 0 && !on_bad.skip) break;
    }
    return total;
}

void check(const LineFormat& format, size_t src, size_t dst, size_t weight) {
    if (src != dst || (format.weight == LineFormat::none ? weight != 0 : weight != src))
        throw std::invalid_argument("parse: src, dst and weight (empty when unweighted) must have one length");
}

}  // namespace

size_t count_lines(std::span<const char> text) {
    const std::vector<Range> ranges = numbered(text);
    return ranges.empty() ? 0 : ranges.back().line + ranges.back().lines;
}

Parsed parse(std::span<const char> text, const LineFormat& format, OnBad on_bad, IntEdges out) {
    check(format, out.src.size(), out.dst.size(), out.weight.size());
    return parse_into(text, format, on_bad, IntSink(format, out), out.src.size());
}

Parsed parse(std::span<const char> text, const LineFormat& format, OnBad on_bad, StringEdges out) {
    if (out.src.offsets.empty() || out.dst.offsets.empty())
        throw std::invalid_argument("parse: offsets must hold one value more than there are rows");
    const size_t room = out.src.offsets.size() - 1;
    check(format, room, out.dst.offsets.size() - 1, out.weight.size());
    if (out.src.bytes.size() < text.size() || out.dst.bytes.size() < text.size())
        throw std::invalid_argument("parse: src and dst need room for as many bytes as the text has");
    return parse_into(text, format, on_bad, StringSink(format, out), room);
}

}  // namespace weft
