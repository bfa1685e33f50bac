"""Batches from the disk are the blocks of the pool sorted in memory."""

from __future__ import annotations

import numpy as np
import pytest

from weft.embed.batches import MemoryBatches
from weft.embed.plan import make_plan
from weft.embed.swap.pairs import DiskBatches
from weft.embed.swap.schedule import Grid, Swap
from weft.errors import BudgetError
from weft.graph import Graph
from weft.sampling import pairs
from weft.sampling.pairs import PairPools

PARTS = 7


@pytest.fixture
def pools(monkeypatch):
    monkeypatch.setattr(pairs, "_PAIRS", 1000)
    rng = np.random.default_rng(0)
    src, dst = (rng.random((2, 400)) ** 3 * 70).astype(np.int64)
    graph = Graph.from_edges(src, dst, num_nodes=70)
    plan = make_plan(graph, dim=4, pairs=9000, length=8, window=3, parts=PARTS)
    row = rng.permutation(70).astype(np.uint32)
    return plan, PairPools(graph, row, length=8, window=3, walks=plan.walks, seed=1)


def swap(panel, strip, capacity):
    return Swap(tables=True, grid=Grid(parts=PARTS, panel=panel, strip=strip), capacity=capacity)


def blocks(batches, pool, first):
    """Every block by its number: where its random numbers begin, and its pairs."""
    found = {}
    for batch in batches.of(pool, first):
        width = len(batch.tails)
        assert batch.offset[0] == 0
        assert batch.offset[-1] == len(batch.pair_B)
        for i, j in np.ndindex(len(batch.heads), width):
            b = i * width + j
            key = batch.heads[i], batch.tails[j]
            assert key not in found
            some = batch.pair_B[batch.offset[b] : batch.offset[b + 1]]
            found[key] = int(batch.item[b]), some.tolist()
    return found


@pytest.mark.parametrize(("panel", "strip"), [(1, 1), (2, 3), (7, 2), (3, 7), (7, 7)])
@pytest.mark.parametrize("capacity", [2000, 4000, 100_000])
def test_blocks_are_those_of_memory(pools, scratch, panel, strip, capacity):
    plan, source = pools
    disk = DiskBatches(plan, swap(panel, strip, capacity), scratch)
    memory = MemoryBatches(plan)
    for number, most in ((0, 1 << 40), (1, 1000), (2, 1 << 40)):
        pool = source.pool(number, most)
        want = blocks(memory, pool, 12_345)
        assert len(want) == PARTS * PARTS
        assert want[0, 0][0] == 12_345
        assert blocks(disk, pool, 12_345) == want


def test_a_part_that_is_too_crowded(pools, scratch):
    plan, source = pools
    disk = DiskBatches(plan, swap(7, 1, 512), scratch)
    with pytest.raises(BudgetError, match=r"the plan has room for [\d,]+; give .*iB more memory"):
        list(disk.of(source.pool(0, 1 << 40), 0))
