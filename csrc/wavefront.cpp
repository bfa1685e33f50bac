#include "wavefront.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "pool.h"

namespace weft {
namespace {

struct Place {
    size_t row, column;
};

class Front {
public:
    Front(size_t rows, size_t columns) : rows_(rows), done_(columns, 0), busy_(columns, 0) {}

    // A task that may begin: the next of column `mine` if it can, else that of the leftmost column. Waits while
    // there is none; nothing when all is done or failed.
    std::optional<Place> take(size_t mine) {
        std::unique_lock lock(mutex_);
        for (;;) {
            if (failed_) return {};
            while (first_ < done_.size() && done_[first_] == rows_) ++first_;
            if (first_ == done_.size()) return {};
            if (mine < done_.size() && ready(mine)) return begin(mine);
            for (size_t j = first_; j < done_.size() && (j == first_ || done_[j - 1] > 0); ++j)
                if (ready(j)) return begin(j);
            changed_.wait(lock);
        }
    }

    void end(size_t column) {
        {
            const std::lock_guard lock(mutex_);
            ++done_[column];
            busy_[column] = 0;
        }
        changed_.notify_all();
    }

    void fail() {
        {
            const std::lock_guard lock(mutex_);
            failed_ = true;
        }
        changed_.notify_all();
    }

private:
    bool ready(size_t j) const { return !busy_[j] && done_[j] < rows_ && (j == 0 || done_[j] < done_[j - 1]); }

    Place begin(size_t j) {
        busy_[j] = 1;
        return {done_[j], j};
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    const size_t rows_;
    std::vector<size_t> done_;  // rows of each column; never more than those of the column to its left
    std::vector<char> busy_;
    size_t first_ = 0;  // columns to its left are done
    bool failed_ = false;
};

}  // namespace

void wavefront(size_t rows, size_t columns, const std::function<void(size_t, size_t)>& task) {
    if (rows == 0 || columns == 0) return;
    Front front(rows, columns);
    parallel_for(static_cast<size_t>(num_threads()), [&](size_t) {
        size_t mine = columns;
        while (const auto place = front.take(mine)) {
            mine = place->column;
            try {
                task(place->row, mine);
            } catch (...) {
                front.fail();
                throw;
            }
            front.end(mine);
        }
    });
}

}  // namespace weft
