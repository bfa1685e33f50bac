"""A run too short to learn anything says so; others do not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from weft.cli import main
from weft.embed import NodeEmbedding
from weft.embed.outcome import blank_loss
from weft.graph import Graph
from weft.graph.generate import planted_partition


@pytest.fixture(scope="module")
def graph():
    edges = planted_partition(2000, 4, 15.0, 0.1, seed=0)
    return Graph.from_edges(*edges.edges(), num_nodes=2000)


@pytest.mark.parametrize("weight", [0.1, 1.0, 5.0, 100.0])
def test_the_blank_loss_is_that_of_the_best_constant(weight):
    score = np.linspace(-12, 12, 200_001)
    loss = np.logaddexp(0, -score) + weight * np.logaddexp(0, score)
    assert blank_loss(weight) == pytest.approx(loss.min(), rel=1e-6)
    assert blank_loss(weight) < (1 + weight) * np.log(2) + 1e-12  # as it is before training


def test_too_few_epochs(graph):
    model = NodeEmbedding(dim=16, epochs=5)
    with pytest.warns(
        UserWarning, match=r"the loss ended at 4\.15\d\. .* down to 2\.703\. Give .* than 5 "
    ) as seen:
        model.fit(graph)
    assert seen[0].filename == __file__
    with pytest.warns(UserWarning, match=r"more epochs than 2 .*learning_rate than 0\.01"):
        model.partial_fit(graph, epochs=2, learning_rate=0.01)


@pytest.mark.parametrize(
    "settings", [{"epochs": 300}, {"method": "line", "order": 1, "epochs": 5}, {"method": "prone"}]
)
def test_silent(graph, settings):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        NodeEmbedding(dim=16, **settings).fit(graph)


def test_a_single_pool_whose_mean_has_left_the_beginning_is_silent():
    toy = Graph.from_edges([0, 1, 2], [1, 2, 3])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = NodeEmbedding().fit(toy)
    assert len(model.loss_history_) == 1
    assert model.loss_history_[0, 1] > blank_loss(5.0)
    with pytest.warns(UserWarning, match="learned next to nothing"):
        NodeEmbedding(epochs=5).fit(toy)


def test_a_note_on_the_command_line(tmp_path, graph, capsys):
    graph.save(tmp_path / "graph")
    words = ["embed", str(tmp_path / "graph"), "--out", str(tmp_path / "vectors"), "--dim", "16"]
    assert main([*words, "--epochs", "5"]) == 0
    error = capsys.readouterr().err
    assert error.startswith("note: fit has learned next to nothing: the loss ended at ")
    assert error.count("\n") == 1
    assert main([*words, "--epochs", "300", "--overwrite"]) == 0
    assert capsys.readouterr().err == ""
