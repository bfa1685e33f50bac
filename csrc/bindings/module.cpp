#include "bind.h"

NB_MODULE(_core, m) {
    using namespace weft::bind;
    m.doc() = "weft's native core. Private: use weft.kernels.";
    bind_codec(m);
    bind_components(m);
    bind_csr(m);
    bind_gather(m);
    bind_idmap(m);
    bind_intern(m);
    bind_neighbor(m);
    bind_pairs(m);
    bind_parse(m);
    bind_paths(m);
    bind_philox(m);
    bind_rmat(m);
    bind_row_file(m);
    bind_row_cache(m);
    bind_runtime(m);
    bind_sgns(m);
    bind_spmm(m);
    bind_temporal(m);
    bind_walk(m);
}
