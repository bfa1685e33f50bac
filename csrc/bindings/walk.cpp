// Random walks, alias tables, and the probe their benchmark holds them against.
#include "walk.h"

#include "alias.h"
#include "bind.h"
#include "edge_filter.h"
#include "probe.h"
#include "walk2.h"

namespace weft::bind {
namespace {

template <typename Id>
void walk(In<int64_t> indptr, In<Id> indices, In<Id> starts, size_t length, uint64_t key, uint64_t first,
          Out<Id> out) {
    random_walks<Id>({.indptr = span(indptr), .indices = span(indices), .alias = {}, .weighted = false},
                     span(starts), length, key, first, span(out));
}

template <typename Id>
void walk_weighted(In<int64_t> indptr, In<Id> indices, In<uint64_t> alias, In<Id> starts, size_t length,
                   uint64_t key, uint64_t first, Out<Id> out) {
    random_walks<Id>({.indptr = span(indptr), .indices = span(indices), .alias = span(alias), .weighted = true},
                     span(starts), length, key, first, span(out));
}

template <typename Id>
uint64_t filter(In<int64_t> indptr, In<Id> indices, bool directed, Out<uint64_t> words) {
    return fill_filter<Id>(span(indptr), span(indices), directed, span(words));
}

template <typename Id>
void walk2(In<int64_t> indptr, In<Id> indices, In<float> weight, In<uint64_t> alias, In<double> total,
           In<float> peak, In<uint64_t> words, bool directed, uint64_t parallel, double p, double q, In<Id> starts, size_t length,
           uint64_t key, uint64_t first, Out<Id> out) {
    second_order_walks<Id>({.indptr = span(indptr),
                            .indices = span(indices),
                            .weight = span(weight),
                            .alias = span(alias),
                            .total = span(total),
                            .peak = span(peak),
                            .filter = {.words = span(words), .directed = directed},
                            .directed = directed,
                            .parallel = parallel,
                            .p = p,
                            .q = q},
                           span(starts), length, key, first, span(out));
}

template <typename Id>
void peaks(In<int64_t> indptr, In<Id> indices, In<float> weight, Out<float> peak) {
    row_peaks<Id>(span(indptr), span(indices), span(weight), span(peak));
}

template <typename Weight>
void alias(In<int64_t> indptr, In<Weight> weight, Out<uint64_t> table) {
    alias_tables<Weight>(span(indptr), span(weight), span(table));
}

template <typename Id>
void bind_ids(nb::module_& m) {
    m.def("walk", &walk<Id>, nb::arg("indptr"), nb::arg("indices"), nb::arg("starts"), nb::arg("length"),
          nb::arg("key"), nb::arg("first"), nb::arg("out"), nb::call_guard<nb::gil_scoped_release>());
    m.def("walk_weighted", &walk_weighted<Id>, nb::arg("indptr"), nb::arg("indices"), nb::arg("alias"),
          nb::arg("starts"), nb::arg("length"), nb::arg("key"), nb::arg("first"), nb::arg("out"),
          nb::call_guard<nb::gil_scoped_release>());
    m.def("edge_filter", &filter<Id>, nb::arg("indptr"), nb::arg("indices"), nb::arg("directed"), nb::arg("words"),
          nb::call_guard<nb::gil_scoped_release>());
    m.def("row_peaks", &peaks<Id>, nb::arg("indptr"), nb::arg("indices"), nb::arg("weight"), nb::arg("peak"),
          nb::call_guard<nb::gil_scoped_release>());
    m.def("walk2", &walk2<Id>, nb::arg("indptr"), nb::arg("indices"), nb::arg("weight"), nb::arg("alias"),
          nb::arg("total"), nb::arg("peak"), nb::arg("words"), nb::arg("directed"), nb::arg("parallel"), nb::arg("p"), nb::arg("q"),
          nb::arg("starts"), nb::arg("length"), nb::arg("key"), nb::arg("first"), nb::arg("out"),
          nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace

void bind_walk(nb::module_& m) {
    bind_ids<uint32_t>(m);
    bind_ids<int64_t>(m);
    m.def("alias_tables", &alias<float>, nb::arg("indptr"), nb::arg("weight"), nb::arg("table"),
          nb::call_guard<nb::gil_scoped_release>());
    m.def("alias_tables", &alias<double>, nb::arg("indptr"), nb::arg("weight"), nb::arg("table"),
          nb::call_guard<nb::gil_scoped_release>());
    m.def("probe_arithmetic", &probe_arithmetic, nb::arg("rounds"), nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "probe_random_reads",
        [](In<uint32_t> data, uint64_t reads, uint32_t seed) { return probe_random_reads(span(data), reads, seed); },
        nb::arg("data"), nb::arg("reads"), nb::arg("seed"), nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace weft::bind
