"""Sizes of runs: what must hold for every size."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from weft.embed.plan import auto_window, crowding, make_plan
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


def ring(nodes):
    src = np.arange(nodes)
    return Graph.from_edges(src, (src + 7) % nodes, num_nodes=nodes)


def test_memory_decides_only_what_is_on_disk():
    settings = {"dim": 64, "pairs": 10**9, "length": 40, "window": 5, "base": 0}
    graph = ring(300_000)
    plans = [make_plan(graph, memory=memory << 20, **settings) for memory in (1 << 11, 400, 100)]
    assert [plan.swap and plan.swap.tables for plan in plans] == [None, False, True]
    sizes = {field.name for field in dataclasses.fields(plans[0])} - {"swap", "disk", "bytes", "limit"}
    for plan in plans:
        assert plan.bytes <= plan.limit
        assert all(getattr(plan, name) == getattr(plans[0], name) for name in sizes)
    assert [plan.disk > 0 for plan in plans] == [False, True, True]
    with pytest.raises(BudgetError, match=r"300,000 nodes at dim=64 need .* MiB.* memory allows 20\.0 MiB"):
        make_plan(graph, memory=20 << 20, **settings)


def test_memory_in_use_counts():
    settings = {"dim": 16, "pairs": 10**6, "length": 40, "window": 5, "memory": 64 << 30}
    plans = [make_plan(ring(1000), base=base, **settings) for base in (0, 100 << 20)]
    assert plans[1].bytes - plans[0].bytes == 100 << 20
    measured = make_plan(ring(1000), **settings)
    assert measured.bytes > plans[0].bytes + (20 << 20)  # an interpreter with NumPy
    free = make_plan(ring(1000), **{**settings, "memory": None})
    assert free.limit > free.bytes


def test_how_unevenly_pairs_lie():
    # From either end of an edge alone a walk turns back; of a star's edges all lead from or to the hub.
    matched = Graph.from_edges([0, 2], [1, 3], num_nodes=5)
    assert crowding(matched, 2) == (0.25, 0.5)
    assert crowding(matched, 5) == (0.25, 0.4)
    assert crowding(matched, 1) == (0.25, 0.0)
    star = Graph.from_edges(np.zeros(9, np.int64), np.arange(1, 10), num_nodes=10)
    assert crowding(star, 2) == (0.5, pytest.approx(10 / 18 / 2))
    into = Graph.from_edges(np.arange(1, 10), np.zeros(9, np.int64), num_nodes=10, directed=True)
    assert crowding(into, 1)[0] == 1.0
    heavy = Graph.from_edges([0, 1, 2], [1, 2, 3], [1e-6, 1, 1e-6], num_nodes=4)
    assert crowding(heavy, 2) == (pytest.approx(0.5, abs=1e-5), pytest.approx(0.5, abs=1e-5))
    nothing = crowding(Graph.from_edges([0], [1], [0.0], num_nodes=2), 2)
    assert all(0 <= share <= 1 for share in nothing)


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
