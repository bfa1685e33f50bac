#include "intern.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "pool.h"

namespace weft {
namespace {

constexpr size_t batch = 1024;
constexpr size_t ahead = 12;  // how many strings lie between a prefetch and its use

uint64_t word(const char* p) {
    uint64_t value;
    std::memcpy(&value, p, sizeof value);
    return value;
}

uint64_t half(const char* p) {
    uint32_t value;
    std::memcpy(&value, p, sizeof value);
    return value;
}

// The 128-bit product, folded: every bit of the result depends on every bit of both factors.
uint64_t fold(uint64_t a, uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Fractional digits of the square roots of 2, 3 and 5.
constexpr uint64_t k0 = 0x6A09E667F3BCC909u, k1 = 0xBB67AE8584CAA73Bu, k2 = 0x3C6EF372FE94F82Bu;

std::string_view string_at(const StringsView& strings, size_t i) {
    const int64_t begin = strings.offsets[i], end = strings.offsets[i + 1];
    if (begin < 0 || end < begin || static_cast<uint64_t>(end) > strings.bytes.size())
        throw std::out_of_range("Interner: offsets[" + std::to_string(i) + "] = " + std::to_string(begin) +
                                " and the next, " + std::to_string(end) + ", must rise and stay within " +
                                std::to_string(strings.bytes.size()) + " bytes");
    return {strings.bytes.data() + begin, static_cast<size_t>(end - begin)};
}

uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace

uint64_t hash_bytes(std::string_view text) {
    const char* p = text.data();
    size_t n = text.size();
    uint64_t state = k0 ^ (n * k1);
    for (; n > 16; n -= 16, p += 16) state = fold(word(p) ^ k1, word(p + 8) ^ state);
    uint64_t a = 0, b = 0;  // the last 1 to 16 bytes, possibly overlapping
    if (n >= 8) {
        a = word(p);
        b = word(p + n - 8);
    } else if (n >= 4) {
        a = half(p);
        b = half(p + n - 4);
    } else if (n > 0) {
        const auto byte = [p](size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(p[i])); };
        a = byte(0) | byte(n / 2) << 8 | byte(n - 1) << 16;
    }
    return fold(fold(a ^ k1, b ^ state) ^ k2, state ^ k0);
}

void Arena::append(std::string_view text) {
    while (!text.empty()) {
        const size_t used = size_ & (block - 1);
        if (used == 0 && blocks_.size() == size_ >> block_bits)
            blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
        const size_t part = std::min(text.size(), block - used);
        std::memcpy(blocks_[size_ >> block_bits].get() + used, text.data(), part);
        size_ += part;
        text.remove_prefix(part);
    }
}

bool Arena::equals(size_t at, std::string_view text) const {
    while (!text.empty()) {
        const size_t part = std::min(text.size(), block - (at & (block - 1)));
        if (std::memcmp(address(at), text.data(), part) != 0) return false;
        at += part;
        text.remove_prefix(part);
    }
    return true;
}

void Arena::copy(size_t begin, size_t end, char* to) const {
    while (begin < end) {
        const size_t part = std::min(end - begin, block - (begin & (block - 1)));
        std::memcpy(to, address(begin), part);
        begin += part;
        to += part;
    }
}

Interner::Interner() : slots_(1024), mask_(slots_.size() - 1) {}

uint32_t Interner::seek(uint64_t hash, std::string_view text) const {
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
        const Slot slot = slots_[at];
        if (slot.number == unknown) return unknown;
        if (slot.tag != tag_of(hash)) continue;
        const size_t begin = static_cast<size_t>(offsets_[slot.number]);
        const size_t size = static_cast<size_t>(offsets_[slot.number + 1]) - begin;
        if (size == text.size() && arena_.equals(begin, text)) return slot.number;
    }
}

uint32_t Interner::insert(uint64_t hash, std::string_view text) {
    if (const uint32_t known = seek(hash, text); known != unknown) return known;
    const size_t count = offsets_.size() - 1;
    if (count == unknown) throw std::length_error("Interner: more than 4,294,967,295 different strings");
    if ((count + 1) * 8 > slots_.size() * 5) grow();
    // The offset goes last: should memory run out before it, the string is not in, nor its bytes.
    const size_t begin = static_cast<size_t>(offsets_.back());
    arena_.cut(begin);
    arena_.append(text);
    offsets_.push_back(static_cast<int64_t>(begin + text.size()));
    size_t at = hash & mask_;
    while (slots_[at].number != unknown) at = (at + 1) & mask_;
    slots_[at] = {tag_of(hash), static_cast<uint32_t>(count)};
    return static_cast<uint32_t>(count);
}

void Interner::grow() {
    std::vector<Slot> slots(slots_.size() * 2);
    const size_t mask = slots.size() - 1;
    std::string spare;
    // Hashes are computed again, in the order of the arena: storing them would cost 8 bytes a string.
    const size_t count = offsets_.size() - 1;
    std::vector<uint64_t> hashes(batch);
    for (size_t first = 0; first < count; first += batch) {
        const size_t last = std::min(count, first + batch);
        for (size_t i = first; i < last; ++i) {
            spare.resize(static_cast<size_t>(offsets_[i + 1] - offsets_[i]));
            arena_.copy(static_cast<size_t>(offsets_[i]), static_cast<size_t>(offsets_[i + 1]), spare.data());
            hashes[i - first] = hash_bytes(spare);
            __builtin_prefetch(&slots[hashes[i - first] & mask], 1);
        }
        for (size_t i = first; i < last; ++i) {
            const uint64_t hash = hashes[i - first];
            size_t at = hash & mask;
            while (slots[at].number != unknown) at = (at + 1) & mask;
            slots[at] = {tag_of(hash), static_cast<uint32_t>(i)};
        }
    }
    slots_.swap(slots);
    mask_ = mask;
}

void Interner::look_up(const StringsView& strings, size_t begin, size_t end, uint32_t* out, uint64_t* hashes) const {
    uint64_t local[batch];
    for (size_t first = begin; first < end; first += batch) {
        const size_t n = std::min(batch, end - first);
        for (size_t i = 0; i < n; ++i) {
            local[i] = hash_bytes(string_at(strings, first + i));
            if (hashes) hashes[first + i] = local[i];
        }
        // A look-up touches a slot, the offsets of its string and the bytes of it: three misses in a chain,
        // each asked for well before it is needed.
        const auto slot = [&](size_t i) -> const Slot& { return slots_[local[i] & mask_]; };
        for (size_t i = 0; i < n + 3 * ahead; ++i) {
            if (i < n) __builtin_prefetch(&slot(i));
            if (i >= ahead && i - ahead < n) {
                const Slot& s = slot(i - ahead);
                if (s.number != unknown) __builtin_prefetch(&offsets_[s.number]);
            }
            if (i >= 2 * ahead && i - 2 * ahead < n) {
                const Slot& s = slot(i - 2 * ahead);
                if (s.number != unknown && static_cast<size_t>(offsets_[s.number]) < arena_.size())
                    __builtin_prefetch(arena_.address(static_cast<size_t>(offsets_[s.number])));
            }
            if (i >= 3 * ahead) {
                const size_t j = i - 3 * ahead;
                out[first + j] = seek(local[j], string_at(strings, first + j));
            }
        }
    }
}

void Interner::add(std::span<const StringsView> columns, std::span<const std::span<uint32_t>> out) {
    if (columns.size() != out.size()) throw std::invalid_argument("Interner: as many outputs as columns are needed");
    const size_t rows = columns.empty() ? 0 : columns[0].size();
    for (size_t c = 0; c < columns.size(); ++c)
        if (columns[c].size() != rows || out[c].size() != rows)
            throw std::invalid_argument("Interner: columns and outputs must have one length");
    const std::lock_guard lock(mutex_);
    // Most strings of a batch are known from earlier ones: those are found on all threads, the rest in order.
    std::vector<std::vector<uint64_t>> hashes(columns.size());
    for (size_t c = 0; c < columns.size(); ++c) {
        hashes[c].resize(rows);
        parallel_ranges(rows, batch, [&](size_t begin, size_t end) {
            look_up(columns[c], begin, end, out[c].data(), hashes[c].data());
        });
    }
    for (size_t i = 0; i < rows; ++i) {
        for (size_t c = 0; c < columns.size(); ++c) {
            if (i + ahead < rows && out[c][i + ahead] == unknown)
                __builtin_prefetch(&slots_[hashes[c][i + ahead] & mask_], 1);
            if (out[c][i] == unknown) out[c][i] = insert(hashes[c][i], string_at(columns[c], i));
        }
    }
}

void Interner::find(const StringsView& strings, std::span<uint32_t> out) const {
    if (out.size() != strings.size()) throw std::invalid_argument("Interner: one output for each string is needed");
    const std::lock_guard lock(mutex_);
    parallel_ranges(strings.size(), batch,
                    [&](size_t begin, size_t end) { look_up(strings, begin, end, out.data(), nullptr); });
}

size_t Interner::size() const {
    const std::lock_guard lock(mutex_);
    return offsets_.size() - 1;
}

size_t Interner::bytes() const {
    const std::lock_guard lock(mutex_);
    return static_cast<size_t>(offsets_.back());
}

void Interner::names(std::span<char> to, std::span<int64_t> offsets) const {
    const std::lock_guard lock(mutex_);
    if (offsets.size() != offsets_.size() || to.size() != static_cast<size_t>(offsets_.back()))
        throw std::invalid_argument("Interner: names need size() + 1 offsets and bytes() bytes");
    std::copy(offsets_.begin(), offsets_.end(), offsets.begin());
    arena_.copy(0, to.size(), to.data());
}

}  // namespace weft
