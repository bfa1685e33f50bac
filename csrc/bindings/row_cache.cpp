#include "row_cache.h"

#include "bind.h"

namespace weft::bind {
namespace {

using Ids = In<uint32_t>;

void made(RowCache* self, std::unique_ptr<CachePolicy> policy, size_t width) {
    new (self) RowCache(std::move(policy), width);
}

}  // namespace

void bind_row_cache(nb::module_& m) {
    const auto ungil = nb::call_guard<nb::gil_scoped_release>();
    nb::class_<RowCache>(m, "RowCache")
        .def("__init__",
             [](RowCache* self, uint64_t rows, size_t width, Ids kept) {
                 made(self, make_static(rows, span(kept)), width);
             },
             nb::arg("rows"), nb::arg("width"), nb::arg("kept"))
        .def("__init__",
             [](RowCache* self, uint64_t rows, size_t width, uint32_t slots, bool sieve) {
                 made(self, sieve ? make_sieve(rows, slots) : make_lru(rows, slots), width);
             },
             nb::arg("rows"), nb::arg("width"), nb::arg("slots"), nb::arg("sieve"))
        .def("__init__",
             [](RowCache* self, uint64_t rows, size_t width, uint32_t slots, uint32_t window, In<uint8_t> heat) {
                 made(self, make_lookahead(rows, slots, window, span(heat)), width);
             },
             nb::arg("rows"), nb::arg("width"), nb::arg("slots"), nb::arg("window"), nb::arg("heat"))
        .def("take",
             [](RowCache& self, RowFile& file, Ids ids, Out<uint8_t> out) {
                 self.take(file, span(ids), std::as_writable_bytes(span(out)));
             },
             nb::arg("file"), nb::arg("ids"), nb::arg("out"), ungil)
        .def("begin",
             [](RowCache& self, Ids ids, Out<uint8_t> out, Out<int64_t> missing) {
                 return self.begin(span(ids), std::as_writable_bytes(span(out)), span(missing));
             },
             nb::arg("ids"), nb::arg("out"), nb::arg("missing"), ungil)
        .def("end",
             [](RowCache& self, Ids ids, In<uint8_t> out, bool there) {
                 self.end(span(ids), std::as_bytes(span(out)), there);
             },
             nb::arg("ids"), nb::arg("out"), nb::arg("there"), ungil)
        .def("fill", [](RowCache& self, Ids ids, In<uint8_t> rows) { self.fill(span(ids), std::as_bytes(span(rows))); },
             nb::arg("ids"), nb::arg("rows"), ungil)
        .def("expect", [](RowCache& self, Ids ids) { self.expect(span(ids)); }, nb::arg("ids"), ungil)
        .def("forget", &RowCache::forget, ungil)
        .def_prop_ro("window", &RowCache::window, ungil)
        .def_prop_ro("counts", [](const RowCache& self) {
            const auto counts = self.counts();
            return nb::make_tuple(counts.hits, counts.misses, counts.ahead, counts.along);
        });
}

}  // namespace weft::bind
