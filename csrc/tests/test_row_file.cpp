#include "row_file.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "check.h"
#include "io_ring.h"

using weft::RowFile;

namespace {

struct Written {
    std::string path = "rows-XXXXXX";
    std::vector<char> content;

    explicit Written(size_t bytes) : content(bytes) {
        for (size_t i = 0; i < bytes; ++i) content[i] = static_cast<char>(i * 131 >> 4);
        const int fd = mkstemp(path.data());
        CHECK(fd >= 0);
        close(fd);
        std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(bytes));
    }
    ~Written() { unlink(path.c_str()); }
};

void rows_arrive(bool ring, bool direct, uint64_t width, uint64_t rows, uint64_t offset, unsigned depth) {
    const Written file(offset + rows * width);
    RowFile table({file.path, offset, rows, width, depth, ring, direct});
    std::vector<int64_t> ids;
    for (uint64_t i = 0; i < 700; ++i) ids.push_back(static_cast<int64_t>(i * i * 31 % rows));
    std::vector<std::byte> out(ids.size() * width);
    table.read(ids, out);
    for (size_t i = 0; i < ids.size(); ++i)
        CHECK(std::memcmp(&out[i * width], &file.content[offset + static_cast<uint64_t>(ids[i]) * width], width) == 0);
    CHECK(table.counts().requests > 0 && table.counts().bytes >= table.counts().requests * width);
    table.read({}, {});
}

// Several threads ask one table at once: it serves them in turn.
void threads_take_turns(bool ring) {
    const Written file(1000 * 512);
    RowFile table({file.path, 0, 1000, 512, 16, ring, true});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            std::vector<int64_t> ids;
            for (int64_t i = 0; i < 200; ++i) ids.push_back((i * 7 + t * 13) % 1000);
            std::vector<std::byte> out(ids.size() * 512);
            table.read(ids, out);
            for (size_t i = 0; i < ids.size(); ++i)
                CHECK(std::memcmp(&out[i * 512], &file.content[static_cast<size_t>(ids[i]) * 512], 512) == 0);
        });
    for (auto& thread : threads) thread.join();
}

void faults_are_named(bool ring) {
    const Written file(100 * 512);
    CHECK_THROWS(std::system_error, RowFile({"no-such-file", 0, 1, 1, 1, ring, true}));
    CHECK_THROWS(std::invalid_argument, RowFile({file.path, 0, 101, 512, 1, ring, true}));
    CHECK_THROWS(std::invalid_argument, RowFile({file.path, 1, 100, 512, 1, ring, true}));
    CHECK_THROWS(std::invalid_argument, RowFile({file.path, 0, 100, 0, 1, ring, true}));
    RowFile table({file.path, 0, 100, 512, 4, ring, true});
    std::vector<std::byte> out(512);
    CHECK_THROWS(std::invalid_argument, table.read(std::vector<int64_t>{100}, out));
    CHECK_THROWS(std::invalid_argument, table.read(std::vector<int64_t>{-1}, out));
    CHECK_THROWS(std::invalid_argument, table.read(std::vector<int64_t>{1, 2}, out));
    CHECK(truncate(file.path.c_str(), 30 * 512) == 0);
    std::vector<int64_t> all;
    for (int64_t i = 0; i < 100; ++i) all.push_back(i);
    std::vector<std::byte> rows(100 * 512);
    CHECK_THROWS(std::system_error, table.read(all, rows));
    table.read(std::vector<int64_t>{29}, out);  // and is as good as before for what is there
    CHECK(std::memcmp(out.data(), &file.content[29 * 512], 512) == 0);
}

}  // namespace

int main() {
    for (const bool ring : {false, true}) {
        if (ring && !weft::IoRing::available()) break;
        for (const bool direct : {false, true}) {
            rows_arrive(ring, direct, 512, 1000, 0, 32);
            rows_arrive(ring, direct, 400, 1000, 128, 5);
            rows_arrive(ring, direct, 1, 9000, 4095, 1);
            rows_arrive(ring, direct, 70000, 40, 10, 3);
            rows_arrive(ring, direct, 5, 3, 0, 64);
        }
        threads_take_turns(ring);
        faults_are_named(ring);
    }
}
