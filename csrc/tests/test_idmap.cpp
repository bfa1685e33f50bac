#include "idmap.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "check.h"
#include "pool.h"

using namespace weft;

namespace {

std::vector<int64_t> ids(size_t count, uint64_t width, int64_t offset) {
    std::vector<int64_t> out;
    uint64_t state = 7;
    for (size_t i = 0; i < count; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        out.push_back(static_cast<int64_t>((width == 0 ? state : (state >> 11) % width) + static_cast<uint64_t>(offset)));
    }
    return out;
}

void numbers(const std::vector<int64_t>& given, uint64_t bitmap) {
    std::vector<int64_t> expected = given;
    std::sort(expected.begin(), expected.end());
    expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
    for (const int threads : {1, 4}) {
        set_num_threads(threads);
        IdSet set(bitmap);
        set.add(std::span<const int64_t>(given).first(given.size() / 3));
        set.add(std::span<const int64_t>(given).subspan(given.size() / 3));
        std::vector<int64_t> distinct(set.finish());
        set.write(distinct);
        CHECK(distinct == expected);

        const IdIndex index{std::span<const int64_t>(distinct)};
        std::vector<uint32_t> nodes(given.size());
        index.map<int64_t, uint32_t>(given, nodes);
        for (size_t i = 0; i < given.size(); ++i) CHECK(distinct[nodes[i]] == given[i]);
        std::vector<int64_t> found(1);
        for (const int64_t probe : {std::numeric_limits<int64_t>::min(), int64_t{-1}, int64_t{0}, std::numeric_limits<int64_t>::max()}) {
            index.find(std::span(&probe, 1), found);
            const auto at = std::lower_bound(expected.begin(), expected.end(), probe);
            CHECK(found[0] == (at != expected.end() && *at == probe ? at - expected.begin() : -1));
        }
    }
}

}  // namespace

int main() {
    for (const size_t count : {size_t{0}, size_t{1}, size_t{1000}, size_t{200'000}})
        for (const uint64_t bitmap : {uint64_t{0}, uint64_t{1} << 20}) {
            numbers(ids(count, 1000, 0), bitmap);
            numbers(ids(count, 100'000'000, -50'000'000), bitmap);
            numbers(ids(count, 0, 0), bitmap);
            numbers({std::numeric_limits<int64_t>::min(), 5, std::numeric_limits<int64_t>::max(), 5, -1}, bitmap);
        }
    const std::vector<int64_t> falling{2, 1}, unknown{3};
    CHECK_THROWS(std::invalid_argument, IdIndex(std::span<const int64_t>(falling)));
    std::vector<uint32_t> out(1);
    CHECK_THROWS(std::out_of_range, (IdIndex(uint64_t{3}).map<int64_t, uint32_t>(unknown, out)));
}
