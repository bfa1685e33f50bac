#include "rmat.h"

#include "bind.h"

namespace weft::bind {

void bind_rmat(nb::module_& m) {
    m.def(
        "rmat_edges",
        [](uint64_t key, int scale, uint64_t a, uint64_t ab, uint64_t abc, uint64_t first, Out<uint32_t> src,
           Out<uint32_t> dst) { rmat_edges(key, scale, {a, ab, abc}, first, span(src), span(dst)); },
        nb::arg("key"), nb::arg("scale"), nb::arg("a"), nb::arg("ab"), nb::arg("abc"), nb::arg("first"),
        nb::arg("src"), nb::arg("dst"), nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace weft::bind
