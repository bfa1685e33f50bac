#include "neighbor.h"

#include <nanobind/stl/vector.h>

#include <utility>

#include "bind.h"

namespace weft::bind {
namespace {

// A relation is (indptr, indices, weight, alias, from, into, nodes, fanout).
template <typename Id>
nb::tuple neighbor(nb::list relations, nb::list seeds, uint64_t key, uint32_t batch, bool replace, bool disjoint) {
    std::vector<Relation<Id>> spans;
    std::vector<std::span<const Id>> nodes;
    for (const nb::handle given : relations) {
        const nb::tuple r = nb::cast<nb::tuple>(given);
        spans.push_back({.indptr = span(nb::cast<In<int64_t>>(r[0], false)),
                         .indices = span(nb::cast<In<Id>>(r[1], false)),
                         .weight = span(nb::cast<In<float>>(r[2], false)),
                         .alias = span(nb::cast<In<uint64_t>>(r[3], false)),
                         .from = nb::cast<size_t>(r[4]),
                         .into = nb::cast<size_t>(r[5]),
                         .nodes = nb::cast<uint64_t>(r[6]),
                         .fanout = span(nb::cast<In<int64_t>>(r[7], false))});
    }
    for (const nb::handle some : seeds) nodes.push_back(span(nb::cast<In<Id>>(some, false)));
    Neighborhood<Id> found;
    {
        const nb::gil_scoped_release released;
        found = sample_neighbors<Id>(spans, nodes, {.key = key, .batch = batch, .replace = replace, .disjoint = disjoint});
    }
    nb::list of_types, of_relations;
    for (auto& n : found.nodes) of_types.append(nb::make_tuple(give(n.id), give(n.tree), n.of_hop));
    for (auto& e : found.edges) of_relations.append(nb::make_tuple(give(e.row), give(e.col), give(e.edge), e.of_hop));
    return nb::make_tuple(of_types, of_relations);
}

}  // namespace

void bind_neighbor(nb::module_& m) {
    m.def("neighbor", &neighbor<uint32_t>, nb::arg("relations"), nb::arg("seeds"), nb::arg("key"), nb::arg("batch"),
          nb::arg("replace"), nb::arg("disjoint"));
    m.def("neighbor_wide", &neighbor<int64_t>, nb::arg("relations"), nb::arg("seeds"), nb::arg("key"),
          nb::arg("batch"), nb::arg("replace"), nb::arg("disjoint"));
}

}  // namespace weft::bind
