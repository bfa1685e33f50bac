// What the machine allows: random reads as fast as this core can issue them.
#pragma once

#include <cstdint>
#include <span>

namespace weft {

// Reads `reads` elements of data at independent, uniformly random places on all threads and returns their
// sum. data must not be empty.
uint64_t probe_random_reads(std::span<const uint32_t> data, uint64_t reads, uint32_t seed);

}  // namespace weft
