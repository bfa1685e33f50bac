#include <nanobind/stl/shared_ptr.h>

#include "bind.h"
#include "temporal_rows.h"
#include "temporal_sample.h"

namespace weft::bind {
namespace {

using View = TemporalRows::View;

const auto sampling = [](auto&& sample) {
    TemporalSample found;
    {
        const nb::gil_scoped_release released;
        found = sample();
    }
    return nb::make_tuple(give(found.row), give(found.node), give(found.number), give(found.time));
};

TemporalOptions options(uint64_t key, uint64_t item, In<uint64_t> items, uint32_t lane, uint32_t fanout, bool uniform, bool replace,
                        bool inclusive, uint64_t window) {
    return {.key = key,
            .item = item,
            .items = span(items),
            .lane = lane,
            .fanout = fanout,
            .uniform = uniform,
            .replace = replace,
            .inclusive = inclusive,
            .window = window};
}

}  // namespace

void bind_temporal(nb::module_& m) {
    const nb::call_guard<nb::gil_scoped_release> ungil;
    nb::class_<View>(m, "TemporalView")
        .def_prop_ro("nodes", &View::nodes)
        .def("sample",
             [](const View& self, In<uint32_t> root, In<int64_t> time, uint64_t key, uint64_t item,
                In<uint64_t> items, uint32_t lane, uint32_t fanout, bool uniform, bool replace, bool inclusive, uint64_t window) {
                 const auto how = options(key, item, items, lane, fanout, uniform, replace, inclusive, window);
                 return sampling([&] { return sample_events(self.pages(), self.nodes(), span(root), span(time), how); });
             },
             nb::arg("root"), nb::arg("time"), nb::arg("key"), nb::arg("item"), nb::arg("items"), nb::arg("lane"), nb::arg("fanout"),
             nb::arg("uniform"), nb::arg("replace"), nb::arg("inclusive"), nb::arg("window"));
    nb::class_<TemporalRows>(m, "TemporalRows")
        .def(nb::new_([](size_t nodes) { return TemporalRows::make(nodes); }), nb::arg("nodes"))
        .def_prop_ro("nodes", &TemporalRows::nodes)
        .def_prop_ro("used", &TemporalRows::used)
        .def_prop_ro("held", &TemporalRows::held)
        .def("append",
             [](TemporalRows& self, In<uint32_t> source, In<uint32_t> target, In<int64_t> time, In<uint32_t> number,
                bool both) { self.append(span(source), span(target), span(time), span(number), both); },
             nb::arg("source"), nb::arg("target"), nb::arg("time"), nb::arg("number"), nb::arg("both"), ungil)
        .def("remove",
             [](TemporalRows& self, In<uint32_t> source, In<uint32_t> target, In<int64_t> time, In<uint32_t> number,
                bool both) { self.remove(span(source), span(target), span(time), span(number), both); },
             nb::arg("source"), nb::arg("target"), nb::arg("time"), nb::arg("number"), nb::arg("both"), ungil)
        .def("expire", [](TemporalRows& self, In<uint32_t> nodes, int64_t before) { self.expire(span(nodes), before); },
             nb::arg("nodes"), nb::arg("before"), ungil)
        .def("expire_all", &TemporalRows::expire_all, nb::arg("before"), ungil)
        .def("compact", &TemporalRows::compact, ungil)
        .def("view", [](const std::shared_ptr<TemporalRows>& self) { return TemporalRows::view(self); }, ungil)
        .def("sample",
             [](const TemporalRows& self, In<uint32_t> root, In<int64_t> time, uint64_t key, uint64_t item,
                In<uint64_t> items, uint32_t lane, uint32_t fanout, bool uniform, bool replace, bool inclusive, uint64_t window) {
                 const auto how = options(key, item, items, lane, fanout, uniform, replace, inclusive, window);
                 return sampling([&] {
                     return self.read([&](const TemporalRows::Pages& pages, size_t nodes) {
                         return sample_events(pages, nodes, span(root), span(time), how);
                     });
                 });
             },
             nb::arg("root"), nb::arg("time"), nb::arg("key"), nb::arg("item"), nb::arg("items"), nb::arg("lane"), nb::arg("fanout"),
             nb::arg("uniform"), nb::arg("replace"), nb::arg("inclusive"), nb::arg("window"));
}

}  // namespace weft::bind
