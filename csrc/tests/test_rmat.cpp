#include "rmat.h"

#include <stdexcept>
#include <vector>

#include "check.h"
#include "pool.h"

using namespace weft;

int main() {
    const std::array<uint64_t, 3> thresholds{2448131359u, 3264175145u, 4080218931u};
    for (const int scale : {1, 2, 7, 32}) {
        std::vector<uint32_t> src(5000), dst(5000), again(5000), other(5000);
        set_num_threads(1);
        rmat_edges(9, scale, thresholds, 77, src, dst);
        set_num_threads(4);
        for (size_t begin = 0; begin < 5000; begin += 1250)
            rmat_edges(9, scale, thresholds, 77 + begin, std::span(again).subspan(begin, 1250),
                       std::span(other).subspan(begin, 1250));
        CHECK(src == again && dst == other);
        for (const uint32_t u : src) CHECK(scale == 32 || u >> scale == 0);
    }
    std::vector<uint32_t> one(1);
    CHECK_THROWS(std::invalid_argument, rmat_edges(1, 33, thresholds, 0, one, one));
    CHECK_THROWS(std::invalid_argument, rmat_edges(1, 3, thresholds, 0, one, {}));
}
