"""Models of links over time: bad input, no look ahead, and to go on bit for bit."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
import torch

from weft.errors import WeftError, WeftValueError
from weft.features import MemoryTable
from weft.graph import TemporalGraph
from weft.nn.temporal import GAT, SAGE, TGAT, TGN, DySAT, GraphMixer, TemporalLinks

ENCODERS = {
    "tgn": lambda graph, **more: TGN(graph, 12, neighbors=4, **more),
    "tgn-identity": lambda graph, **more: TGN(graph, 12, embedding="identity", **more),
    "tgat": lambda graph, **more: TGAT(graph, 12, num_neighbors=(3, 3), **more),
    "mixer": lambda graph, **more: GraphMixer(graph, 12, neighbors=5, **more),
    "dysat": lambda graph, **more: DySAT(graph, 60, 12, num_neighbors=(3, 3), **more),
    "sage": lambda graph, **more: SAGE(graph, 12, num_neighbors=(3, 3), **more),
    "gat": lambda graph, **more: GAT(graph, 12, num_neighbors=(3, 3), **more),
}


def stream(events=400, nodes=30, seed=0):
    """Pairs that come again after a while."""
    rng = np.random.default_rng(seed)
    source = rng.integers(0, nodes, events)
    target = nodes + (source * 7 + rng.integers(0, 2, events)) % nodes
    return source, target, np.cumsum(rng.integers(0, 5, events))


def made(name, graph, seed=0, **more):
    torch.manual_seed(seed)
    return TemporalLinks(ENCODERS[name](graph, **more), lr=1e-2, seed=seed)


def batches(columns, size=50):
    for at in range(0, len(columns[0]), size):
        yield tuple(column[at : at + size] for column in columns)


@pytest.mark.parametrize(
    ("source", "target", "time", "match"),
    [
        ([1], [2, 3], [4], "differ in length"),
        ([1.0], [2], [4], "integers"),
        ([-1], [2], [4], "nodes count from 0"),
        ([1], [2], [np.nan], "no integer"),
        ([1], [900], [4], "900 is not one of"),
    ],
)
def test_events_that_are_none(source, target, time, match):
    graph = TemporalGraph(5)
    model = made("tgn", graph)
    calls = [model.score, model.learn] if "900" in match else [model.score, model.learn, model.observe]
    for call in calls:
        with pytest.raises(WeftValueError, match=match):
            call(source, target, time)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"dim": 0}, "dim must be at least 1"),
        ({"neighbors": 0}, "neighbors must be at least 1"),
        ({"embedding": "sum"}, "embedding must be one of 'attention', 'identity'"),
        ({"dim": 10, "heads": 3}, "no multiple of 3 heads"),
    ],
)
def test_models_that_are_none(more, match):
    with pytest.raises(WeftError, match=match):
        TGN(TemporalGraph(3), **more)


def test_a_rate_that_is_none():
    with pytest.raises(WeftError, match="lr must be greater than 0"):
        TemporalLinks(TGN(TemporalGraph(3), 4), lr=0)


@pytest.mark.parametrize("name", ENCODERS)
def test_it_learns(name):
    graph, columns = TemporalGraph(), stream()
    graph.append(*columns)
    model = made(name, graph)
    losses = []
    for _ in range(40):
        model.reset()
        total = 0.0
        for batch in batches(columns):
            total += model.learn(*batch)
            model.observe(*batch)
        losses.append(total / 8)
    assert losses[-1] < 0.9 * losses[0], losses


@pytest.mark.parametrize("name", ENCODERS)
def test_a_score_changes_nothing(name):
    graph, columns = TemporalGraph(), stream()
    graph.append(*columns)
    model = made(name, graph)
    for batch in batches(columns):
        before = copy.deepcopy(model.state_dict())
        scores = model.score(*batch)
        assert scores.dtype == np.float32
        assert same(before, model.state_dict())
        model.learn(*batch)
        model.observe(*batch)


@pytest.mark.parametrize("name", ENCODERS)
def test_what_comes_later_changes_no_score(name):
    """A graph that holds the future gives what one gives that ends before."""
    columns = stream()
    whole, part = TemporalGraph(60), TemporalGraph(60)
    whole.append(*columns)
    cut = int(np.searchsorted(columns[2], columns[2][200]))
    past, now = tuple(c[:cut] for c in columns), tuple(c[cut : cut + 1] for c in columns)
    part.append(*past)
    scores = []
    for graph in (whole, part):
        model = made(name, graph)
        for batch in batches(past):
            model.learn(*batch)
            model.observe(*batch)
        scores.append(model.score(*now))
    np.testing.assert_array_equal(*scores)


def test_a_batch_does_not_see_its_own_events_in_memory():
    graph, columns = TemporalGraph(), stream()
    graph.append(*columns)
    model = made("tgn", graph)
    first, second = itertools.islice(batches(columns), 2)
    model.observe(*first)
    memory, was = model.encoder.memory.after.clone(), model.encoder.memory.look(torch.arange(60))
    model.score(*second)
    model.learn(*second, negative=np.full(50, 59))
    assert torch.equal(model.encoder.memory.after, memory)
    model.observe(*second)
    named = np.unique(np.concatenate([second[0], second[1]]))
    everyone = torch.arange(60)
    changed = (model.encoder.memory.look(everyone) != was).any(dim=1).numpy()
    assert set(np.flatnonzero(changed)) <= set(named)  # no negatives, no neighbours
    assert changed[named].all()


@pytest.mark.parametrize("name", ENCODERS)
def test_a_model_that_was_kept_goes_on_bit_for_bit(name, tmp_path):
    graph, columns = TemporalGraph(), stream()
    graph.append(*columns)
    all_of = list(batches(columns))

    def work(model, some):
        for batch in some:
            model.learn(*batch)
            model.observe(*batch)

    straight = made(name, graph)
    work(straight, all_of[:4])
    torch.save(straight.state_dict(), tmp_path / "state.pt")
    work(straight, all_of[4:])
    torch.manual_seed(99)
    again = made(name, graph, seed=5)
    again.seed = 0
    again.load_state_dict(torch.load(tmp_path / "state.pt"))
    torch.rand(7)  # what others draw is of no matter
    work(again, all_of[4:])
    assert same(straight.state_dict(), again.state_dict())


def test_features_of_nodes_and_events():
    graph, columns = TemporalGraph(), stream()
    graph.append(*columns)
    rng = np.random.default_rng(0)
    nodes = MemoryTable(rng.random((60, 5), np.float32))
    events = MemoryTable(rng.random((400, 3), np.float32))
    model = made("tgn", graph, node_features=nodes, event_features=events)
    for at, batch in zip(range(0, 400, 50), batches(columns), strict=True):
        model.learn(*batch)
        model.observe(*batch, eid=np.arange(at, at + 50))
    memory = model.encoder.memory
    last = max(np.flatnonzero((columns[0] == 3) | (columns[1] == 3)))
    np.testing.assert_array_equal(memory.features[3], events.take(np.array([last]))[0])


def test_nodes_that_come_later():
    graph = TemporalGraph()
    model = made("tgn", graph)
    for start in (0, 100, 5000):
        columns = stream(seed=start)
        columns = columns[0] + start, columns[1] + start, columns[2] + start
        graph.append(*columns)
        for batch in batches(columns, 200):
            model.score(*batch)
            model.learn(*batch)
            model.observe(*batch)
    assert model.encoder.memory.num_nodes >= 5060


def same(one, other):
    """Whether two states are equal to the bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return torch.equal(one, other) if torch.is_tensor(one) else one == other
