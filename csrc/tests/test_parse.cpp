#include "parse.h"

#include <stdexcept>
#include <string>

#include "check.h"
#include "pool.h"

namespace {

using weft::text::LineFormat;
using weft::text::Why;

struct Ints {
    std::vector<int64_t> src, dst;
    std::vector<float> weight;
    weft::Parsed parsed;
};

// The text is copied to a buffer of just its size, so that a read past the end is seen.
Ints ints(const std::string& text, const LineFormat& format, weft::OnBad on_bad = {}) {
    const std::vector<char> exact(text.begin(), text.end());
    const size_t lines = weft::count_lines(exact);
    Ints out{std::vector<int64_t>(lines), std::vector<int64_t>(lines), {}, {}};
    if (format.weight != LineFormat::none) out.weight.resize(lines);
    out.parsed = weft::parse(exact, format, on_bad, weft::IntEdges{out.src, out.dst, out.weight});
    return out;
}

size_t strings(const std::string& text, const LineFormat& format) {
    const std::vector<char> exact(text.begin(), text.end());
    const size_t lines = weft::count_lines(exact);
    std::vector<char> a(exact.size()), b(exact.size());
    std::vector<int64_t> ao(lines + 1), bo(lines + 1);
    std::vector<float> weight(format.weight == LineFormat::none ? 0 : lines);
    return weft::parse(exact, format, {.skip = true, .keep = 3}, weft::StringEdges{{a, ao}, {b, bo}, weight}).rows;
}

LineFormat csv() {
    LineFormat format;
    format.comment['#'] = true;
    return format;
}

void every_cut_of_a_text() {
    // Every prefix is read: no length of what is left may lead past the end.
    const std::string text =
        "1,2\n\"3\",4,x\r\n# c\n123456789012,1234567890123456789\n 5 , 6 \nname one,\"a \"\"b\"\"\",0.25\n"
        "7,8,9,\"10\"\n\n\xC3\xA9,\xE4\xB8\xAD\n11,12,13.5e2,14,15,16,17,18,19,20,21,22,23,24,25\n1,2\n3,4\n";
    for (const char delimiter : {',', '\t', '\0'}) {
        for (const bool weighted : {false, true}) {
            LineFormat format = csv();
            format.delimiter = delimiter;
            if (weighted) format.weight = 2;
            for (size_t n = 0; n <= text.size(); ++n) {
                ints(text.substr(0, n), format, {.skip = true, .keep = 2});
                ints(text.substr(n), format);
                strings(text.substr(0, n), format);
                strings(text.substr(n), format);
            }
        }
    }
}

void threads_change_nothing() {
    std::string text;
    for (int i = 0; i < 200'000; ++i)
        text += i % 1000 == 999 ? "broken\n" : i % 7 == 3 ? "\n" : std::to_string(i) + "," + std::to_string(i * 31) + "\n";
    weft::set_num_threads(1);
    const Ints alone = ints(text, csv(), {.skip = true, .keep = 5});
    CHECK(alone.parsed.bad == 200);
    CHECK(alone.parsed.first[4].line == 4999);
    for (const int threads : {2, 4}) {
        weft::set_num_threads(threads);
        const Ints together = ints(text, csv(), {.skip = true, .keep = 5});
        CHECK(together.parsed.rows == alone.parsed.rows);
        CHECK(std::equal(alone.src.begin(), alone.src.begin() + static_cast<long>(alone.parsed.rows), together.src.begin()));
        for (size_t i = 0; i < 5; ++i) {
            CHECK(together.parsed.first[i].line == alone.parsed.first[i].line);
            CHECK(together.parsed.first[i].offset == alone.parsed.first[i].offset);
        }
        const Ints stopped = ints(text, csv());
        CHECK(stopped.parsed.bad == 1 && stopped.parsed.first[0].line == 999);
        CHECK(stopped.parsed.first[0].verdict.why == Why::few_fields);
    }
}

void outputs_too_small() {
    const std::string text = "1,2\n3,4\n";
    std::vector<int64_t> one(1), two(2);
    std::vector<float> none;
    CHECK_THROWS(std::invalid_argument, weft::parse(text, csv(), {}, weft::IntEdges{one, one, none}));
    CHECK_THROWS(std::invalid_argument, weft::parse(text, csv(), {}, weft::IntEdges{two, one, none}));
    LineFormat weighted = csv();
    weighted.weight = 2;
    CHECK_THROWS(std::invalid_argument, weft::parse(text, weighted, {}, weft::IntEdges{two, two, none}));
    std::vector<char> bytes(4);
    std::vector<int64_t> offsets(3);
    CHECK_THROWS(std::invalid_argument,
                 weft::parse(text, csv(), {}, weft::StringEdges{{bytes, offsets}, {bytes, offsets}, none}));
}

}  // namespace

int main() {
    every_cut_of_a_text();
    threads_change_nothing();
    outputs_too_small();
}
