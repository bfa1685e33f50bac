"""A run that stops between two pools and goes on is the run that never stopped."""

from __future__ import annotations

import numpy as np
import pytest

from weft.embed.plan import make_plan
from weft.embed.run import Run, Settings
from weft.graph import Graph
from weft.graph.format import DirectoryReader, DirectoryWriter

SETTINGS = Settings(
    dim=12,
    num_negatives=2,
    negative_weight=5.0,
    learning_rate=0.025,
    weight_decay=0.001,
    seed=7,
    rounds=(50_000,),
)


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)
    return Graph.from_edges(*rng.integers(0, 60, (2, 200)), num_nodes=70, directed=True)


def fresh(graph, pairs=50_000):
    plan = make_plan(graph, dim=12, pairs=pairs, length=8, window=3, parts=3)
    run = Run(graph, plan, SETTINGS)
    run.begin()
    return run


def test_pools_until_every_pair_is_trained(graph):
    run = fresh(graph)
    steps = []
    while not run.done:
        steps.append(run.step())
    assert run.pools == len(steps) > 3
    assert sum(step.pairs for step in steps) == run.pairs == 50_000
    assert run.history[:, 0].tolist() == np.cumsum([step.pairs for step in steps]).tolist()
    assert run.history[:, 1].tolist() == [step.loss for step in steps]


def test_vectors_of_some_nodes_are_rows_of_the_result(graph):
    run = fresh(graph)
    run.step()
    nodes = np.array([3, 69, 0, 3])
    some, context = run.vectors(nodes)
    vertex_ND, context_ND = run.finish()
    assert vertex_ND.shape == context_ND.shape == (70, 12)
    np.testing.assert_array_equal(some, vertex_ND[nodes])
    np.testing.assert_array_equal(context, context_ND[nodes])


def test_tables_come_back_from_disk(graph, tmp_path):
    run = fresh(graph)
    run.step()
    with DirectoryWriter(tmp_path / "tables", "weft.test") as writer:
        run.save(writer)
        writer.finish({})
    other = Run(graph, run.plan, SETTINGS)
    other.load(DirectoryReader(tmp_path / "tables", "weft.test"))
    while not run.done:
        assert run.step() == other.step()
    assert other.done
    np.testing.assert_array_equal(run.history, other.history)
    for mine, theirs in zip(run.finish(), other.finish(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
