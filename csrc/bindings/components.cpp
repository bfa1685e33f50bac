#include "components.h"

#include <stdexcept>

#include "bind.h"

namespace weft::bind {
namespace {

template <typename Index>
void components(In<int64_t> indptr, In<Index> indices, Out<int64_t> root) {
    if (indptr.shape(0) != root.shape(0) + 1)
        throw std::invalid_argument("connected_components: indptr must hold one value more than root");
    connected_components<Index>(span(indptr), span(indices), span(root));
}

}  // namespace

void bind_components(nb::module_& m) {
    const auto released = nb::call_guard<nb::gil_scoped_release>();
    m.def("connected_components", &components<uint32_t>, nb::arg("indptr"), nb::arg("indices"), nb::arg("root"), released);
    m.def("connected_components", &components<int64_t>, nb::arg("indptr"), nb::arg("indices"), nb::arg("root"), released);
}

}  // namespace weft::bind
