// Rows of a file, read past the page cache with many requests under way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

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
    // A row, and where its bytes go.
    struct Want {
        uint64_t id;
        std::byte* to;
    };
    // Asked for each row that a read brings along though nobody wants it, in rising order: where it goes, or nullptr.
    using Along = std::function<std::byte*(uint64_t id)>;

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

    // The same in two steps, with a place for each row: what to read, then the reading. A plan may be empty.
    struct Request {
        size_t first, last;           // of the wants, which lie close
        uint64_t begin, end, needed;  // bytes of the file; it may end between needed and end
    };
    struct Plan {
        std::vector<Want> wants;
        std::vector<Request> requests;
    };
    Plan plan(std::vector<Want> wants, const Along& along) const;
    void run(const Plan& plan);

    // How far apart two rows may lie for one read to get both, with what lies between them: where a read costs a and
    // a byte b, a / b. Measured by 384 short and 384 long reads; left as it is where they go through the page cache
    // or the file is small.
    void measure_gap();
    uint64_t gap() const;
    void set_gap(uint64_t bytes);  // rounded down to blocks

    uint64_t width() const;
    uint64_t bytes() const;  // of all rows
    bool ring() const;
    bool direct() const;
    Counts counts() const;  // since it was opened

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace weft
