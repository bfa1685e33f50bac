// Philox, huge buffers, components.
#include <cstring>
#include <stdexcept>
#include <vector>

#include "check.h"
#include "components.h"
#include "memory.h"
#include "philox.h"
#include "philox_fill.h"
#include "pool.h"

static void philox() {
    const weft::Counter known = weft::philox4x32({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u},
                                                 {0xa4093822u, 0x299f31d0u});
    CHECK((known == weft::Counter{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}));
    weft::set_num_threads(4);
    std::vector<uint32_t> many(4 * 100000);
    weft::philox_fill(many, 77, 5, 1, 2);
    const weft::Counter one = weft::draw(weft::key_of(77), 5 + 99999, 1, 2);
    CHECK(std::memcmp(one.data(), many.data() + 4 * 99999, sizeof one) == 0);
    for (const uint64_t n : {1ull, 3ull, 1ull << 32}) CHECK(weft::bounded(0xffffffffu, n) < n);
}

static void huge_buffer() {
    const weft::HugeBuffer empty(0);
    CHECK(empty.data() == nullptr && empty.bytes() == 0);
    weft::HugeBuffer a(5);
    auto* bytes = static_cast<unsigned char*>(a.data());
    CHECK(reinterpret_cast<size_t>(bytes) % (size_t{2} << 20) == 0);
    CHECK(bytes[0] == 0 && bytes[a.bytes() - 1] == 0);
    bytes[a.bytes() - 1] = 7;
    weft::HugeBuffer b(std::move(a));
    CHECK(static_cast<unsigned char*>(b.data())[b.bytes() - 1] == 7);
    weft::HugeBuffer c;
    c = std::move(b);
    CHECK(c.data() == bytes);
}

static void components() {
    const std::vector<int64_t> indptr{0, 1, 2, 2, 3};
    const std::vector<uint32_t> indices{3, 1, 0};
    std::vector<int64_t> root(4, -1);
    weft::connected_components<uint32_t>(indptr, indices, root);
    CHECK((root == std::vector<int64_t>{0, 1, 2, 0}));
    const std::vector<uint32_t> foreign{3, 9, 0};
    CHECK_THROWS(std::invalid_argument, weft::connected_components<uint32_t>(indptr, foreign, root));
}

int main() {
    philox();
    huge_buffer();
    components();
}
