"""Sizes of runs and the deal of nodes to parts: what must hold for every size."""

from __future__ import annotations

import numpy as np
import pytest

from weft.embed.plan import auto_window, deal, make_plan
from weft.errors import BudgetError
from weft.graph import Graph


@pytest.mark.parametrize("nodes", [0, 1, 63, 100, 1000])
@pytest.mark.parametrize("parts", [1, 2, 7])
def test_every_node_has_its_own_row_and_parts_are_alike(nodes, parts):
    degree = (np.random.default_rng(nodes).pareto(1.0, nodes) * 3).astype(np.int64)
    row = deal(degree, parts)
    rows = -(-nodes // parts)
    assert len(np.unique(row)) == nodes
    assert row.dtype == np.uint32
    if nodes == 0:
        return
    assert row.max() < rows * parts
    part = row // rows
    assert np.ptp(np.bincount(part, minlength=parts)) <= 1
    # Dealt forth and back, two parts never differ by more than the largest card of one turn.
    assert np.ptp(np.bincount(part, degree, minlength=parts)) <= degree.max()


@pytest.mark.parametrize(
    ("nodes", "edges", "window"),
    [
        (10_312, 333_983, 3),
        (1_138_499, 2_990_443, 8),
        (100, 50, 10),
        (100, 100, 10),
        (100, 201, 10),
        (0, 0, 10),
        (100, 100 * 1601, 1),
        (10, 10**9, 1),
    ],
)
def test_window_by_density(nodes, edges, window):
    assert auto_window(nodes, edges) == window


@pytest.mark.parametrize("nodes", [1, 100, 5000, 300_000])
@pytest.mark.parametrize("dim", [1, 128, 300])
def test_plans_hold_together(nodes, dim):
    src = np.arange(nodes)
    graph = Graph.from_edges(src, (src + 1) % nodes, num_nodes=nodes)
    plan = make_plan(graph, dim=dim, pairs=10**7, length=40, window=5)
    assert plan.parts * plan.rows >= nodes
    assert (plan.parts - 1) * plan.rows < nodes
    assert plan.width % 16 == 0
    assert 0 <= plan.width - dim < 16
    assert plan.bytes >= 2 * nodes * dim * 4
    assert plan.bytes <= plan.limit


def test_less_memory_gives_smaller_pools_and_then_an_error():
    src = np.arange(3000)
    graph = Graph.from_edges(src, (src + 7) % 3000, num_nodes=3000)
    settings = {"dim": 64, "pairs": 10**9, "length": 40, "window": 5}
    plans = [make_plan(graph, memory=memory, **settings) for memory in (64 << 20, 4 << 20, 3 << 20)]
    assert plans[0].pool > plans[1].pool > plans[2].pool
    for plan in plans:
        assert plan.bytes <= plan.limit
    with pytest.raises(
        BudgetError, match=r"3,000 nodes at dim=64 need 2\.\d MiB, of which the tables are 1\.5 MiB"
    ):
        make_plan(graph, memory=1 << 20, **settings)
