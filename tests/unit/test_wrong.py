"""What is given by mistake, to everything that people call, is answered by an error that is weft's."""

from __future__ import annotations

import numpy as np
import pytest

import weft
from weft.errors import WeftError, WeftTypeError, WeftValueError
from weft.features import CachedTable, Decoded, DiskTable, MemoryTable, attach, codec_of, describe, encode
from weft.features import open as open_features

ROWS = np.random.default_rng(0).random((50, 4)).astype(np.float32)
CLASSES = np.arange(50) % 3
SMALL = {"epochs": 1, "hidden": 4, "num_neighbors": (2,), "batch_size": 16}
FLAGS = ("replace", "disjoint", "shuffle", "drop_last")
COUNTS = ("hidden", "batch_size", "epochs", "heads", "negatives")
NO_ARRAY = [3, "a", None, {}, [[1], [1, 2]], object()]


@pytest.fixture(scope="module")
def graph():
    return weft.Graph.from_edges(*np.random.default_rng(0).integers(0, 50, (2, 300)), num_nodes=50)


@pytest.mark.parametrize("node", ["name", 1.5, None, [1], np.array([1, 2]), np.float64(2)])
def test_a_node(graph, node):
    with pytest.raises(
        WeftTypeError, match=r"neighbors: node must be a whole number .*graph\.ids\.node\(ID\)"
    ):
        graph.neighbors(node)
    np.testing.assert_array_equal(graph.neighbors(np.int64(3)), graph.neighbors(3))


@pytest.mark.parametrize("ends", [("a", "b"), ([1.5], [2]), (None, None), ([[1]], [[2]]), ([1], [1, 2])])
def test_pairs_of_nodes(graph, ends):
    with pytest.raises(WeftValueError, match=r"(src must be a 1-D array of int|src has 1 values, dst has 2)"):
        graph.has_edges(*ends)


@pytest.mark.parametrize(
    "call",
    [
        lambda: weft.Graph.from_edges([1], [2], num_nodes="a"),
        lambda: weft.Graph.from_edges([1], [2], ["a"]),
        lambda: weft.Graph.open(3),
        lambda: weft.Graph.from_edges([0], [1]).save(3),
    ],
)
def test_a_graph(call):
    with pytest.raises(WeftError):
        call()


@pytest.mark.parametrize("wrong", [3, None, "a"])
def test_tables(wrong):
    for call in (
        lambda: CachedTable(wrong, "1MiB"),
        lambda: Decoded(wrong, "int8"),
        lambda: describe(wrong),
        lambda: MemoryTable(wrong),
        lambda: open_features(wrong, "1MiB", verbose=False),
        lambda: codec_of(wrong),
        lambda: encode(wrong, "int8"),
        lambda: attach(wrong, ROWS),
        lambda: DiskTable(wrong),
    ):
        with pytest.raises(WeftError):
            call()


def test_labels_and_splits_to_attach(tmp_path):
    place = weft.Graph.from_edges([0, 1], [1, 2]).save(tmp_path / "g").path
    for name in ("labels", "split"):
        with pytest.raises(WeftTypeError, match=rf"{name} must be a path \(got 3\)"):
            attach(place, **{name: 3})


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(
            (name, wrong)
            for name in ("hidden", "batch_size", "epochs", "heads", "negatives")
            for wrong in ("a", 1.5, True)
        ),
        *(("num_neighbors", wrong) for wrong in ("15,10", 5, (2.5,), ("a",), None, (True,), (0,), (-2,))),
        *(("patience", wrong) for wrong in ("a", 1.5, 0)),
        *(("learning_rate", wrong) for wrong in ("a", None, np.nan, 0, True)),
        *(("weight_decay", wrong) for wrong in ("a", None, -1)),
        *(("dropout", wrong) for wrong in ("a", -1, 1, np.nan)),
        *(("seed", wrong) for wrong in ("a", -1, 1.5, 1 << 64, None)),
        *((name, wrong) for name in ("model", "task") for wrong in (3, None, [])),
        ("target", 3),
    ],
)
def test_settings(name, wrong):
    from weft.train import Settings

    with pytest.raises((WeftTypeError, WeftValueError), match=rf"train: .*{name}"):
        Settings(**{name: wrong})


def test_settings_are_plain_numbers():
    import json

    from weft.train import Settings

    made = Settings(
        hidden=np.int64(8), num_neighbors=np.array([3, 2]), learning_rate=np.float32(0.5), seed=np.uint8(7)
    )
    assert json.loads(json.dumps(made.to_dict()))["num_neighbors"] == [3, 2]
    assert Settings.from_dict(made.to_dict()) == made


def test_a_name_there_is_not(graph):
    from weft.train import fit

    with pytest.raises(
        WeftTypeError, match=r"fit: there is no 'epoch'; did you mean 'epochs'\? it takes model,"
    ):
        fit(graph, ROWS, CLASSES, epoch=3)


@pytest.mark.parametrize("wrong", NO_ARRAY)
def test_what_a_training_is_given(graph, tmp_path, wrong):
    from weft.train import fit, predict

    calls = {
        "graph": lambda: fit(wrong, ROWS, CLASSES, **SMALL),
        "predict": lambda: predict(wrong, tmp_path / "p"),
        "memory": lambda: fit(graph, ROWS, CLASSES, memory=wrong, **SMALL),
    }
    if wrong is not None:
        calls |= {
            "features": lambda: fit(graph, wrong, CLASSES, **SMALL),
            "labels": lambda: fit(graph, ROWS, wrong, **SMALL),
            "split": lambda: fit(graph, ROWS, CLASSES, split=wrong, **SMALL),
        }
    if wrong not in ("a", None):
        calls["checkpoint"] = lambda: fit(graph, ROWS, CLASSES, checkpoint=wrong, **SMALL)
    if wrong != 3:
        calls["every_minutes"] = lambda: fit(graph, ROWS, CLASSES, every_minutes=wrong, **SMALL)
    if isinstance(wrong, str):
        calls["progress"] = lambda: fit(graph, ROWS, CLASSES, progress=wrong, **SMALL)
    for name, call in calls.items():
        try:
            call()
        except WeftError:
            continue
        pytest.fail(f"{name}={wrong!r} was taken")


