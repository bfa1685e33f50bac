#include "pairs.h"

#include "bind.h"

namespace weft::bind {

void bind_pairs(nb::module_& m) {
    m.def("pairs_per_walk", &pairs_per_walk, nb::arg("length"), nb::arg("window"));
    m.def(
        "window_pairs",
        [](In<uint32_t> walks, size_t length, size_t window, In<uint32_t> row_of, In<uint8_t> sink, Out<uint64_t> out) {
            return window_pairs(span(walks), length, window, span(row_of), span(sink), span(out));
        },
        nb::arg("walks"), nb::arg("length"), nb::arg("window"), nb::arg("row_of"), nb::arg("sink"), nb::arg("out"),
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "bucket_pairs",
        [](Out<uint64_t> pairs, Out<uint64_t> scratch, size_t rows, size_t head_first, size_t heads, size_t tail_first,
           size_t tails, Out<int64_t> offset) {
            bucket_pairs(span(pairs), span(scratch), {rows, head_first, heads, tail_first, tails}, span(offset));
        },
        nb::arg("pairs"), nb::arg("scratch"), nb::arg("rows"), nb::arg("head_first"), nb::arg("heads"),
        nb::arg("tail_first"), nb::arg("tails"), nb::arg("offset"),
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "block_pairs",
        [](In<uint32_t> walks, size_t length, size_t window, In<uint32_t> row_of, In<uint8_t> sink, size_t most,
           size_t rows, size_t parts, Out<uint64_t> out, Out<int64_t> offset) {
            return block_pairs(span(walks), length, window, span(row_of), span(sink), most, rows, parts, span(out),
                               span(offset));
        },
        nb::arg("walks"), nb::arg("length"), nb::arg("window"), nb::arg("row_of"), nb::arg("sink"), nb::arg("most"),
        nb::arg("rows"), nb::arg("parts"), nb::arg("out"), nb::arg("offset"),
        nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace weft::bind
