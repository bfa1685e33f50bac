// What the machine allows: random reads and arithmetic as fast as its cores can do them.
#pragma once

#include <cstdint>
#include <span>

namespace weft {

// Reads `reads` elements of data at independent, uniformly random places on all threads and returns their
// sum. data must not be empty.
uint64_t probe_random_reads(std::span<const uint32_t> data, uint64_t reads, uint32_t seed);

// Does `rounds` times 192 independent float32 multiplications and as many additions, not fused, on every thread
// and returns a number that depends on all of them.
float probe_arithmetic(uint64_t rounds);

}  // namespace weft
