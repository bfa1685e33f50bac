"""Whole factorisations: odd graphs, bits, memory."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import weft
from weft.embed.factor import Request, factor_plan, factorise, run
from weft.errors import BudgetError, WeftValueError
from weft.graph import Graph

METHODS = pytest.mark.parametrize("method", ["prone", "lightne"])


def request(method, **changes):
    given = {"dim": 24, "window": 3, "samples": 5.0, "propagate": True, "seed": 0}
    return Request(method=method, **given | changes)


def vectors(graph, method, **changes):
    given = request(method, **changes)
    return factorise(graph, given, factor_plan(graph, given), lambda done, total: None)


def planted(nodes=300, groups=3, seed=0, **kind):
    rng = np.random.default_rng(seed)
    group = np.arange(nodes) % groups
    src = rng.integers(0, nodes, nodes * 6)
    dst = rng.integers(0, nodes // groups, len(src)) * groups + group[src]
    away = rng.random(len(src)) < 0.1
    dst[away] = rng.integers(0, nodes, int(away.sum()))
    return Graph.from_edges(src, dst, num_nodes=nodes, **kind), group


def check(found, graph, dim=24):
    """Finite, float32, rows of length 1 where there are out-edges, 0 elsewhere."""
    assert found.shape == (graph.num_nodes, dim)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert np.isfinite(found).all()
    length = np.linalg.norm(found, axis=1)
    assert not length[graph.degree() == 0].any()
    return length


@METHODS
@pytest.mark.parametrize("propagate", [False, True])
@pytest.mark.parametrize("directed", [False, True])
def test_groups_separate(method, propagate, directed):
    graph, group = planted(directed=directed)
    found = vectors(graph, method, propagate=propagate)
    np.testing.assert_allclose(check(found, graph), graph.degree() > 0, atol=1e-5)
    cosine = found @ found.T
    same = group[:, None] == group[None, :]
    np.fill_diagonal(same, False)
    assert cosine[same].mean() - cosine[group[:, None] != group[None, :]].mean() > 0.1


@METHODS
@pytest.mark.parametrize("dim", [1, 16, 24, 130])
@pytest.mark.parametrize(
    "edges",
    [
        ([0], [0]),
        ([0], [1]),
        (np.zeros(99, int), np.arange(1, 100)),
        (np.arange(99), np.arange(1, 100)),
        np.nonzero(np.ones((30, 30)) - np.eye(30)),
    ],
    ids=["loop", "one edge", "star", "path", "complete"],
)
@pytest.mark.parametrize("kind", ["undirected", "directed", "weighted"])
def test_odd_graphs(method, dim, edges, kind):
    src, dst = edges
    weight = np.linspace(0.1, 5, len(src)) if kind == "weighted" else None
    graph = Graph.from_edges(src, dst, weight, num_nodes=101, directed=kind == "directed")
    for propagate in (False, True):
        check(vectors(graph, method, dim=dim, propagate=propagate), graph, dim)


@METHODS
def test_more_dimensions_than_rank(method):
    graph, _ = planted(40)
    found = vectors(graph, method, dim=80, samples=50.0)
    check(found, graph, 80)
    assert not found[:, 40:].any()
    # No column is computed that could not have an axis: by dim the eigenvectors alone would take minutes.
    plan = factor_plan(graph, request(method, dim=1 << 14))
    assert (plan.width, plan.sketch) == (48, 48)
    check(vectors(graph, method, dim=1 << 14), graph, 1 << 14)


@METHODS
def test_weights_matter_and_their_scale_does_not(method):
    rng = np.random.default_rng(0)
    src, dst = rng.integers(0, 200, (2, 1500))
    heavy = np.where(src % 2 == dst % 2, 1.0, 1e-3)
    one, other, alike = (
        vectors(Graph.from_edges(src, dst, w, num_nodes=200), method, samples=50.0)
        for w in (heavy, heavy * 2.0**30, None)
    )

    def margin(x):
        same = np.arange(200) % 2
        cosine = x @ x.T
        return cosine[same[:, None] == same].mean() - cosine[same[:, None] != same].mean()

    assert margin(one) > margin(alike) + 0.1
    # A power of two: every share and ratio is the same number.
    np.testing.assert_allclose(one @ one.T, other @ other.T, atol=1e-3)


@METHODS
@pytest.mark.parametrize(("weight", "refused"), [(1e-44, True), (1e-30, False), (1e30, False), (3e38, True)])
def test_weights_of_any_size(method, weight, refused):
    rng = np.random.default_rng(0)
    graph = Graph.from_edges(*rng.integers(0, 60, (2, 300)), np.full(300, weight), num_nodes=60)
    check(vectors(graph, method, propagate=False), graph)
    if not refused:
        check(vectors(graph, method), graph)
        return
    for attempt in (vectors, lambda *given: factor_plan(graph, request(method))):
        with pytest.raises(
            WeftValueError, match=r"weigh .* on average.* divide all weights by .*propagate=False"
        ):
            attempt(graph, method)


@METHODS
def test_threads_memory_and_disk_change_no_bit(method, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "resident", lambda: 0)  # it grows from one plan to the next
    graph, _ = planted(3000)
    wanted = vectors(graph, method)
    there = graph.save(tmp_path / "graph")
    for threads, memory in ((1, None), (2, "tight"), (4, None)):
        weft.set_num_threads(threads)
        limit = None if memory is None else factor_plan(there, request(method)).bytes
        np.testing.assert_array_equal(vectors(there, method, memory=limit), wanted)


@METHODS
def test_seeds(method):
    graph, _ = planted()
    np.testing.assert_array_equal(vectors(graph, method), vectors(graph, method))
    assert (vectors(graph, method) != vectors(graph, method, seed=1)).any()


@METHODS
def test_progress_ends_at_the_whole(method):
    graph, _ = planted()
    seen = []
    given = request(method)
    factorise(graph, given, factor_plan(graph, given), lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert {total for _, total in seen} == {len(seen)}


@METHODS
def test_weights_of_zero(method):
    graph = Graph.from_edges([0, 1], [1, 2], [0.0, 0.0])
    with pytest.raises(WeftValueError, match="weigh 0"):
        factor_plan(graph, request(method))


@METHODS
def test_budget(method, monkeypatch):
    monkeypatch.setattr(run, "resident", lambda: 0)
    graph, _ = planted(20_000)
    with pytest.raises(BudgetError, match=rf"by {method} need .* allows 9\.8 KiB\. They are: .* Give more"):
        factor_plan(graph, request(method, memory=10_000))
    roomy = factor_plan(graph, request(method, dim=128))
    tight = factor_plan(graph, request(method, dim=128, memory=roomy.bytes - 1))
    assert tight.strip < roomy.strip
    assert tight.bytes < roomy.bytes
    with pytest.raises(BudgetError):
        factor_plan(graph, request(method, dim=128, memory=tight.bytes // 2))


CHILD = """
import json, pathlib, sys
import numpy as np
from weft.graph import Graph
from weft.embed.factor import Request, factor_plan, factorise

