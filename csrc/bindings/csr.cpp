#include "csr.h"

#include <nanobind/stl/vector.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "bind.h"

namespace weft::bind {
namespace {

Duplicates duplicates_of(int code) {
    if (code < 0 || code > 2) throw std::invalid_argument("duplicates must be 0, 1 or 2 (got " + std::to_string(code) + ")");
    return static_cast<Duplicates>(code);
}

template <typename Id>
void bind_scatter(nb::module_& m) {
    m.def(
        "scatter_edges",
        [](In<Id> src, In<Id> dst, In<float> weight, uint64_t num_nodes, int shift, int dst_bits, bool both_ways,
           bool drop_loops, Out<int64_t> offsets, Out<uint64_t> keys, Out<float> weights) {
            scatter_edges<Id>(span(src), span(dst), span(weight), {num_nodes, shift, dst_bits, both_ways, drop_loops},
                              span(offsets), span(keys), span(weights));
        },
        nb::arg("src"), nb::arg("dst"), nb::arg("weight"), nb::arg("num_nodes"), nb::arg("shift"), nb::arg("dst_bits"),
        nb::arg("both_ways"), nb::arg("drop_loops"), nb::arg("offsets"), nb::arg("keys"), nb::arg("weights"),
        nb::call_guard<nb::gil_scoped_release>());
}

template <typename Index>
void bind_rows(nb::module_& m) {
    m.def(
        "sort_buckets",
        [](const std::vector<In<uint64_t>>& keys, const std::vector<In<float>>& run_weights,
           const std::vector<In<int64_t>>& offsets, int shift, int dst_bits, int duplicates, Out<int64_t> degree,
           Out<Index> indices, Out<float> weights, Out<int64_t> counts) {
            if (keys.size() != offsets.size() || keys.size() != run_weights.size())
                throw std::invalid_argument("sort_buckets: keys, weights and offsets must be as many");
            std::vector<Run> runs;
            for (size_t i = 0; i < keys.size(); ++i)
                runs.push_back({span(keys[i]), span(run_weights[i]), span(offsets[i])});
            sort_buckets<Index>(runs, shift, dst_bits, duplicates_of(duplicates), span(degree), span(indices),
                                span(weights), span(counts));
        },
        nb::arg("keys"), nb::arg("run_weights"), nb::arg("offsets"), nb::arg("shift"), nb::arg("dst_bits"),
        nb::arg("duplicates"), nb::arg("degree"), nb::arg("indices"), nb::arg("weights"), nb::arg("counts"),
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "has_edges",
        [](In<int64_t> indptr, In<Index> indices, In<int64_t> src, In<int64_t> dst, Out<uint8_t> out) {
            has_edges<Index>(span(indptr), span(indices), span(src), span(dst), span(out));
        },
        nb::arg("indptr"), nb::arg("indices"), nb::arg("src"), nb::arg("dst"), nb::arg("out"),
        nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "expand_rows",
        [](In<int64_t> indptr, Out<Index> out) { expand_rows<Index>(span(indptr), span(out)); }, nb::arg("indptr"),
        nb::arg("out"), nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace

void bind_csr(nb::module_& m) {
    bind_scatter<uint32_t>(m);
    bind_scatter<int64_t>(m);
    bind_rows<uint32_t>(m);
    bind_rows<int64_t>(m);
}

}  // namespace weft::bind
