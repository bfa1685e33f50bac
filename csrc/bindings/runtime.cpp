// Threads and memory.
#include "memory.h"

#include <memory>

#include "bind.h"
#include "pool.h"

namespace weft::bind {
namespace {

nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>> empty_huge(size_t bytes) {
    auto buffer = std::make_unique<HugeBuffer>(bytes);
    auto* data = static_cast<uint8_t*>(buffer->data());
    const nb::capsule owner(buffer.release(), [](void* p) noexcept { delete static_cast<HugeBuffer*>(p); });
    return {data, {bytes}, owner};
}

}  // namespace

void bind_runtime(nb::module_& m) {
    m.def("set_num_threads", &set_num_threads, nb::arg("count"));
    m.def("num_threads", &num_threads);
    m.def("empty_huge", &empty_huge, nb::arg("bytes"));
}

}  // namespace weft::bind
