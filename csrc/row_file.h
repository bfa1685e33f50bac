// Rows of a file, read past the page cache with many requests under way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace weft {

struct RowFileOptions {
    std::string path;
    uint64_t offset;   // of the first row
    uint64_t rows;
    uint64_t width;    // bytes of a row
    unsigned depth;    // requests under way
    bool ring;         // by io_uring where the system lets us; else threads
    bool direct;       // past the page cache where the file system can
};

class RowFile {
public:
    struct Counts {
        uint64_t requests, bytes;
    };

    // Throws std::system_error when the file cannot be opened, std::invalid_argument for sizes that do not fit or
    // when it is too short.
    explicit RowFile(const RowFileOptions& options);
    ~RowFile();
    RowFile(const RowFile&) = delete;
    RowFile& operator=(const RowFile&) = delete;

    // out[i] = row ids[i]. Rows of one block are read at once, blocks in the order of the file. One call at a time is
    // served. Throws std::invalid_argument for an id that is not a row, std::system_error naming file and offset when
    // a read fails, also where the file ends early; nothing is under way then, and out is undefined.
    void read(std::span<const int64_t> ids, std::span<std::byte> out);

    bool ring() const;
    bool direct() const;
    Counts counts() const;  // since it was opened

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace weft
