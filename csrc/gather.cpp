#include "gather.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "dispatch.h"
#include "pool.h"
#include "rows_ahead.h"

namespace weft {
namespace {

constexpr size_t grain = 1 << 16;     // bytes a task copies at least

[[noreturn, gnu::cold, gnu::noinline]] void refuse(const std::string& what) {
    throw std::invalid_argument("gather: " + what);
}

// Width as a constant where there is one: the copy is then a few vector moves instead of a call.
template <size_t fixed, typename Id>
WEFT_INLINE void copy_rows(const std::byte* table, size_t given, const Id* ids, size_t count, std::byte* out) {
    const size_t width = fixed ? fixed : given;
    const size_t ahead = rows_ahead(width);
    for (size_t i = 0; i < std::min(ahead, count); ++i) ask(table + static_cast<size_t>(ids[i]) * width, width);
    for (size_t i = 0; i < count; ++i) {
        if (i + ahead < count) ask(table + static_cast<size_t>(ids[i + ahead]) * width, width);
        std::memcpy(out + i * width, table + static_cast<size_t>(ids[i]) * width, width);
    }
}

template <typename Id>
WEFT_INLINE bool range(const std::byte* table, uint64_t rows, size_t width, const Id* ids, size_t count, std::byte* out) {
    if (!rows_are_there(ids, count, rows)) return false;
    switch (width) {
        case 64: copy_rows<64>(table, width, ids, count, out); break;
        case 128: copy_rows<128>(table, width, ids, count, out); break;
        case 256: copy_rows<256>(table, width, ids, count, out); break;
        case 512: copy_rows<512>(table, width, ids, count, out); break;
        default: copy_rows<0>(table, width, ids, count, out);
    }
    return true;
}

// Clones cannot be templates.
#define WEFT_GATHER(NAME, ID)                                                                                  \
    WEFT_CLONES bool NAME(const std::byte* table, uint64_t rows, size_t width, const ID* ids, size_t count,    \
                          std::byte* out) {                                                                    \
        return range(table, rows, width, ids, count, out);                                                     \
    }
WEFT_GATHER(gather_range, uint32_t)
WEFT_GATHER(gather_range, int64_t)
#undef WEFT_GATHER

template <typename Id>
[[noreturn]] void bad_id(std::span<const Id> ids, uint64_t rows) {
    const auto at = std::find_if(ids.begin(), ids.end(), [&](Id id) { return static_cast<uint64_t>(id) >= rows; });
    refuse("id " + std::to_string(at - ids.begin()) + " is row " + std::to_string(*at) + " of " + std::to_string(rows));
}

}  // namespace

template <typename Id>
void gather_rows(std::span<const std::byte> table, size_t width, std::span<const Id> ids, std::span<std::byte> out) {
    if (width == 0 || table.size() % width != 0)
        refuse("a table of " + std::to_string(table.size()) + " bytes does not consist of rows of " +
               std::to_string(width));
    if (out.size() != ids.size() * width)
        refuse("out must hold " + std::to_string(ids.size() * width) + " bytes (got " + std::to_string(out.size()) + ")");
    const uint64_t rows = table.size() / width;
    parallel_ranges(ids.size(), std::max<size_t>(1, grain / width), [&](size_t begin, size_t end) {
        if (!gather_range(table.data(), rows, width, ids.data() + begin, end - begin, out.data() + begin * width))
            bad_id(ids, rows);
    });
}

template void gather_rows(std::span<const std::byte>, size_t, std::span<const uint32_t>, std::span<std::byte>);
template void gather_rows(std::span<const std::byte>, size_t, std::span<const int64_t>, std::span<std::byte>);

}  // namespace weft
