"""Records by cell, against NumPy's stable sort."""

from __future__ import annotations

import numpy as np
import pytest

from weft.embed.swap.scratch import aligned
from weft.embed.swap.spill import Spill
from weft.errors import StorageError


def make(scratch, cells, dtype, shape=(), *, chunk):
    size = chunk * np.dtype(dtype).itemsize * int(np.prod(shape))
    return Spill(scratch, "test records", cells, dtype, shape, buffers=(aligned(size), aligned(size)))


def put(spill, records, cell, cells):
    """A chunk; its cells lie in falling order, which is as good as any."""
    order = np.argsort(-cell, kind="stable")
    count = np.bincount(cell, minlength=cells)
    begin = len(cell) - np.cumsum(count)
    spill.put(records[order], begin, count)


@pytest.mark.parametrize("shape", [(), (3,), (16,)])
@pytest.mark.parametrize("sizes", [[], [0], [1], [63, 0, 100], [1000] * 20])
def test_cells_come_back_in_the_order_they_were_put(scratch, shape, sizes):
    rng, cells = np.random.default_rng(len(sizes)), 12
    spill = make(scratch, cells, np.uint64, shape, chunk=1000)
    for _ in range(2):
        cell = [
            rng.integers(0, cells - 1, size) ** 2 // cells for size in sizes
        ]  # skewed, the last one empty
        data = [rng.integers(0, 1 << 60, (size, *shape), np.uint64) for size in sizes]
        for records, of in zip(data, cell, strict=True):
            chunk = records.copy()
            put(spill, chunk, of, cells)
            chunk[:] = 0
        for first, last in [(0, cells), (0, 1), (3, 3), (4, 9), (cells - 1, cells)]:
            chosen = [
                d[np.argsort(c, kind="stable")][np.isin(np.sort(c), range(first, last))]
                for d, c in zip(data, cell, strict=True)
            ]
            expected = np.concatenate([np.empty((0, *shape), np.uint64), *chosen])
            assert spill.count_C[first:last].sum() == len(expected)
            out = np.empty(expected.shape, np.uint64)
            spill.read(first, last, out).wait()
            np.testing.assert_array_equal(out, expected)
        spill.clear()
        assert not spill.count_C.any()


def test_several_reads_at_once(scratch):
    spill = make(scratch, 4, np.uint32, chunk=50_000)
    cell = np.arange(50_000) % 4
    for k in range(5):
        put(spill, (cell * 10 + k).astype(np.uint32), cell, 4)
    outs = [np.empty(int(spill.count_C[c]), np.uint32) for c in range(4)]
    for transfer in [spill.read(c, c + 1, outs[c]) for c in range(4)]:
        transfer.wait()
    for c in range(4):
        np.testing.assert_array_equal(outs[c], np.repeat(np.arange(5) + c * 10, 12_500))


def test_a_full_disk(scratch, file_limit):
    spill = make(scratch, 1, np.uint64, chunk=100_000)
    file_limit(1 << 20)
    with pytest.raises(
        StorageError, match=r"cannot write .* of test records in .* the file would pass the size limit"
    ):
        for _ in range(4):
            put(spill, np.zeros(100_000, np.uint64), np.zeros(100_000, np.int64), 1)
