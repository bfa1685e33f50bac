// What every binding file shares. Only csrc/bindings/ knows nanobind; the core speaks spans.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdlib>
#include <span>

#include "growing.h"

namespace nb = nanobind;

namespace weft::bind {

// Borrowed one-dimensional contiguous arrays, NumPy's or torch's, on the CPU.
template <typename T>
using In = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <typename T>
using Out = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <typename T>
std::span<const T> span(const In<T>& array) {
    return {array.data(), array.shape(0)};
}

template <typename T>
std::span<T> span(const Out<T>& array) {
    return {array.data(), array.shape(0)};
}

// A NumPy array that owns what has grown.
template <typename T>
nb::object give(Growing<T>& array) {
    const size_t size = array.size();
    auto data = array.take();
    T* const at = data.get();
    const nb::capsule owner(at, [](void* p) noexcept { std::free(p); });
    static_cast<void>(data.release());
    return nb::cast(nb::ndarray<nb::numpy, T, nb::ndim<1>>(at, {size}, owner), nb::rv_policy::reference);
}

void bind_codec(nb::module_& m);
void bind_components(nb::module_& m);
void bind_csr(nb::module_& m);
void bind_gather(nb::module_& m);
void bind_idmap(nb::module_& m);
void bind_intern(nb::module_& m);
void bind_neighbor(nb::module_& m);
void bind_pairs(nb::module_& m);
void bind_parse(nb::module_& m);
void bind_paths(nb::module_& m);
void bind_philox(nb::module_& m);
void bind_rmat(nb::module_& m);
void bind_row_cache(nb::module_& m);
void bind_row_file(nb::module_& m);
void bind_runtime(nb::module_& m);
void bind_sgns(nb::module_& m);
void bind_spmm(nb::module_& m);
void bind_temporal(nb::module_& m);
void bind_walk(nb::module_& m);

}  // namespace weft::bind
