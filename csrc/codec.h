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

// The place in `rows` of the first number that the codec cannot hold, -1 if there is none; `out` is undefined for such.
int64_t encode_rows(Codec codec, std::span<const float> rows, size_t columns, std::span<std::byte> out);

}  // namespace weft
