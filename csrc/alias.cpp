#include "alias.h"

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "pool.h"

namespace weft {
namespace {

constexpr uint64_t unit = uint64_t{1} << 32;  // the mass of one slot

[[noreturn]] void refuse(size_t node, const std::string& what) {
    throw std::invalid_argument("alias: node " + std::to_string(node) + " " + what);
}

// Turns weights into whole numbers that sum to exactly size * 2^32: the differences of the rounded-down
// cumulative shares. Whole numbers cannot leave a slot over, so the table needs no repair for rounding and
// an edge of weight zero, whose mass is exactly zero, can never be chosen.
// Precision: an edge's mass is off by less than 1 + size / 2^18 parts in 2^32 of a slot: 1 for rounding down
// at both ends, the rest for the few float64 roundings of a number below size * 2^32. The 32 bits of the draw
// leave a slot 2^32 / size values and so weigh more: the row is off by at most size / 2^32 in total variation.
template <typename Weight>
void masses(size_t node, std::span<const Weight> weight, std::vector<uint64_t>& mass) {
    const size_t size = weight.size();
    double total = 0;
    for (const Weight w : weight) {
        if (!(w >= 0) || !std::isfinite(w))
            refuse(node, "has an edge of weight " + std::to_string(w) + "; weights must be finite and not negative");
        total += static_cast<double>(w);
    }
    if (!(total > 0))
        refuse(node, "has only edges of weight zero (" + std::to_string(size) + "); drop them or give one a weight");
    if (!std::isfinite(total)) refuse(node, "has weights whose sum is not finite; scale them down");
    const double slots = static_cast<double>(size) * static_cast<double>(unit);
    mass.resize(size);
    double sum = 0;
    uint64_t before = 0;
    for (size_t i = 0; i < size; ++i) {
        sum += static_cast<double>(weight[i]);
        const auto until = static_cast<uint64_t>(sum / total * slots);
        mass[i] = until - before;
        before = until;
    }
}

uint64_t packed(uint64_t threshold, size_t other) { return threshold | static_cast<uint64_t>(other) << 32; }

// One pass: `light` runs over slots that are less than full, `heavy` over the others. The heavy edge fills
// up light slots until it is itself light, and is then filled up by the next heavy one.
void sweep(const std::vector<uint64_t>& mass, std::span<uint64_t> table) {
    const size_t size = mass.size();
    const auto next = [&](size_t i, bool heavy) {
        while (i < size && (mass[i] >= unit) != heavy) ++i;
        return i;
    };
    size_t light = next(0, false);
    size_t heavy = next(0, true);
    uint64_t rest = mass[heavy];  // some edge is heavy: the masses are one unit each on average
    while (heavy < size) {
        if (light < size && rest > unit) {
            table[light] = packed(mass[light], heavy);
            rest -= unit - mass[light];
            light = next(light + 1, false);
        } else if (rest == unit) {
            table[heavy] = packed(UINT32_MAX, heavy);  // full: whichever way the draw falls, it is this edge
            heavy = next(heavy + 1, true);
            if (heavy < size) rest = mass[heavy];
        } else {
            const size_t after = next(heavy + 1, true);
            table[heavy] = packed(rest, after);
            rest = mass[after] - (unit - rest);
            heavy = after;
        }
    }
}

}  // namespace

template <typename Weight>
void alias_tables(std::span<const int64_t> indptr, std::span<const Weight> weight, std::span<uint64_t> table) {
    if (indptr.empty() || table.size() != weight.size())
        throw std::invalid_argument("alias: indptr must not be empty and table must have the length of weight");
    parallel_ranges(indptr.size() - 1, 1024, [&](size_t begin, size_t end) {
        std::vector<uint64_t> mass;
        for (size_t node = begin; node < end; ++node) {
            const auto row = static_cast<uint64_t>(indptr[node]);
            const uint64_t degree = static_cast<uint64_t>(indptr[node + 1]) - row;
            if (row > weight.size() || degree > weight.size() - row || degree > UINT32_MAX)
                refuse(node, "has a row in indptr that does not lie within the " + std::to_string(weight.size()) +
                                 " edges or is 2**32 edges long or more; import the graph again");
            if (degree == 0) continue;
            masses(node, weight.subspan(row, degree), mass);
            sweep(mass, table.subspan(row, degree));
        }
    });
}

template void alias_tables(std::span<const int64_t>, std::span<const float>, std::span<uint64_t>);
template void alias_tables(std::span<const int64_t>, std::span<const double>, std::span<uint64_t>);

}  // namespace weft