def test_tensors_as_they_come(graph):
    torch = pytest.importorskip("torch")
    from weft.train import Split, Training

    given = torch.from_numpy(ROWS).requires_grad_(), torch.from_numpy(CLASSES)
    mask = torch.arange(50) < 30
    with Training(graph, *given, split=Split(train=mask, val=~mask, test=[])) as training:
        assert training.plan.facts()["split"] == "nodes: 30 to train on, 20 to validate, 0 to test"
    for rows in (torch.ones(50, 4).to_sparse(), torch.ones(50, 4, dtype=torch.bfloat16)):
        with pytest.raises(WeftTypeError, match=r"features as a Tensor are no array .*give dense float32"):
            Training(graph, rows, CLASSES)


@pytest.mark.parametrize("wrong", ["a", None, [1.5], [[1], [2]], [[1], [1, 2]]])
def test_sets_of_a_split(wrong):
    from weft.train import Split

    with pytest.raises(WeftTypeError, match="train: val must be numbers of nodes, or a mask"):
        Split(train=[1], val=wrong, test=[])
    with pytest.raises(WeftValueError, match="train: val names node -1"):
        Split(train=[1], val=[-1], test=[])
    for shares in ("abc", 3, (np.nan, 0.1, 0.1), (0.6, 0.6, 0.1), (-1, 1, 1)):
        with pytest.raises(WeftError, match="share"):
            Split.random(np.arange(5), shares=shares)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(
            (name, "a")
            for name in ("replace", "disjoint", "shuffle", "drop_last", "seed", "batch_size", "prefetch")
        ),
        *((name, None) for name in ("replace", "disjoint", "shuffle", "drop_last", "seed", "batch_size")),
        *(("seed", wrong) for wrong in (-1, 1.5, 1 << 64)),
        *(
            (name, wrong)
            for name in ("input_nodes", "y", "features")
            for wrong in (3, "a", {}, [[1], [1, 2]])
        ),
        *(("num_neighbors", wrong) for wrong in ("a", 5, [], [1.5], ["a"], [-2], [None])),
    ],
)
def test_loaders(graph, name, wrong):
    pytest.importorskip("torch_geometric")
    from weft.loader import LinkNeighborLoader, NeighborLoader

    given = {"features": ROWS, "num_neighbors": [2], name: wrong}
    for loader in (NeighborLoader, LinkNeighborLoader) if name != "input_nodes" else (NeighborLoader,):
        with pytest.raises(WeftError):
            list(loader(graph, **given))


@pytest.mark.parametrize("wrong", ["a", 1.5, None, -1])
def test_where_an_epoch_begins(graph, wrong):
    pytest.importorskip("torch_geometric")
    from weft.loader import LinkNeighborLoader, NeighborLoader

    for name in ("epoch", "start"):
        loader = NeighborLoader(graph, ROWS, [2])
        setattr(loader, name, wrong)
        with pytest.raises(WeftError, match=name):
            iter(loader)
    with pytest.raises(WeftError, match="edge_label_index"):
        LinkNeighborLoader(graph, ROWS, [2], [[1], [2, 3]])
    with pytest.raises(WeftValueError, match="neg_sampling: the amount must be a number above 0"):
        LinkNeighborLoader(graph, ROWS, [2], neg_sampling=("binary", np.nan))


@pytest.mark.parametrize("wrong", ["a", None, 1.5, [1.5], {}, [[1], [1, 2]]])
def test_samplers(graph, wrong):
    from weft.sampling import NeighborSampler, random_walks, reverse_pagerank

    sampler = NeighborSampler.of(graph, [2])
    calls = {
        "graph": lambda: NeighborSampler.of(wrong, [2]),
        "num_neighbors": lambda: NeighborSampler.of(graph, wrong),
        "replace": lambda: NeighborSampler.of(graph, [2], replace=wrong),
        "disjoint": lambda: NeighborSampler.of(graph, [2], disjoint=wrong),
        "direction": lambda: NeighborSampler.of(graph, [2], direction=wrong),
        "nodes": lambda: sampler.sample(wrong, seed=0),
        "seed": lambda: sampler.sample(np.arange(3), seed=wrong),
        "batch": lambda: sampler.sample(np.arange(3), seed=0, batch=wrong),
        "graph of walks": lambda: random_walks(wrong, [1], 3, seed=0),
        "starts": lambda: random_walks(graph, wrong, 3, seed=0),
        "length": lambda: random_walks(graph, [1], wrong, seed=0),
        "seed of walks": lambda: random_walks(graph, [1], 3, seed=wrong),
        "graph of ranks": lambda: reverse_pagerank(wrong),
        "steps": lambda: reverse_pagerank(graph, steps=wrong),
    }
    calls |= {} if wrong == 1.5 else {"p": lambda: random_walks(graph, [1], 3, seed=0, p=wrong)}
    calls |= {} if wrong is None else {"seeds": lambda: reverse_pagerank(graph, wrong)}
    for name, call in calls.items():
        try:
            call()
        except WeftError:
            continue
        pytest.fail(f"{name}={wrong!r} was taken")
