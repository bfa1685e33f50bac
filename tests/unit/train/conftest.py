"""A small graph whose features and edges tell the class of a node, in part."""

import numpy as np
import pytest
import torch

from weft.graph import Graph

NODES, CLASSES, COLUMNS = 300, 3, 8


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def labels():
    return np.arange(NODES) % CLASSES


@pytest.fixture(scope="session")
def graph(tmp_path_factory, labels):
    """In a directory, directed, the last node without edges."""
    rng = np.random.default_rng(0)
    src, dst = rng.integers(0, NODES - 1, (2, 6000))
    kept = (labels[src] == labels[dst]) | (rng.random(6000) < 0.1)
    made = Graph.from_edges(src[kept], dst[kept], num_nodes=NODES, directed=True)
    return made.save(tmp_path_factory.mktemp("graph") / "g")


@pytest.fixture(scope="session")
def rows(labels):
    rng = np.random.default_rng(1)
    return (np.eye(COLUMNS)[labels] + rng.normal(size=(NODES, COLUMNS))).astype(np.float32)
