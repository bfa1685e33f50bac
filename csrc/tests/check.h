// The whole of a test framework: a check that says where and what, and exits.
#pragma once

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);    \
            std::exit(1);                                                           \
        }                                                                           \
    } while (false)

#define CHECK_THROWS(exception, expression)                                         \
    do {                                                                            \
        bool thrown = false;                                                        \
        try {                                                                       \
            static_cast<void>(expression);                                          \
        } catch (const exception&) {                                                \
            thrown = true;                                                          \
        }                                                                           \
        if (!thrown) {                                                              \
            std::fprintf(stderr, "%s:%d: %s did not throw\n", __FILE__, __LINE__, #expression); \
            std::exit(1);                                                           \
        }                                                                           \
    } while (false)
