#include "codec.h"

#include <stdexcept>
#include <string>

#include "bind.h"

namespace weft::bind {
namespace {

Codec named(int codec) {
    if (codec < 0 || codec > static_cast<int>(Codec::int8))
        throw std::invalid_argument("codec: there is none of number " + std::to_string(codec));
    return static_cast<Codec>(codec);
}

void decode(int codec, In<uint8_t> rows, size_t columns, Out<float> out) {
    decode_rows(named(codec), std::as_bytes(span(rows)), columns, span(out));
}

int64_t encode(int codec, In<float> rows, size_t columns, Out<uint8_t> out) {
    return encode_rows(named(codec), span(rows), columns, std::as_writable_bytes(span(out)));
}

template <typename Id>
void gather(int codec, In<uint8_t> table, size_t columns, In<Id> ids, Out<float> out) {
    gather_decoded<Id>(named(codec), std::as_bytes(span(table)), columns, span(ids), span(out));
}

}  // namespace

void bind_codec(nb::module_& m) {
    m.def("decode_rows", &decode, nb::arg("codec"), nb::arg("rows"), nb::arg("columns"), nb::arg("out"),
          nb::call_guard<nb::gil_scoped_release>());
    m.def("gather_decoded", &gather<uint32_t>, nb::arg("codec"), nb::arg("table"), nb::arg("columns"), nb::arg("ids"),
          nb::arg("out"), nb::call_guard<nb::gil_scoped_release>());
    m.def("gather_decoded", &gather<int64_t>, nb::arg("codec"), nb::arg("table"), nb::arg("columns"), nb::arg("ids"),
          nb::arg("out"), nb::call_guard<nb::gil_scoped_release>());
    m.def("encode_rows", &encode, nb::arg("codec"), nb::arg("rows"), nb::arg("columns"), nb::arg("out"),
          nb::call_guard<nb::gil_scoped_release>());
}

}  // namespace weft::bind
