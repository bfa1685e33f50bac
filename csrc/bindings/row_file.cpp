#include "row_file.h"

#include <nanobind/stl/string.h>

#include <system_error>

#include "bind.h"

namespace weft::bind {

void bind_row_file(nb::module_& m) {
    nb::register_exception_translator([](const std::exception_ptr& error, void*) {
        try {
            std::rethrow_exception(error);
        } catch (const std::system_error& refused) {
            const nb::tuple given = nb::make_tuple(refused.code().value(), refused.what());
            PyErr_SetObject(PyExc_OSError, given.ptr());
        }
    });
    nb::class_<RowFile>(m, "RowFile")
        .def(
            "__init__",
            [](RowFile* self, std::string path, uint64_t offset, uint64_t rows, uint64_t width, unsigned depth,
               bool ring, bool direct) {
                new (self) RowFile({std::move(path), offset, rows, width, depth, ring, direct});
            },
            nb::arg("path"), nb::arg("offset"), nb::arg("rows"), nb::arg("width"), nb::arg("depth"), nb::arg("ring"),
            nb::arg("direct"))
        .def(
            "read",
            [](RowFile& self, In<int64_t> ids, Out<uint8_t> out) {
                self.read(span(ids), std::as_writable_bytes(span(out)));
            },
            nb::arg("ids"), nb::arg("out"), nb::call_guard<nb::gil_scoped_release>())
        .def("measure_gap", &RowFile::measure_gap, nb::call_guard<nb::gil_scoped_release>())
        .def_prop_rw("gap", &RowFile::gap, &RowFile::set_gap)
        .def_prop_ro("ring", &RowFile::ring)
        .def_prop_ro("direct", &RowFile::direct)
        .def_prop_ro("counts", [](const RowFile& self) {
            const auto counts = self.counts();
            return nb::make_tuple(counts.requests, counts.bytes);
        });
}

}  // namespace weft::bind
