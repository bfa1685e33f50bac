"""A small embedding on disk, with string ids and a graph that has labels."""

import dataclasses

import numpy as np
import pytest

from weft.embed import Embedding
from weft.graph import Graph, Ids, Labels, Strings

NODES = 120


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """Vectors around four centres; node i is ``n<i>`` and has the label ``c<i % 4>``."""
    folder = tmp_path_factory.mktemp("small")
    rng = np.random.default_rng(0)
    group = np.arange(NODES) % 4
    src, dst = rng.integers(0, NODES, (2, 3000))
    same = (group[src] == group[dst]) & (src != dst)
    packed = Strings.of(f"n{i}" for i in range(NODES))
    graph = dataclasses.replace(
        Graph.from_edges(src[same], dst[same], num_nodes=NODES),
        ids=Ids.strings(packed.data, packed.offsets),
        labels=Labels.from_pairs(np.arange(NODES), [f"c{g}" for g in group], NODES),
    )
    graph.save(folder / "graph")
    vectors = (np.eye(4)[group] * 4 + rng.normal(size=(NODES, 4))).astype(np.float32)
    holdout = np.array([[0, 4], [1, 5], [2, 6]])
    parts = {"vectors": vectors, "ids": graph.ids, "holdout": holdout}
    history = np.array([[10.0, 3.0], [20.0, 2.0]])
    Embedding(**parts, history=history, config={"dim": 4}).save(folder / "vectors")
    Embedding(**{**parts, "holdout": None}).save(folder / "plain")
    return folder
