#include "parse.h"

#include <stdexcept>
#include <string>

#include "bind.h"

namespace weft::bind {
namespace {

using Bytes = In<uint8_t>;

std::span<const char> chars(const Bytes& text) {
    return {reinterpret_cast<const char*>(text.data()), text.shape(0)};
}

std::span<char> chars(const Out<uint8_t>& text) { return {reinterpret_cast<char*>(text.data()), text.shape(0)}; }

// delimiter and quote: character codes, 0 for runs of blanks and for no quoting. weight: -1 for none.
struct Form {
    text::LineFormat format;
    OnBad on_bad;

    Form(int delimiter, int quote, const Bytes& comments, int64_t src, int64_t dst, int64_t weight, bool skip,
         size_t keep)
        : on_bad{skip, keep} {
        constexpr int64_t most = 1 << 20;
        if (src < 0 || dst < 0 || src == dst || src == weight || dst == weight || src > most || dst > most ||
            weight > most)
            throw std::invalid_argument("parse: columns must differ and be in 0 .. 2^20");
        if (delimiter < 0 || delimiter > 127 || quote < 0 || quote > 127 || delimiter == '\n')
            throw std::invalid_argument("parse: delimiter and quote must be ASCII");
        format.delimiter = static_cast<char>(delimiter);
        format.quote = static_cast<char>(quote);
        for (const uint8_t c : span(comments)) format.comment[c] = true;
        format.src = static_cast<uint32_t>(src);
        format.dst = static_cast<uint32_t>(dst);
        if (weight >= 0) format.weight = static_cast<uint32_t>(weight);
    }
};

// (rows, bad, overflow, [(offset, line, why, detail), ...])
nb::tuple as_tuple(const Parsed& parsed) {
    nb::list first;
    for (const BadLine& line : parsed.first)
        first.append(nb::make_tuple(line.offset, line.line, static_cast<uint32_t>(line.verdict.why),
                                    line.verdict.detail));
    return nb::make_tuple(parsed.rows, parsed.bad, parsed.overflow, first);
}

template <class Edges>
nb::tuple run(const Bytes& text, const Form& form, const Edges& out) {
    Parsed parsed;
    {
        const nb::gil_scoped_release released;
        parsed = parse(chars(text), form.format, form.on_bad, out);
    }
    return as_tuple(parsed);
}

}  // namespace

void bind_parse(nb::module_& m) {
    m.def(
        "count_lines", [](Bytes text) { return count_lines(chars(text)); }, nb::arg("text"),
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "parse_ints",
        [](Bytes text, int delimiter, int quote, Bytes comments, int64_t src, int64_t dst, int64_t weight, bool skip,
           size_t keep, Out<int64_t> out_src, Out<int64_t> out_dst, Out<float> out_weight) {
            const Form form(delimiter, quote, comments, src, dst, weight, skip, keep);
            return run(text, form, IntEdges{span(out_src), span(out_dst), span(out_weight)});
        },
        nb::arg("text"), nb::arg("delimiter"), nb::arg("quote"), nb::arg("comments"), nb::arg("src"), nb::arg("dst"),
        nb::arg("weight"), nb::arg("skip"), nb::arg("keep"), nb::arg("out_src"), nb::arg("out_dst"),
        nb::arg("out_weight"));
    m.def(
        "parse_strings",
        [](Bytes text, int delimiter, int quote, Bytes comments, int64_t src, int64_t dst, int64_t weight, bool skip,
           size_t keep, Out<uint8_t> src_bytes, Out<int64_t> src_offsets, Out<uint8_t> dst_bytes,
           Out<int64_t> dst_offsets, Out<float> out_weight) {
            const Form form(delimiter, quote, comments, src, dst, weight, skip, keep);
            return run(text, form,
                       StringEdges{{chars(src_bytes), span(src_offsets)},
                                   {chars(dst_bytes), span(dst_offsets)},
                                   span(out_weight)});
        },
        nb::arg("text"), nb::arg("delimiter"), nb::arg("quote"), nb::arg("comments"), nb::arg("src"), nb::arg("dst"),
        nb::arg("weight"), nb::arg("skip"), nb::arg("keep"), nb::arg("src_bytes"), nb::arg("src_offsets"),
        nb::arg("dst_bytes"), nb::arg("dst_offsets"), nb::arg("out_weight"));
}

}  // namespace weft::bind
