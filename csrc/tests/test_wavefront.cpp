// Each block once, after its neighbours above and to the left, at any number of threads; errors come through.
#include "wavefront.h"

#include <atomic>
#include <stdexcept>
#include <utility>
#include <vector>

#include "check.h"
#include "pool.h"

using namespace weft;

namespace {

void visits_each_block_after_its_neighbours() {
    for (const int threads : {1, 2, 4})
        for (const auto& [rows, columns] : {std::pair<size_t, size_t>{0, 3}, {3, 0}, {1, 1}, {1, 7}, {7, 1}, {13, 9}}) {
            set_num_threads(threads);
            std::vector<std::atomic<int>> done(rows * columns);
            std::atomic<bool> ordered = true;
            // Plain ints that ThreadSanitizer watches: a row and a column are never written by two at once.
            std::vector<size_t> of_row(rows, 0), of_column(columns, 0);
            wavefront(rows, columns, [&](size_t i, size_t j) {
                if (i > 0 && done[(i - 1) * columns + j] != 1) ordered = false;
                if (j > 0 && done[i * columns + j - 1] != 1) ordered = false;
                if (of_row[i]++ != j || of_column[j]++ != i) ordered = false;
                ++done[i * columns + j];
            });
            CHECK(ordered);
            for (const auto& count : done) CHECK(count == 1);
        }
}

void stops_at_an_error() {
    for (const int threads : {1, 3}) {
        set_num_threads(threads);
        std::atomic<bool> past = false;
        CHECK_THROWS(std::runtime_error, (wavefront(5, 5, [&](size_t i, size_t j) {
            if (i == 1 && j == 2) throw std::runtime_error("here");
            if (i >= 1 && j > 2) past = true;
        })));
        CHECK(!past);
    }
}

}  // namespace

int main() {
    visits_each_block_after_its_neighbours();
    stops_at_an_error();
    return 0;
}
