#include "spmm.h"

#include "bind.h"

namespace weft::bind {

void bind_spmm(nb::module_& m) {
    m.def(
        "spmm",
        [](In<int64_t> indptr, In<uint32_t> indices, In<float> value, In<float> scale, In<float> x, size_t width,
           float alpha, float loop, float beta, float gamma, Out<float> out) {
            spmm({span(indptr), span(indices), span(value)}, span(scale), span(x), width, {alpha, loop, beta, gamma},
                 span(out));
        },
        nb::arg("indptr"), nb::arg("indices"), nb::arg("value"), nb::arg("scale"), nb::arg("x"), nb::arg("width"),
        nb::arg("alpha"), nb::arg("loop"), nb::arg("beta"), nb::arg("gamma"), nb::arg("out"),
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "spmm_transposed",
        [](In<int64_t> indptr, In<uint32_t> indices, In<float> value, In<float> x, size_t width, Out<float> out) {
            spmm_transposed({span(indptr), span(indices), span(value)}, span(x), width, span(out));
        },
        nb::arg("indptr"), nb::arg("indices"), nb::arg("value"), nb::arg("x"), nb::arg("width"), nb::arg("out"),
        nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace weft::bind
