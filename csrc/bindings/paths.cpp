#include "paths.h"

#include "bind.h"

namespace weft::bind {
namespace {

PathGraph graph_of(const In<int64_t>& indptr, const In<uint32_t>& indices, const In<float>& weight,
                   const In<uint64_t>& alias, const In<double>& out, const In<double>& in) {
    return {span(indptr), span(indices), span(weight), span(alias), span(out), span(in)};
}

}  // namespace

void bind_paths(nb::module_& m) {
    m.def(
        "path_counts",
        [](In<int64_t> indptr, In<uint32_t> indices, In<float> weight, In<uint64_t> alias, In<double> out_degree,
           In<double> in_degree, double samples, double keep, uint32_t window, uint64_t key, Out<int64_t> walks) {
            path_counts(graph_of(indptr, indices, weight, alias, out_degree, in_degree), {samples, keep, window, key},
                        span(walks));
        },
        nb::arg("indptr"), nb::arg("indices"), nb::arg("weight"), nb::arg("alias"), nb::arg("out_degree"),
        nb::arg("in_degree"), nb::arg("samples"), nb::arg("keep"), nb::arg("window"), nb::arg("key"), nb::arg("walks"),
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "path_rows",
        [](In<int64_t> indptr, In<uint32_t> indices, In<float> weight, In<uint64_t> alias, In<double> out_degree,
           In<double> in_degree, double samples, double keep, uint32_t window, uint64_t key, size_t first,
           In<int64_t> walks, In<double> row_scale, In<double> column_scale, Out<int64_t> degree,
           Out<uint32_t> columns, Out<float> values) {
            return path_rows(graph_of(indptr, indices, weight, alias, out_degree, in_degree),
                             {samples, keep, window, key}, first, span(walks), span(row_scale), span(column_scale),
                             span(degree), span(columns), span(values));
        },
        nb::arg("indptr"), nb::arg("indices"), nb::arg("weight"), nb::arg("alias"), nb::arg("out_degree"),
        nb::arg("in_degree"), nb::arg("samples"), nb::arg("keep"), nb::arg("window"), nb::arg("key"), nb::arg("first"),
        nb::arg("walks"), nb::arg("row_scale"), nb::arg("column_scale"), nb::arg("degree"), nb::arg("columns"),
        nb::arg("values"), nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace weft::bind
