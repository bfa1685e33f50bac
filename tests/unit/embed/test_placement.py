"""The deal of nodes to parts: what must hold for every size."""

from __future__ import annotations

import numpy as np
import pytest

from weft.embed.placement import Placement, deal
from weft.embed.plan import make_plan
from weft.graph import Graph
from weft.kernels.alias import alias_tables


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


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("parts", [1, 3, 5])
def test_negatives_of_a_part_are_drawn_by_in_degree(parts, weighted):
    # Nodes 5 and 6 have no edge: five parts of seven nodes have one that none leads into.
    src, dst = np.array([0, 0, 1, 2, 3]), np.array([1, 2, 2, 0, 4])
    weight = np.array([1, 2, 3, 4, 5], np.float32)
    graph = Graph.from_edges(src, dst, weight if weighted else None, num_nodes=7, directed=True)
    plan = make_plan(graph, dim=4, pairs=10, length=2, window=1, parts=parts)
    placed = Placement.of(graph, plan)
    table = np.zeros(plan.parts * plan.rows)
    table[placed.row_N] = np.bincount(dst, weight if weighted else None, minlength=7) ** 0.75
    for part in table.reshape(plan.parts, plan.rows):
        part[:] = part if part.any() else 1
    begins = np.arange(parts + 1, dtype=np.int64) * plan.rows
    np.testing.assert_array_equal(placed.alias_R, alias_tables(begins, table))
