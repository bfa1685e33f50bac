"""node2vec: parameters, determinism, memory, and what p and q do to the vectors."""

from __future__ import annotations

import numpy as np
import pytest

import weft
from weft.embed import NodeEmbedding
from weft.errors import WeftTypeError, WeftValueError
from weft.graph import Graph
from weft.sampling.walks import second_order_bytes

WALKS = {"dim": 16, "epochs": 20, "memory": "64GiB"}
SMALL = {**WALKS, "method": "node2vec", "p": 0.25, "q": 4.0}


@pytest.fixture(params=["undirected", "weighted", "directed"])
def graph(request):
    rng = np.random.default_rng(5)
    src, dst = rng.integers(0, 1100, (2, 9000))
    weight = rng.pareto(1.5, 9000) + 0.1 if request.param == "weighted" else None
    return Graph.from_edges(src, dst, weight, num_nodes=1100, directed=request.param == "directed")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"p": 0}, WeftValueError, "p must be greater than 0"),
        ({"q": -1.0}, WeftValueError, "q must be greater than 0"),
        ({"p": np.inf}, WeftValueError, "p must be finite"),
        ({"q": np.nan}, WeftValueError, "q must be finite"),
        ({"p": 1e-9}, WeftValueError, r"p must be 1e-06 to 1e\+06"),
        ({"q": "4"}, WeftTypeError, "q must be a number"),
    ],
)
def test_bad_parameters(change, error, message):
    graph = Graph.from_edges([0, 1], [1, 2])
    with pytest.raises(error, match=message):
        NodeEmbedding(**SMALL | change).fit(graph)


def test_threads_do_not_show(graph):
    results = []
    for count in (1, 2, 4):
        weft.set_num_threads(count)
        results.append(NodeEmbedding(**SMALL).fit(graph).embedding_.tobytes())
    assert results[0] == results[1] == results[2]


def test_p_and_q_of_one_are_deepwalk(graph):
    ours = NodeEmbedding(**SMALL | {"p": 1, "q": 1}).fit_transform(graph)
    np.testing.assert_array_equal(ours, NodeEmbedding(**WALKS).fit_transform(graph))


@pytest.mark.parametrize("change", [{"p": 0.5}, {"q": 2.0}])
def test_p_and_q_show(graph, change):
    ours = NodeEmbedding(**SMALL).fit_transform(graph)
    assert not np.array_equal(ours, NodeEmbedding(**SMALL | change).fit_transform(graph))


def test_interrupted_and_resumed(graph, tmp_path):
    whole = NodeEmbedding(**SMALL | {"epochs": 200}).fit_transform(graph)
    place = tmp_path / "state"

    class Stop(Exception):
        pass

    def stop(done, total, loss):
        if done > total / 2:
            raise Stop

    with pytest.raises(Stop):
        NodeEmbedding(**SMALL | {"epochs": 200}, on_progress=stop).fit(
            graph, checkpoint=place, every_minutes=0
        )
    with pytest.raises(WeftValueError, match="q"):
        NodeEmbedding(**SMALL | {"epochs": 200, "q": 2.0}).fit(graph, checkpoint=place, resume=True)
    resumed = NodeEmbedding(**SMALL | {"epochs": 200}).fit(graph, checkpoint=place, resume=True)
    np.testing.assert_array_equal(resumed.embedding_, whole)


def test_the_plan_counts_the_filter(graph, monkeypatch):
    monkeypatch.setattr("weft.embed.plan.resident", lambda: 1 << 28)
    plain = NodeEmbedding(**WALKS).plan(graph)
    second = NodeEmbedding(**SMALL).plan(graph)
    assert second.bytes - plain.bytes in (0, second_order_bytes(graph))
    assert NodeEmbedding(**SMALL).estimate(graph, second).seconds > 0


def test_communities_separate():
    rng = np.random.default_rng(3)
    group = np.arange(600) // 100
    src = rng.integers(0, 600, 12_000)
    dst = np.where(rng.random(12_000) < 0.8, src // 100 * 100 + rng.integers(0, 100, 12_000), 0)
    dst = np.where(dst == 0, rng.integers(0, 600, 12_000), dst)
    graph = Graph.from_edges(src, dst, num_nodes=600)
    vectors = NodeEmbedding(**SMALL | {"epochs": 200}).fit_transform(graph)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine, same = unit @ unit.T, group[:, None] == group[None]
    np.fill_diagonal(same, False)
    # Before training the difference is 0, within 0.02.
    assert cosine[same].mean() - cosine[~same].mean() > 0.3
