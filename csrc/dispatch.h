// Run-time CPU dispatch: one binary runs on any x86-64 and uses what the machine has.
#pragma once

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(WEFT_NO_CLONES)
#define WEFT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WEFT_CLONES
#endif

#define WEFT_INLINE inline __attribute__((always_inline))