def kib(name):
    words = pathlib.Path("/proc/self/status").read_text().split()
    return int(words[words.index(name + ":") + 1]) * 1024

graph = Graph.open(sys.argv[1])
changes = json.loads(sys.argv[3])
usual = {"dim": 64, "window": 3, "samples": 2.0, "propagate": True, "seed": 0}
given = Request(method=sys.argv[2], **usual | changes)
plan = factor_plan(graph, given)
factorise(graph, given, plan, lambda *_: None)
print(json.dumps([plan.bytes, kib("VmHWM")]))
"""


@pytest.mark.slow
@METHODS
@pytest.mark.parametrize("tight", [False, True])
def test_the_peak_is_as_planned(method, tight, tmp_path):
    rng = np.random.default_rng(0)
    nodes = 120_000
    graph = Graph.from_edges(*rng.integers(0, nodes, (2, 4 * nodes)), num_nodes=nodes)
    graph = graph.save(tmp_path / "graph")
    check_peak(graph, method, {"memory": 210_000_000} if tight else {})


def check_peak(graph, method, changes):
    """A run in a process of its own takes what its plan says, give or take a fifth."""
    command = [sys.executable, "-c", CHILD, str(graph.path), method, json.dumps(changes)]
    planned, peak = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    assert planned / 1.2 < peak < planned * 1.2, f"planned {planned >> 20} MiB, took {peak >> 20} MiB"


def test_long_walks_take_no_more(tmp_path):
    """Batches of 2,048 walks of 50,000 steps were 400 MiB that no plan knew of."""
    graph, _ = planted(30)
    check_peak(graph.save(tmp_path / "graph"), "lightne", {"window": 50_000, "dim": 8, "samples": 1.0})


@pytest.mark.slow
def test_square_matrices_are_planned_too(tmp_path):
    graph, _ = planted(12_000)
    check_peak(graph.save(tmp_path / "graph"), "prone", {"dim": 800})
