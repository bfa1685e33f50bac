#include "intern.h"

#include <array>

#include "bind.h"

namespace weft::bind {
namespace {

StringsView view(const In<uint8_t>& bytes, const In<int64_t>& offsets) {
    return {{reinterpret_cast<const char*>(bytes.data()), bytes.shape(0)}, span(offsets)};
}

}  // namespace

void bind_intern(nb::module_& m) {
    using Bytes = In<uint8_t>;
    using Offsets = In<int64_t>;
    const auto released = nb::call_guard<nb::gil_scoped_release>();
    nb::class_<Interner>(m, "Interner")
        .def(nb::init<>())
        .def(
            "add",
            [](Interner& self, Bytes bytes, Offsets offsets, Out<uint32_t> out) {
                const std::array columns{view(bytes, offsets)};
                const std::array outs{span(out)};
                self.add(columns, outs);
            },
            nb::arg("bytes"), nb::arg("offsets"), nb::arg("out"), released)
        .def(
            "add_pairs",
            [](Interner& self, Bytes a, Offsets a_offsets, Bytes b, Offsets b_offsets, Out<uint32_t> out_a,
               Out<uint32_t> out_b) {
                const std::array columns{view(a, a_offsets), view(b, b_offsets)};
                const std::array outs{span(out_a), span(out_b)};
                self.add(columns, outs);
            },
            nb::arg("a"), nb::arg("a_offsets"), nb::arg("b"), nb::arg("b_offsets"), nb::arg("out_a"),
            nb::arg("out_b"), released)
        .def(
            "find",
            [](const Interner& self, Bytes bytes, Offsets offsets, Out<uint32_t> out) {
                self.find(view(bytes, offsets), span(out));
            },
            nb::arg("bytes"), nb::arg("offsets"), nb::arg("out"), released)
        .def("size", &Interner::size)
        .def("bytes", &Interner::bytes)
        .def(
            "names",
            [](const Interner& self, Out<uint8_t> bytes, Out<int64_t> offsets) {
                self.names({reinterpret_cast<char*>(bytes.data()), bytes.shape(0)}, span(offsets));
            },
            nb::arg("bytes"), nb::arg("offsets"), released);
}

}  // namespace weft::bind
