"""The deal of nodes to parts: what must hold for every size."""

from __future__ import annotations

import numpy as np
import pytest

from weft.embed.placement import Deals, deal, move_rows
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
    placed = Deals(graph, plan).first
    table = np.zeros(plan.parts * plan.rows)
    table[placed.row_N] = np.bincount(dst, weight if weighted else None, minlength=7) ** 0.75
    for part in table.reshape(plan.parts, plan.rows):
        part[:] = part if part.any() else 1
    begins = np.arange(parts + 1, dtype=np.int64) * plan.rows
    np.testing.assert_array_equal(placed.alias_R, alias_tables(begins, table))


@pytest.mark.parametrize(("nodes", "parts"), [(1, 1), (7, 1), (7, 3), (100, 7), (64, 8)])
def test_every_pool_has_its_deal(nodes, parts):
    rng = np.random.default_rng(nodes)
    graph = Graph.from_edges(*rng.integers(0, nodes, (2, 5 * nodes)), num_nodes=nodes, directed=True)
    plan = make_plan(graph, dim=4, pairs=10, length=1, window=1, parts=parts)
    deals = Deals(graph, plan, key=3)
    weight_N = graph.degree().astype(float)  # anything that tells nodes apart
    first = np.zeros(parts * plan.rows)
    first[deals.first.row_N] = weight_N
    into_N = np.bincount(graph.indices, minlength=nodes) ** 0.75
    for number in (0, 1, 1 << 32):
        placed = deals.of(number)
        assert placed.row_N.dtype == np.uint32
        assert len(np.unique(placed.row_N)) == nodes
        # Turns stay what they are, and the parts even.
        np.testing.assert_array_equal(placed.row_N % plan.rows, deals.first.row_N % plan.rows)
        moved = first.copy()
        move_rows(moved.reshape(-1, 1), parts, placed.shift_R)
        np.testing.assert_array_equal(moved[placed.row_N], weight_N)
        table = np.zeros((parts, plan.rows))
        table.reshape(-1)[placed.row_N] = into_N
        table[table.sum(axis=1) == 0] = 1
        begins = np.arange(parts + 1, dtype=np.int64) * plan.rows
        np.testing.assert_array_equal(placed.alias_R, alias_tables(begins, table.reshape(-1)))
        np.testing.assert_array_equal(placed.row_N, deals.of(number).row_N)
    if plan.rows > 3:
        assert not np.array_equal(deals.of(1).row_N, deals.of(1 << 32).row_N) or parts == 1

    once = Deals(graph, plan)
    assert once.of(5) is once.first


def test_all_nodes_meet_equally_often():
    rng = np.random.default_rng(0)
    graph = Graph.from_edges(*rng.integers(0, 60, (2, 300)), num_nodes=60)
    plan = make_plan(graph, dim=4, pairs=10, length=1, window=1, parts=5)
    deals, pools = Deals(graph, plan, key=1), 4000
    part_SN = np.stack([deals.of(k).row_N // plan.rows for k in range(pools)])
    turn_N = deals.first.row_N % plan.rows
    share_NN = np.mean(part_SN[:, :, None] == part_SN[:, None, :], axis=0)
    apart = turn_N[:, None] != turn_N[None, :]
    # Standard error .0063; 1,650 pairs of nodes.
    assert np.abs(share_NN[apart] - 0.2).max() < 5 * np.sqrt(0.2 * 0.8 / pools)


@pytest.mark.parametrize("dim", [1, 3])
def test_rows_move_and_move_back(dim):
    rng = np.random.default_rng(1)
    table = rng.random((4 * 9, dim)).astype(np.float32)
    shift = rng.integers(0, 4, 9)
    moved = table.copy()
    move_rows(moved, 4, shift)
    for part in range(4):
        for row in range(9):
            there = (part + shift[row]) % 4
            np.testing.assert_array_equal(moved[there * 9 + row], table[part * 9 + row])
    move_rows(moved, 4, -shift)
    np.testing.assert_array_equal(moved, table)
