from __future__ import annotations

import numpy as np
import torch

from weft.features import MemoryTable
from weft.loader import NeighborLoader
from weft.loader.buffers import Buffers


def address(array):
    return array.__array_interface__["data"][0]


def test_used_again_when_nothing_refers_to_it():
    buffers = Buffers(MemoryTable(np.ones((9, 5), np.float32)), 2)
    first, second = buffers.room(40), buffers.room(40)
    assert first.shape == (40, 5)
    assert first.dtype == np.float32
    assert first.flags.c_contiguous
    assert address(first) != address(second)
    at = address(first)
    tensor = torch.from_numpy(first)[3:5]
    del first
    third = buffers.room(40)  # the tensor refers to it still
    assert address(third) not in (at, address(second))
    del tensor
    again = buffers.room(44)
    assert address(again) == at
    view = torch.from_numpy(again).numpy()
    del again
    assert address(buffers.room(40)) != at
    del view
    larger = buffers.room(400)
    assert larger.shape == (400, 5)
    assert len(buffers._kept) <= 2
    assert buffers.room(0).shape == (0, 5)


def test_batches_that_are_kept_keep_their_rows(graph, x):
    loader = NeighborLoader(graph, x, [3, 2], batch_size=20, shuffle=True, prefetch=1)
    for batch in [*loader, *loader]:
        np.testing.assert_array_equal(batch.x, x[batch.n_id])
    kept = []
    for number, batch in enumerate(loader):
        if number % 3 == 0:
            kept.append((batch.x[4:7], batch.n_id[4:7]))
    for rows, nodes in kept:
        np.testing.assert_array_equal(rows, x[nodes])


def test_memory_is_used_again(graph, x):
    table = MemoryTable(np.tile(x, (1, 64)))
    loader = NeighborLoader(graph, table, [3, 2], batch_size=5, prefetch=2)
    seen = {batch.x.data_ptr() for batch in loader}
    assert len(loader) == 60
    assert len(seen) < 20
