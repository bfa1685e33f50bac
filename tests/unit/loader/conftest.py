"""A small graph, its features, and a look at what threads are left."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from weft.graph import Graph

torch = pytest.importorskip("torch")
pytest.importorskip("torch_geometric")


def made(nodes=300, edges=1200, *, directed=False, weighted=False, seed=0):
    rng = np.random.default_rng(seed)
    src, dst = rng.integers(0, nodes - 20, (2, edges))  # the last 20 are isolated
    weight = rng.random(edges).astype(np.float32) + 0.1 if weighted else None
    return Graph.from_edges(src, dst, weight, num_nodes=nodes, directed=directed)


@pytest.fixture
def made_graph():
    return made


@pytest.fixture
def edges_of():
    """Edges in the order of their ids: of an undirected graph, an edge stands in the row that it leads to."""

    def edges(graph):
        row = np.repeat(np.arange(graph.num_nodes), graph.degree())
        column = graph.indices.astype(np.int64)
        return torch.from_numpy(np.stack([row, column] if graph.directed else [column, row]))

    return edges


@pytest.fixture
def graph():
    return made()


@pytest.fixture
def x():
    return np.random.default_rng(1).random((300, 8)).astype(np.float32)


def running():
    return [t for t in threading.enumerate() if t.name.startswith("weft-loader")]


@pytest.fixture
def loader_threads():
    return running


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    assert running() == []
