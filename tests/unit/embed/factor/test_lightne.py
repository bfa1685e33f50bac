"""LightNE's matrix against NetMF in closed form; its size against what was foretold; threads and strips."""

from __future__ import annotations

import math
import unittest.mock

import numpy as np
import pytest

import weft
from weft.embed.factor import lightne
from weft.embed.factor.edges import out_degrees
from weft.embed.factor.lightne import Sampler
from weft.errors import BudgetError, WeftValueError
from weft.graph import Graph
from weft.kernels.paths import PathSampling


def random_graph(nodes=60, edges=240, *, directed=False, weighted=False, seed=0):
    rng = np.random.default_rng(seed)
    src, dst = rng.integers(0, nodes - 1, (2, edges))  # the last node is isolated
    weight = rng.exponential(size=edges) + 0.01 if weighted else None
    return Graph.from_edges(src, dst, weight, num_nodes=nodes, directed=directed)


def sampler(graph, window=3, samples=20.0, seed=0):
    return Sampler.of(graph, out_degrees(graph), window=window, samples=samples, seed=seed)


def to_dense(matrix):
    out = np.zeros((matrix.rows, matrix.columns))
    out[np.repeat(np.arange(matrix.rows), np.diff(matrix.indptr)), matrix.indices] = matrix.value
    return out


def netmf(graph, window):
    """``log max(1, vol (sum_r P^r / T) D^-1)``; with direction, by sums of rows and columns."""
    a = np.zeros((graph.num_nodes, graph.num_nodes))
    weight = 1.0 if graph.weight is None else graph.weight
    np.add.at(a, (np.repeat(np.arange(graph.num_nodes), graph.degree()), graph.indices), weight)
    out = a.sum(axis=1, keepdims=True)
    p = np.divide(a, out, out=np.zeros_like(a), where=out > 0)
    z = out * sum(np.linalg.matrix_power(p, r) for r in range(1, window + 1)) / window
    if not graph.directed:
        np.testing.assert_allclose(z.sum(axis=0), out[:, 0])
    both = z.sum(axis=1, keepdims=True) * z.sum(axis=0)
    return np.log(np.maximum(1, np.divide(z.sum() * z, both, out=np.zeros_like(z), where=both > 0)))


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_many_samples_give_netmf(directed, weighted):
    graph, window = random_graph(directed=directed, weighted=weighted), 3
    many = sampler(graph, window, samples=20_000.0)
    got, wanted = to_dense(many.draw(1 << 40, lambda: None)), netmf(graph, window)
    # An entry's share of its row is at least 1/60 of a ratio of 1; 20,000 walks an edge, or 1e5 a node, meet
    # such a column 1,600 times: a standard deviation of 2.5 %, and up to 3,600 entries, of which the largest
    # is 4 of them off. Nodes with a single edge have 20,000 walks, for which it is 5.5 %.
    assert abs(got - wanted).max() < 0.25
    assert abs(got - wanted).mean() < 0.015
    assert not got[-1].any()
    assert not got[:, -1].any()


def test_one_step_needs_no_sample():
    graph = random_graph(weighted=True)
    exact = sampler(graph, window=1, samples=1.0)
    assert not exact.walks_N.any()
    np.testing.assert_allclose(to_dense(exact.draw(1 << 40, lambda: None)), netmf(graph, 1), atol=1e-6)


def test_the_mean_of_samples_is_netmf_before_the_logarithm():
    """Unbiased where entries are far from the cut: the mean of the ratios of many draws."""
    graph, window, draws = random_graph(nodes=20, edges=40), 4, 200
    ratios = np.zeros((2, 20, 20))
    for seed in range(draws):
        found = to_dense(sampler(graph, window, samples=30.0, seed=seed).draw(1 << 40, lambda: None))
        ratio = np.where(found > 0, np.exp(found), 0)
        ratios += ratio, ratio**2
    mean, wanted = ratios[0] / draws, np.exp(netmf(graph, window))
    deviation = np.sqrt(np.maximum(ratios[1] / draws - mean**2, 0) / draws)
    clear = wanted > 3  # never cut off at 1
    assert clear.sum() > 20
    # |z| beyond 5 once in ten thousand such tests of a hundred entries.
    assert (abs(mean - wanted) <= 5 * deviation + 1e-6)[clear].all()


@pytest.mark.parametrize("weighted", [False, True])
def test_threads_and_strips_change_nothing(weighted, monkeypatch):
    graph, found = random_graph(3000, 20_000, weighted=weighted), []
    for threads, strip in ((1, 1 << 22), (2, 5000), (4, 70_000)):
        weft.set_num_threads(threads)
        monkeypatch.setattr(lightne, "STRIP", strip)
        drawing, step = sampler(graph, samples=5.0), unittest.mock.Mock()
        matrix = drawing.draw(1 << 40, step)
        assert step.call_count == len(drawing.strips())
        found.append((matrix.indptr, matrix.indices, matrix.value))
    for other in found[1:]:
        for got, wanted in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("samples", [0.5, 20.0])
@pytest.mark.parametrize("skewed", [False, True])
def test_entries_are_foretold(samples, skewed):
    rng = np.random.default_rng(0)
    src, dst = rng.integers(0, 5000, (2, 40_000))
    if skewed:
        src = (5000 * rng.random(40_000) ** 4).astype(np.int64)
    drawing = sampler(Graph.from_edges(src, dst, num_nodes=5000), samples=samples)
    entries = len(drawing.draw(1 << 40, lambda: None).indices)
    # 512 rows of 5,000 are looked at, each of its own stratum.
    assert drawing.foretell() == pytest.approx(entries, rel=0.05)


def test_more_entries_than_fit():
    graph = random_graph(500, 4000)
    with pytest.raises(BudgetError, match=r"more than the 100 entries \(800 B\) .* fewer samples than 20"):
        sampler(graph).draw(100, lambda: None)


def test_samples_are_chosen_by_the_graph():
    graph = random_graph(500, 4000)
    paths = sampler(graph).graph
    how = PathSampling(samples=1, keep=math.log(500), window=3, key=0)
    assert lightne.choose_samples(paths, how) == lightne.MOST_SAMPLES
    few = pytest.MonkeyPatch()
    with few.context() as patch:
        patch.setattr(lightne, "ENDS", 100_000)
        chosen = lightne.choose_samples(paths, how)
        drawing = sampler(graph, samples=chosen)
        assert drawing.walks_N.sum() * 3 == pytest.approx(100_000, rel=0.05)
        patch.setattr(lightne, "ENDS", 10)
        assert lightne.choose_samples(paths, how) == 1


def test_a_row_of_weights_of_zero():
    graph = Graph.from_edges([0, 1, 3], [1, 2, 4], [1.0, 1.0, 0.0])
    with pytest.raises(WeftValueError, match="only edges of weight zero"):
        sampler(graph)


def test_nothing_to_sample():
    drawing = sampler(Graph.from_edges([0], [0], num_nodes=3))
    assert drawing.foretell() == 0
    assert len(drawing.draw(10, lambda: None).indices) == 0
