#include "sgns.h"

#include "bind.h"

namespace weft::bind {

void bind_sgns(nb::module_& m) {
    m.def(
        "sgns_train",
        [](Out<float> vertex, Out<float> context, size_t width, size_t rows, In<uint64_t> alias, uint64_t head_first,
           uint64_t tail_first, In<uint64_t> pairs, In<int64_t> offset, In<uint64_t> item, uint64_t key, uint64_t total,
           uint32_t negatives, float negative_weight, float learning_rate, float weight_decay, Out<double> loss) {
            sgns_train({span(vertex), span(context), width, rows, span(alias), head_first, tail_first},
                       {span(pairs), span(offset), span(item)},
                       {key, total, negatives, negative_weight, learning_rate, weight_decay}, span(loss));
        },
        nb::arg("vertex"), nb::arg("context"), nb::arg("width"), nb::arg("rows"), nb::arg("alias"),
        nb::arg("head_first"), nb::arg("tail_first"), nb::arg("pairs"), nb::arg("offset"), nb::arg("item"),
        nb::arg("key"), nb::arg("total"), nb::arg("negatives"), nb::arg("negative_weight"), nb::arg("learning_rate"),
        nb::arg("weight_decay"), nb::arg("loss"),
        nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace weft::bind
