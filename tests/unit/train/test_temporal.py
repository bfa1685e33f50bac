"""Training on a list of events: bad input, what it learns, and that it is the same again."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weft.errors import WeftError
from weft.eval import split_events
from weft.graph import TemporalGraph
from weft.nn.temporal import TGN, TemporalLinks
from weft.train import fit_events


def graph_of(events=900, nodes=30):
    """Each source has two targets, and meets one of them again and again."""
    rng, graph = np.random.default_rng(0), TemporalGraph()
    source = rng.integers(0, nodes, events)
    target = nodes + (source * 7 + rng.integers(0, 2, events)) % nodes
    time = np.cumsum(rng.integers(0, 5, events))
    late = rng.permutation(events)  # events that come in any order are learned from by time
    graph.append(source[late], target[late], time[late], late)
    return graph


def made(graph):
    torch.manual_seed(0)
    return TemporalLinks(TGN(graph, 16, neighbors=5, time_dim=8), lr=1e-2)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"evaluate": 1}, "evaluate must be True or False"),
        ({"progress": "dots"}, "progress must be"),
    ],
)
def test_trainings_that_are_none(more, match):
    with pytest.raises(WeftError, match=match):
        fit_events(made(graph_of()), **more)


def test_graphs_that_are_none():
    with pytest.raises(WeftError, match="no events"):
        fit_events(made(TemporalGraph(4)))
    with pytest.raises(WeftError, match="must be a TemporalGraph"):
        fit_events(made(graph_of().snapshot()))


def test_it_learns_and_keeps_the_best(capsys):
    model = made(graph_of())
    epochs = fit_events(model, epochs=12, batch_size=50, progress="lines")
    assert len(epochs) == 12
    assert epochs[-1].loss < epochs[0].loss
    assert all(epoch.rate > 0 for epoch in epochs)
    best = max(epochs, key=lambda epoch: epoch.report.val.ap)
    assert best.report.val.ap > 0.75  # a coin has 0.5
    # What is left is the best epoch's model, after it had seen all: it says the same again.
    steps = 1 + epochs.index(best)
    assert model.steps == steps * -(-len(split(model).train) // 50)
    assert best.to_dict()["report"]["test"]["ap"] == best.report.test.ap


def split(model):
    columns = [np.concatenate(c) for c in zip(*model.encoder.graph.events(), strict=True)]
    return split_events(*columns[:3])


def test_the_same_again():
    one, other = made(graph_of()), made(graph_of())
    torch.manual_seed(7)
    torch.rand(3)
    first = [epoch.loss for epoch in fit_events(one, epochs=2, evaluate=False)]
    torch.manual_seed(8)
    assert [epoch.loss for epoch in fit_events(other, epochs=2, evaluate=False)] == first
    for name, wanted in one.net.state_dict().items():
        assert torch.equal(other.net.state_dict()[name], wanted), name
