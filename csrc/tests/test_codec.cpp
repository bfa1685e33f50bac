#include "codec.h"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "check.h"
#include "pool.h"

using weft::Codec;

void there_and_back(Codec codec, size_t rows, size_t columns, float slack) {
    std::vector<float> given(rows * columns), back(given.size());
    for (size_t i = 0; i < given.size(); ++i) given[i] = std::sin(static_cast<float>(i)) * static_cast<float>(i % 97);
    std::vector<std::byte> coded(rows * weft::row_bytes(codec, columns));
    CHECK(weft::encode_rows(codec, given, columns, coded) == -1);
    weft::decode_rows(codec, coded, columns, back);
    for (size_t i = 0; i < given.size(); ++i) CHECK(std::abs(back[i] - given[i]) <= slack);
    std::vector<uint32_t> ids(rows * 2);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<uint32_t>(i * 7919 % rows);
    std::vector<float> picked(ids.size() * columns);
    weft::gather_decoded<uint32_t>(codec, coded, columns, ids, picked);
    for (size_t i = 0; i < picked.size(); ++i) CHECK(picked[i] == back[ids[i / columns] * columns + i % columns]);
}

int main() {
    for (const int threads : {1, 4}) {
        weft::set_num_threads(threads);
        for (const size_t rows : {0, 1, 63, 3000}) {
            for (const size_t columns : {1, 7, 64, 333}) {
                there_and_back(Codec::float16, rows, columns, 97.0f / 2048);
                there_and_back(Codec::bfloat16, rows, columns, 97.0f / 256);
                there_and_back(Codec::int8, rows, columns, 97.0f / 253);
            }
        }
        std::vector<float> rows(60000, 1.0f);
        std::vector<std::byte> out(120000);
        rows[31234] = rows[59999] = std::numeric_limits<float>::max();
        CHECK(weft::encode_rows(Codec::float16, rows, 3, out) == 31234);
        CHECK(weft::encode_rows(Codec::bfloat16, rows, 3, out) == 31234);
        rows[777] = std::nanf("");
        CHECK(weft::encode_rows(Codec::float16, rows, 3, out) == 31234);
        out.resize(20000 * 7);
        CHECK(weft::encode_rows(Codec::int8, rows, 3, out) == 777);
        CHECK_THROWS(std::invalid_argument, weft::encode_rows(Codec::float16, rows, 3, out));
        CHECK_THROWS(std::invalid_argument, weft::encode_rows(Codec::int8, rows, 7, out));
        CHECK_THROWS(std::invalid_argument, weft::encode_rows(Codec::int8, rows, 0, out));
        CHECK_THROWS(std::invalid_argument, weft::decode_rows(Codec::int8, out, 4, rows));
        std::vector<float> one(3);
        const std::vector<int64_t> past{20000}, negative{-1};
        CHECK_THROWS(std::invalid_argument, weft::gather_decoded<int64_t>(Codec::int8, out, 3, past, one));
        CHECK_THROWS(std::invalid_argument, weft::gather_decoded<int64_t>(Codec::int8, out, 3, negative, one));
        CHECK_THROWS(std::invalid_argument, weft::gather_decoded<int64_t>(Codec::int8, out, 4, negative, one));
    }
}
