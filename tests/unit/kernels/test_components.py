"""Connected components against the reference, and on damaged rows."""

from __future__ import annotations

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.kernels.components import cpu, reference
from weft.kernels.csr.reference import edges_to_csr


@pytest.mark.parametrize("nodes", [0, 1, 63, 100, 1000])
@pytest.mark.parametrize("degree", [0, 0.5, 1, 4])
@pytest.mark.parametrize("directed", [True, False])
def test_equals_reference(nodes, degree, directed):
    rng = np.random.default_rng(nodes)
    edges = int(nodes * degree)
    src, dst = rng.integers(0, max(1, nodes), (2, edges))
    indptr, indices, _ = edges_to_csr(src, dst, None, nodes, directed=directed)
    np.testing.assert_array_equal(
        cpu.connected_components(indptr, indices), reference.connected_components(indptr, indices)
    )


@pytest.mark.parametrize(
    ("indptr", "indices", "message"),
    [
        ([0, 2, 1], [0, 1], "indptr is damaged"),
        ([0, 1, 9], [0, 1], "indptr is damaged"),
        ([-1, 1, 2], [0, 1], "indptr is damaged"),
        ([0, 1, 2], [0, 7], "names node 7"),
    ],
)
def test_damaged_rows_raise(indptr, indices, message):
    with pytest.raises(WeftValueError, match=message):
        cpu.connected_components(np.array(indptr), np.array(indices, np.uint32))
