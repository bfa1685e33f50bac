#include "intern.h"

#include <array>
#include <stdexcept>
#include <string>

#include "check.h"
#include "pool.h"

namespace {

struct Packed {
    std::string bytes;
    std::vector<int64_t> offsets{0};

    void push(const std::string& s) {
        bytes += s;
        offsets.push_back(static_cast<int64_t>(bytes.size()));
    }
    weft::StringsView view() const { return {bytes, offsets}; }
};

std::vector<uint32_t> add(weft::Interner& interner, const Packed& packed) {
    std::vector<uint32_t> out(packed.view().size());
    const std::array columns{packed.view()};
    const std::array outs{std::span<uint32_t>(out)};
    interner.add(columns, outs);
    return out;
}

void grows_and_finds() {
    for (const int threads : {1, 4}) {
        weft::set_num_threads(threads);
        weft::Interner interner;
        Packed packed;
        for (int i = 0; i < 50'000; ++i) packed.push(std::string(static_cast<size_t>(i % 37), 'x') + std::to_string(i / 2));
        const auto first = add(interner, packed);
        const auto again = add(interner, packed);
        CHECK(first == again);
        std::vector<uint32_t> found(packed.view().size());
        interner.find(packed.view(), found);
        CHECK(found == first);
        std::vector<char> bytes(interner.bytes());
        std::vector<int64_t> offsets(interner.size() + 1);
        interner.names(bytes, offsets);
        uint32_t next = 0;
        for (size_t i = 0; i < first.size(); ++i) {
            CHECK(first[i] <= next);
            if (first[i] == next) ++next;
            const auto a = static_cast<size_t>(packed.offsets[i]), b = static_cast<size_t>(packed.offsets[i + 1]);
            const auto c = static_cast<size_t>(offsets[first[i]]), d = static_cast<size_t>(offsets[first[i] + 1]);
            CHECK(packed.bytes.substr(a, b - a) == std::string(bytes.data() + c, d - c));
        }
        CHECK(next == interner.size());
    }
}

void refuses_damage() {
    weft::Interner interner;
    Packed packed;
    packed.push("ab");
    packed.push("c");
    packed.offsets[1] = 9;
    CHECK_THROWS(std::out_of_range, add(interner, packed));
    packed.offsets[1] = -1;
    CHECK_THROWS(std::out_of_range, add(interner, packed));
    CHECK(interner.size() == 0);
    std::vector<uint32_t> one(1);
    CHECK_THROWS(std::invalid_argument, interner.find(packed.view(), one));
}

void hash_spreads() {
    // Numbers as text, the commonest ids of all: neither half of the hash may collide more than chance would.
    std::vector<uint32_t> low(1 << 16), high(1 << 16);
    for (int i = 0; i < 1 << 18; ++i) {
        const uint64_t hash = weft::hash_bytes("node" + std::to_string(i));
        ++low[hash & 0xFFFF];
        ++high[hash >> 48];
    }
    // Four a bucket on average; more than 25 has a chance below 1e-8 over all buckets.
    for (size_t i = 0; i < low.size(); ++i) CHECK(low[i] <= 25 && high[i] <= 25);
    CHECK(weft::hash_bytes("ab") != weft::hash_bytes(std::string("ab\0", 3)));
    CHECK(weft::hash_bytes("") != weft::hash_bytes(std::string("\0", 1)));
}

}  // namespace

int main() {
    grows_and_finds();
    refuses_damage();
    hash_spreads();
}
