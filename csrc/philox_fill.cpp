#include "philox_fill.h"

#include "philox.h"
#include "pool.h"

namespace weft {
namespace {

WEFT_CLONES void fill(uint32_t* out, size_t begin, size_t end, Key key, uint64_t first, uint32_t index, uint32_t lane) {
    for (size_t i = begin; i < end; ++i) {
        const Counter block = draw(key, first + i, index, lane);
        for (int j = 0; j < 4; ++j) out[4 * i + j] = block[j];
    }
}

}  // namespace

void philox_fill(std::span<uint32_t> out, uint64_t key, uint64_t first, uint32_t index, uint32_t lane) {
    parallel_ranges(out.size() / 4, size_t{1} << 14, [&](size_t begin, size_t end) {
        fill(out.data(), begin, end, key_of(key), first, index, lane);
    });
}

}  // namespace weft
