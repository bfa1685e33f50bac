#include "philox.h"

#include <stdexcept>

#include "bind.h"
#include "philox_fill.h"

namespace weft::bind {

void bind_philox(nb::module_& m) {
    m.def(
        "philox_blocks",
        [](In<uint32_t> counters, uint64_t key, Out<uint32_t> out) {
            if (counters.shape(0) % 4 != 0 || counters.shape(0) != out.shape(0))
                throw std::invalid_argument("philox_blocks: counters and out must have one length, a multiple of 4");
            const auto in = span(counters);
            const auto to = span(out);
            for (size_t i = 0; i < in.size(); i += 4) {
                const Counter block = philox4x32({in[i], in[i + 1], in[i + 2], in[i + 3]}, key_of(key));
                for (size_t j = 0; j < 4; ++j) to[i + j] = block[j];
            }
        },
        nb::arg("counters"), nb::arg("key"), nb::arg("out"), nb::call_guard<nb::gil_scoped_release>());
    m.def(
        "philox_fill",
        [](Out<uint32_t> out, uint64_t key, uint64_t first, uint32_t index, uint32_t lane) {
            if (out.shape(0) % 4 != 0) throw std::invalid_argument("philox_fill: out must hold a multiple of 4 words");
            philox_fill(span(out), key, first, index, lane);
        },
        nb::arg("out"), nb::arg("key"), nb::arg("first"), nb::arg("index"), nb::arg("lane"),
        nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace weft::bind
