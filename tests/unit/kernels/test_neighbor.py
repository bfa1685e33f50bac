"""Neighbour sampling: the native core against the definition, and the definition against what it promises."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from weft import _core
from weft.errors import WeftValueError
from weft.graph import Graph
from weft.kernels.alias import alias_tables
from weft.kernels.neighbor import Relation, neighbor
from weft.kernels.neighbor.reference import neighbor as reference


def relation(nodes, edges, fanout, *, rows=None, weighted=False, dtype=np.uint32, seed=0, **types):
    """Random edges, a third of them into few nodes; a tenth weigh zero."""
    rng = np.random.default_rng(seed)
    rows = nodes if rows is None else rows
    into = np.where(
        rng.random(edges) < 0.3, rng.integers(0, max(1, rows // 50), edges), rng.integers(0, rows, edges)
    )
    order = np.lexsort((rng.integers(0, nodes, edges), into))
    indptr = np.zeros(rows + 1, np.int64)
    np.cumsum(np.bincount(into, minlength=rows), out=indptr[1:])
    indices = rng.integers(0, nodes, edges)[order].astype(dtype)
    weight = alias = None
    if weighted:
        weight = np.where(rng.random(edges) < 0.1, 0, rng.pareto(1.0, edges)).astype(np.float32)
        weight[indptr[:-1][np.diff(indptr) > 0]] = 1  # no row of zeros alone
        alias = alias_tables(indptr, weight)
    return Relation(
        indptr=indptr, indices=indices, fanout=fanout, nodes=nodes, weight=weight, alias=alias, **types
    )


def assert_same(got, wanted):
    for field in dataclasses.fields(wanted):
        for one, other in zip(getattr(got, field.name), getattr(wanted, field.name), strict=True):
            np.testing.assert_array_equal(one, other, err_msg=field.name)
            assert np.asarray(one).dtype == np.asarray(other).dtype


@pytest.mark.parametrize("disjoint", [False, True])
@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fanout", [(3, 2), (5,), (-1, 2), (0, 3), (40, 1), ()])
@pytest.mark.parametrize("dtype", [np.uint32, np.int64])
def test_native_is_the_definition(dtype, fanout, weighted, replace, disjoint):
    r = relation(300, 2500, fanout, weighted=weighted, dtype=dtype)
    seeds = np.random.default_rng(1).integers(0, 300, 70)  # some come twice; a group and a rest
    options = {"batch": 7, "replace": replace, "disjoint": disjoint}
    assert_same(neighbor([r], [seeds], 5, **options), reference([r], [seeds.astype(dtype)], 5, **options))


@pytest.mark.parametrize("disjoint", [False, True])
@pytest.mark.parametrize("replace", [False, True])
def test_types_of_nodes_and_edges(replace, disjoint):
    """Papers and authors: cites, writes, written by."""
    relations = [
        relation(200, 900, (4, 2, 3), source=0, target=0),
        relation(80, 500, (3, -1, 2), rows=200, source=1, target=0, seed=1, weighted=True),
        relation(200, 500, (0, 5, 2), rows=80, source=0, target=1, seed=2),
    ]
    seeds = [np.arange(50), np.array([3, 79])]
    options = {"batch": 1, "replace": replace, "disjoint": disjoint}
    got = neighbor(relations, seeds, 9, **options)
    assert_same(got, reference(relations, [s.astype(np.uint32) for s in seeds], 9, **options))
    assert [len(n) for n in got.node] == [sum(n) for n in got.nodes_of_hop]
    assert [len(e) for e in got.edge] == [sum(e) for e in got.edges_of_hop]


@pytest.mark.parametrize("weighted", [False, True])
def test_what_a_batch_holds(weighted):
    r = relation(500, 6000, (6, 4), weighted=weighted)
    seeds = np.arange(40)
    got = neighbor([r], [seeds], 1)
    (node,), (row,), (col,), (edge,) = got.node, got.row, got.col, got.edge
    np.testing.assert_array_equal(node[:40], seeds)
    assert len(np.unique(node)) == len(node)
    np.testing.assert_array_equal(r.indices[edge], node[row])
    begin, end = r.indptr[node[col].astype(np.int64)], r.indptr[node[col].astype(np.int64) + 1]
    assert ((begin <= edge) & (edge < end)).all()
    assert len(np.unique(edge)) == len(edge)  # each node is sampled for once
    first = got.edges_of_hop[0][0]
    assert col[:first].max() == 39
    assert (np.diff(col) >= 0).all()
    degree = np.diff(r.indptr)[node[: col.max() + 1].astype(np.int64)]
    wanted = np.where(np.arange(len(degree)) < 40, 6, 4)
    counts = np.bincount(col, minlength=len(degree))
    if weighted:
        assert (r.weight[edge] > 0).all()
        assert (counts <= np.minimum(degree, wanted)).all()
    else:
        np.testing.assert_array_equal(counts, np.minimum(degree, wanted))


def test_batches_and_seeds_differ():
    r = relation(100, 3000, (5,))
    draws = [
        neighbor([r], [np.arange(100)], seed, batch=batch).edge[0] for seed, batch in ((0, 0), (0, 1), (1, 0))
    ]
    assert not any(np.array_equal(draws[i], draws[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    np.testing.assert_array_equal(draws[0], neighbor([r], [np.arange(100)], 0).edge[0])


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_how_often_an_edge_is_drawn(weighted, replace):
    """One node of ten edges, drawn three at a time, from many seeds at once."""
    weight = np.array([1, 2, 3, 4, 0, 5, 6, 7, 8, 64], np.float32) if weighted else np.ones(10, np.float32)
    indptr = np.array([0, 10])
    alias = alias_tables(indptr, weight) if weighted else None
    r = Relation(
        indptr=indptr,
        indices=np.zeros(10, np.uint32),
        fanout=(3,),
        nodes=1,
        weight=weight if weighted else None,
        alias=alias,
    )
    draws = 30_000
    edge = neighbor([r], [np.zeros(draws, np.int64)], 3, replace=replace).edge[0].reshape(draws, 3)
    share = np.array([np.mean((edge == e).any(axis=1)) for e in range(10)])
    p = weight / weight.sum()
    if replace:
        wanted = 1 - (1 - p) ** 3
    else:  # one after the other, each among those left
        wanted = np.zeros(10)
        for a in range(10):
            wanted[a] += p[a]
            for b in set(range(10)) - {a}:
                wanted[b] += p[a] * p[b] / (1 - p[a])
                for c in set(range(10)) - {a, b}:
                    wanted[c] += p[a] * p[b] / (1 - p[a]) * p[c] / (1 - p[a] - p[b])
        assert (np.sort(edge, axis=1)[:, :-1] < np.sort(edge, axis=1)[:, 1:]).all()
    error = np.sqrt(wanted * (1 - wanted) / draws)
    assert (np.abs(share - wanted) <= 5 * error + 1e-9).all()


def test_weights_that_leave_one_edge():
    """The heavy edge comes nearly always: the others are found by adding up what is left."""
    weight = np.full(50, 1e-12, np.float32)
    weight[7], weight[20:] = 1, 0
    indptr = np.array([0, 50])
    r = Relation(
        indptr=indptr,
        indices=np.zeros(50, np.uint32),
        fanout=(30,),
        nodes=1,
        weight=weight,
        alias=alias_tables(indptr, weight),
    )
    edge = neighbor([r], [np.zeros(1, np.int64)], 0).edge[0]
    np.testing.assert_array_equal(np.sort(edge), np.arange(20))
    assert_same(neighbor([r], [np.zeros(9, np.int64)], 4), reference([r], [np.zeros(9, np.uint32)], 4))


def test_many_neighbors_of_a_hub():
    """More than are searched one by one for one drawn before."""
    rng = np.random.default_rng(0)
    r = Relation(
        indptr=np.array([0, 5000]), indices=rng.integers(0, 1, 5000).astype(np.uint32), fanout=(700,), nodes=1
    )
    got = neighbor([r], [np.zeros(3, np.int64)], 2)
    assert_same(got, reference([r], [np.zeros(3, np.uint32)], 2))
    assert all(len(np.unique(part)) == 700 for part in got.edge[0].reshape(3, 700))


def test_nothing_to_sample():
    r = relation(10, 40, (2,))
    got = neighbor([r], [np.empty(0, np.int64)], 0)
    assert (len(got.node[0]), got.nodes_of_hop, got.edges_of_hop) == (0, [[0, 0]], [[0]])
    lonely = Relation(indptr=np.zeros(4, np.int64), indices=np.empty(0, np.uint32), fanout=(2, -1), nodes=3)
    got = neighbor([lonely], [np.array([2, 2])], 0, replace=True)
    np.testing.assert_array_equal(got.node[0], [2, 2])
    assert got.nodes_of_hop == [[2, 0, 0]]


def test_growing_past_the_first_table():
    """Tens of thousands of nodes: the table of numbers grows between groups."""
    graph = Graph.from_edges(*np.random.default_rng(0).integers(0, 60_000, (2, 400_000)), num_nodes=60_000)
    r = Relation(indptr=graph.indptr, indices=graph.indices, fanout=(10, 10), nodes=60_000)
    got = neighbor([r], [np.arange(2000)], 0)
    node, row = got.node[0].astype(np.int64), got.row[0]
    assert len(np.unique(node)) == len(node) > 40_000
    np.testing.assert_array_equal(graph.indices[got.edge[0]], node[row])
    again = neighbor([r], [np.arange(2000)], 0)  # in a table that is large already
    assert_same(again, got)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"indices": np.zeros(40, np.int32)}, "uint32 or int64"),
        ({"indptr": np.zeros(11, np.int32)}, r"indptr must be a contiguous vector of int64 \(got int32"),
        ({"indptr": np.zeros(0, np.int64)}, "rows \\+ 1 values"),
        ({"indices": np.zeros(80, np.uint32)[::2]}, "contiguous"),
        ({"weight": np.ones(40, np.float32)}, "come together"),
        ({"source": 1}, "joins types 1 and 0; there are seeds of 1"),
        ({"fanout": (1 << 31,)}, "2\\*\\*31"),
        ({"nodes": 3}, r"seed 0 is node 4, there are 3 nodes"),
    ],
)
def test_wrong_arrays(changes, match):
    r = dataclasses.replace(relation(10, 40, (2,)), **changes)
    with pytest.raises(WeftValueError, match=match):
        neighbor([r], [np.array([4])], 0)


@pytest.mark.parametrize(
    ("seeds", "options", "match"),
    [
        (np.array([10]), {}, "seed 0 is node 10, there are 10 nodes"),
        (np.array([3, -1]), {}, "seed 1 is node -1"),
        (np.array([0.5]), {}, "integers"),
        (np.array([[1]]), {}, "integers"),
        (np.array([1]), {"batch": 1 << 32}, "below 2\\*\\*32"),
        (np.array([1]), {"batch": -1}, "below 2\\*\\*32"),
    ],
)
def test_wrong_seeds(seeds, options, match):
    with pytest.raises(WeftValueError, match=match):
        neighbor([relation(10, 40, (2,))], [seeds], 0, **options)


def test_no_relation_and_hops_that_differ():
    with pytest.raises(WeftValueError, match="must be a relation"):
        neighbor([], [np.array([1])], 0)
    with pytest.raises(WeftValueError, match="relation 1 has 1 hops, the first has 2"):
        neighbor([relation(10, 40, (2, 2)), relation(10, 40, (2,))], [np.array([1])], 0)


@pytest.mark.parametrize("fanout", [(2,), (-1,), (20,)])
def test_damaged_graphs(fanout):
    good = relation(10, 60, fanout, weighted=True)
    far = good.indices.copy()
    far[:] = 10
    with pytest.raises(WeftValueError, match=r"indices hold node 10 of 10; import"):
        neighbor([dataclasses.replace(good, indices=far)], [np.arange(10)], 0)
    falling = good.indptr.copy()
    falling[3] = -5
    with pytest.raises(WeftValueError, match=r"row of node [23] in indptr"):
        neighbor([dataclasses.replace(good, indptr=falling)], [np.arange(10)], 0)
    beyond = good.indptr.copy()
    beyond[-1] = 61
    with pytest.raises(WeftValueError, match="row of node 9 in indptr does not lie within the 60 edges"):
        neighbor([dataclasses.replace(good, indptr=beyond)], [np.arange(10)], 0)
    elsewhere = dataclasses.replace(good, alias=np.full(60, 1 << 63, np.uint64))
    if fanout != (2,):
        return  # all edges are taken, no slot is read
    with pytest.raises(WeftValueError, match="a slot of node"):
        neighbor([elsewhere], [np.arange(10)], 0)


def test_a_node_found_that_has_no_row():
    r = relation(20, 60, (2, 2), rows=10)
    with pytest.raises(WeftValueError, match="is not one of the 10 that have neighbors"):
        neighbor([r], [np.arange(10)], 0)


def test_arrays_are_never_converted_unseen():
    """The core borrows arrays; one of another dtype would be a copy that is gone when it is read."""
    r = relation(10, 40, (2,))
    given = (
        r.indptr.astype(np.int32),
        r.indices,
        np.empty(0, np.float32),
        np.empty(0, np.uint64),
        0,
        0,
        10,
        np.array([2]),
    )
    with pytest.raises(RuntimeError, match="cast"):
        _core.neighbor([given], [np.zeros(1, np.uint32)], 0, 0, False, False)
