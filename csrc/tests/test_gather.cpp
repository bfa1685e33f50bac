#include "gather.h"

#include <cstring>
#include <stdexcept>
#include <vector>

#include "check.h"
#include "pool.h"

using weft::gather_rows;

template <typename Id>
void rows_arrive(size_t width, size_t rows, size_t count) {
    std::vector<std::byte> table(width * rows), out(width * count);
    for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<std::byte>(i * 31 >> 3);
    std::vector<Id> ids(count);
    for (size_t i = 0; i < count; ++i) ids[i] = static_cast<Id>(i * 7919 % rows);
    gather_rows<Id>(table, width, ids, out);
    for (size_t i = 0; i < count; ++i)
        CHECK(std::memcmp(&out[i * width], &table[static_cast<size_t>(ids[i]) * width], width) == 0);
}

int main() {
    for (const int threads : {1, 4}) {
        weft::set_num_threads(threads);
        for (const size_t width : {1, 7, 64, 128, 200, 256, 512, 5000}) {
            rows_arrive<uint32_t>(width, 100, 4000);
            rows_arrive<int64_t>(width, 100, 3);
        }
        std::vector<std::byte> table(640), out(128);
        CHECK_THROWS(std::invalid_argument, gather_rows<int64_t>(table, 64, std::vector<int64_t>{0, 10}, out));
        CHECK_THROWS(std::invalid_argument, gather_rows<int64_t>(table, 64, std::vector<int64_t>{-1, 1}, out));
        CHECK_THROWS(std::invalid_argument, gather_rows<int64_t>(table, 64, std::vector<int64_t>{1}, out));
        CHECK_THROWS(std::invalid_argument, gather_rows<int64_t>(table, 63, std::vector<int64_t>{1}, out));
        CHECK_THROWS(std::invalid_argument, gather_rows<int64_t>(table, 0, std::vector<int64_t>{}, {}));
    }
}
