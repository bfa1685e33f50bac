#include "gather.h"

#include "bind.h"

namespace weft::bind {
namespace {

template <typename Id>
void gather(In<uint8_t> table, size_t width, In<Id> ids, Out<uint8_t> out) {
    gather_rows<Id>(std::as_bytes(span(table)), width, span(ids), std::as_writable_bytes(span(out)));
}

}  // namespace

void bind_gather(nb::module_& m) {
    m.def("gather", &gather<uint32_t>, nb::arg("table"), nb::arg("width"), nb::arg("ids"), nb::arg("out"),
          nb::call_guard<nb::gil_scoped_release>());
    m.def("gather", &gather<int64_t>, nb::arg("table"), nb::arg("width"), nb::arg("ids"), nb::arg("out"),
          nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace weft::bind
