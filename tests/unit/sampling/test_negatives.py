from __future__ import annotations

import numpy as np
import pytest

from weft.errors import WeftValueError
from weft.graph import Graph
from weft.kernels.philox.reference import draw
from weft.rng import Op, key
from weft.sampling import NegativeSampler

N = 60


@pytest.fixture(params=[False, True], ids=["undirected", "directed"])
def graph(request):
    src, dst = np.random.default_rng(0).integers(0, N - 5, (2, 400))
    return Graph.from_edges(src, dst, num_nodes=N, directed=request.param)


def positives(graph, count=64, seed=1):
    at = np.random.default_rng(seed).integers(0, graph.num_edges, count)
    return np.searchsorted(graph.indptr, at, side="right") - 1, graph.indices[at].astype(np.int64), at


def pairs_of(graph):
    return set(zip(np.repeat(np.arange(N), graph.degree()).tolist(), graph.indices.tolist(), strict=True))


def test_kinds(graph):
    with pytest.raises(WeftValueError, match=r"'uniform', 'degree', 'in-batch' \(got 'hard'\)"):
        NegativeSampler.of(graph, "hard")


def test_definition(graph):
    """Item by item, number by number."""
    src, dst, at = positives(graph, 20)
    got = NegativeSampler.of(graph).corrupt(src, dst, at, 3, seed=7)
    both = NegativeSampler.of(graph).pairs(src, dst, at, 3, seed=7)
    for b in range(20):
        for c in range(3):
            words = [int(w) for w in draw(key(7, Op.LINK), np.array([at[b]], np.uint64), c)[0]]
            first, second = (((words[i] | words[i + 1] << 32) >> 11) / 2**53 for i in (0, 2))
            assert got[b, c] == both[1][b, c] == int(first * N)
            assert both[0][b, c] == int(second * N)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("kind", ["uniform", "degree"])
def test_an_edge_has_the_same_negatives_in_any_batch(graph, kind, strict):
    sampler = NegativeSampler.of(graph, kind, strict=strict)
    src, dst, at = positives(graph)
    whole = sampler.corrupt(src, dst, at, 4, seed=3)
    parts = [sampler.corrupt(src[p], dst[p], at[p], 4, seed=3) for p in np.split(np.arange(64), [1, 30])]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    np.testing.assert_array_equal(whole[:, :2], sampler.corrupt(src, dst, at, 2, seed=3))
    assert (whole != sampler.corrupt(src, dst, at, 4, seed=4)).any()
    assert sampler.corrupt(src[:0], dst[:0], at[:0], 4, seed=3).shape == (0, 4)


@pytest.mark.parametrize("kind", ["uniform", "degree", "in-batch"])
@pytest.mark.parametrize("free", [False, True])
def test_strict_draws_no_edge(graph, kind, free):
    src, dst, at = positives(graph)
    known = (np.arange(0, 10), np.arange(20, 30))
    edges = pairs_of(graph) | set(zip(*(end.tolist() for end in known), strict=True))
    if not graph.directed:
        edges |= {(b, a) for a, b in edges}
    seen = {}
    for strict in (False, True):
        sampler = NegativeSampler.of(graph, kind, strict=strict, known=known)
        source, target = np.repeat(src[:, None], 20, 1), None
        if free:
            source, target = sampler.pairs(src, dst, at, 20, seed=2)
        else:
            target = sampler.corrupt(src, dst, at, 20, seed=2)
        assert source.shape == target.shape == (64, 20)
        drawn = set(zip(source.ravel().tolist(), target.ravel().tolist(), strict=True))
        seen[strict] = len(drawn & edges) + sum(a == b for a, b in drawn)
    assert seen[False] > 0  # else this shows nothing
    assert seen[True] == 0


def test_a_source_with_few_left():
    """Node 0 has edges to all but 7 and 8; then to all."""
    others = np.array([n for n in range(1, N) if n not in (7, 8)])
    graph = Graph.from_edges(np.zeros(len(others), np.int64), others, num_nodes=N)
    zeros, at = np.zeros(300, np.int64), np.arange(300)
    for kind in ("uniform", "degree"):
        got = NegativeSampler.of(graph, kind, strict=True).corrupt(zeros, zeros + 1, at, 1, seed=0)
        assert set(got.ravel().tolist()) == {7, 8}
        assert 100 < (got == 7).sum() < 200  # 6 standard deviations of 300 fair draws
    full = NegativeSampler.of(graph, strict=True, known=(np.array([0, 0]), np.array([7, 8])))
    with pytest.raises(WeftValueError, match="node 0 has edges to all 60 nodes"):
        full.corrupt(zeros[:2], zeros[:2], at[:2], 1, seed=0)


def test_in_batch_gives_targets_of_others(graph):
    src, dst, at = positives(graph, 8)
    sampler = NegativeSampler.of(graph, "in-batch")
    dst = np.arange(8) + 40
    got = sampler.corrupt(src, dst, at, 500, seed=5)
    for b in range(8):
        assert set(got[b].tolist()) == set(dst.tolist()) - {dst[b]}
    source, _ = sampler.pairs(src, dst, at, 2, seed=5)
    np.testing.assert_array_equal(source, np.stack([src, src], 1))
    alone = sampler.corrupt(src[:1], dst[:1], at[:1], 200, seed=5)
    assert len(set(alone.ravel().tolist())) > 40  # any node


@pytest.mark.parametrize("kind", ["uniform", "degree"])
def test_odds(graph, kind):
    draws = 200_000
    items = np.arange(draws)
    source, target = NegativeSampler.of(graph, kind).pairs(items * 0, items * 0, items, 1, seed=11)
    ends = (graph.degree(), np.bincount(graph.indices, minlength=N))
    for drawn, degree in zip((source, target), ends, strict=True):
        odds = np.ones(N) if kind == "uniform" else degree**0.75
        wanted = draws * odds / odds.sum()
        count = np.bincount(drawn.ravel(), minlength=N)
        assert count[wanted == 0].sum() == 0
        chi = ((count - wanted)[wanted > 0] ** 2 / wanted[wanted > 0]).sum()
        free = np.count_nonzero(wanted) - 1
        assert chi < free + 6 * np.sqrt(2 * free)  # 6 standard deviations


def test_types_apart():
    """Two users, three things: user 0 may go with thing 0."""
    indptr, indices = np.array([0, 1, 3]), np.array([1, 0, 2], np.uint32)
    sampler = NegativeSampler.between(indptr, indices, 3, strict=True, apart=True)
    user, thing, at = np.array([0, 1, 1]), np.array([1, 0, 2]), np.arange(3)
    got = sampler.corrupt(user, thing, at, 100, seed=1)
    assert [set(row.tolist()) for row in got] == [{0, 2}, {1}, {1}]
    source, target = sampler.pairs(user, thing, at, 100, seed=1)
    drawn = set(zip(source.ravel().tolist(), target.ravel().tolist(), strict=True))
    assert drawn == {(0, 0), (0, 2), (1, 1)}
