#include "idmap.h"

#include <memory>

#include "bind.h"

namespace weft::bind {
namespace {

using Released = nb::call_guard<nb::gil_scoped_release>;

// Keeps the array that the index borrows.
class KeptIndex {
public:
    explicit KeptIndex(In<int64_t> ids) : ids_(std::move(ids)), index_(span(ids_)) {}
    explicit KeptIndex(uint64_t count) : index_(count) {}

    template <typename Id, typename Node>
    void map(In<Id> in, Out<Node> out) const {
        index_.map<Id, Node>(span(in), span(out));
    }
    void find(In<int64_t> in, Out<int64_t> out) const { index_.find(span(in), span(out)); }

private:
    In<int64_t> ids_;
    IdIndex index_;
};

}  // namespace

void bind_idmap(nb::module_& m) {
    m.def(
        "narrow_ids", [](In<int64_t> ids, Out<uint32_t> out) { return narrow_ids(span(ids), span(out)); },
        nb::arg("ids"), nb::arg("out"), Released());
    nb::class_<IdSet>(m, "IdSet")
        .def(nb::init<uint64_t>(), nb::arg("max_bitmap_bytes"))
        .def("add", [](IdSet& set, In<int64_t> ids) { set.add(span(ids)); }, nb::arg("ids"), Released())
        .def("add", [](IdSet& set, In<uint32_t> ids) { set.add(span(ids)); }, nb::arg("ids"), Released())
        .def("finish", &IdSet::finish, Released())
        .def("write", [](const IdSet& set, Out<int64_t> out) { set.write(span(out)); }, nb::arg("out"), Released())
        .def("bytes", &IdSet::bytes);
    nb::class_<KeptIndex>(m, "IdIndex")
        .def(nb::init<In<int64_t>>(), nb::arg("ids"))
        .def(nb::init<uint64_t>(), nb::arg("count"))
        .def("map", &KeptIndex::map<int64_t, uint32_t>, nb::arg("ids"), nb::arg("out"), Released())
        .def("map", &KeptIndex::map<int64_t, int64_t>, nb::arg("ids"), nb::arg("out"), Released())
        .def("map", &KeptIndex::map<uint32_t, uint32_t>, nb::arg("ids"), nb::arg("out"), Released())
        .def("map", &KeptIndex::map<uint32_t, int64_t>, nb::arg("ids"), nb::arg("out"), Released())
        .def("find", &KeptIndex::find, nb::arg("ids"), nb::arg("out"), Released());
}

}  // namespace weft::bind
