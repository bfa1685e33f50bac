"""Sizes of runs: what must hold for every size."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from weft.embed.plan import auto_window, make_plan
from weft.errors import BudgetError, WeftValueError
from weft.graph import Graph


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


def test_memory_decides_nothing_but_whether_it_fits():
    src = np.arange(3000)
    graph = Graph.from_edges(src, (src + 7) % 3000, num_nodes=3000)
    settings = {"dim": 64, "pairs": 10**9, "length": 40, "window": 5}
    roomy, tight = (make_plan(graph, memory=memory, **settings) for memory in (64 << 20, 16 << 20))
    assert dataclasses.replace(tight, limit=roomy.limit) == roomy
    assert tight.bytes <= tight.limit
    with pytest.raises(
        BudgetError, match=r"3,000 nodes at dim=64 need 9\.\d MiB, of which the tables are 1\.5 MiB"
    ):
        make_plan(graph, memory=4 << 20, **settings)


@pytest.mark.parametrize("parts", [1, 3, 100])
def test_parts_can_be_given(parts):
    src = np.arange(100)
    graph = Graph.from_edges(src, (src + 7) % 100, num_nodes=100)
    plan = make_plan(graph, dim=8, pairs=1000, length=4, window=2, parts=parts)
    assert (plan.parts, plan.rows) == (parts, -(-100 // parts))


def test_no_part_is_without_a_node():
    graph = Graph.from_edges([0, 1], [1, 2])
    with pytest.raises(WeftValueError, match="parts=4 of 3 nodes"):
        make_plan(graph, dim=8, pairs=10, length=4, window=2, parts=4)
