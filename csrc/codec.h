// Rows of features in fewer bytes than float32, and back; kernels/codec/README.md defines them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weft {

enum class Codec : uint8_t { float16, bfloat16, int8 };

// Bytes of a row.
size_t row_bytes(Codec codec, size_t columns);

// `rows` and `out` hold as many rows of `columns` numbers, on all threads. Throws std::invalid_argument for sizes that
// do not fit.
void decode_rows(Codec codec, std::span<const std::byte> rows, size_t columns, std::span<float> out);

// Rows `ids` of a table of encoded rows, decoded to `out`. Throws std::invalid_argument for an id that is not a row, too;
// out is then undefined.
template <typename Id>
void gather_decoded(Codec codec, std::span<const std::byte> table, size_t columns, std::span<const Id> ids,
                    std::span<float> out);

extern template void gather_decoded(Codec, std::span<const std::byte>, size_t, std::span<const uint32_t>,
                                    std::span<float>);
extern template void gather_decoded(Codec, std::span<const std::byte>, size_t, std::span<const int64_t>, std::span<float>);

// The place in `rows` of the first number that the codec cannot hold, -1 if there is none; `out` is undefined for such.
int64_t encode_rows(Codec codec, std::span<const float> rows, size_t columns, std::span<std::byte> out);

}  // namespace weft
