"""What a model of a graph of several types says of every node."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

import weft.features
from weft.embed import Embedding
from weft.errors import BudgetError, WeftKeyError, WeftTypeError, WeftValueError
from weft.graph import Graph, HeteroGraph, Ids, Strings
from weft.train import Trained, fit, predict
from weft.train.typed_layers import needed

COUNT = {"paper": 300, "author": 60, "venue": 7, "prize": 4}
SMALL = {"hidden": 8, "batch_size": 40, "epochs": 2, "target": "paper"}


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    """Venues lead to papers, prizes to authors alone; a paper cites others; some have nobody."""
    rng = np.random.default_rng(0)

    def ends(a, b, edges):
        return [rng.integers(0, COUNT[a], edges), rng.integers(0, COUNT[b] - 5 * (b == "paper"), edges)]

    made = HeteroGraph.from_edges(
        {
            ("author", "writes", "paper"): ends("author", "paper", 300),
            ("paper", "cites", "paper"): ends("paper", "paper", 250),
            ("venue", "prints", "paper"): ends("venue", "paper", 140),
            ("paper", "rev_writes", "author"): ends("paper", "author", 300),
            ("prize", "goes_to", "author"): ends("prize", "author", 30),
        },
        COUNT,
    )
    return made.save(tmp_path_factory.mktemp("typed") / "g")


@pytest.fixture(scope="module")
def rows(graph):
    rng = np.random.default_rng(1)
    width = {"paper": 6, "author": 3, "prize": 2}
    return {name: rng.normal(size=(COUNT[name], w)).astype(np.float32) for name, w in width.items()}


@pytest.fixture(scope="module")
def labels():
    return np.arange(COUNT["paper"]) % 3


def whole(trained, graph, rows):
    """The model on the whole graph at once: rows of the last layer, and of the one before."""
    gnn = trained.typed_net().gnn
    data = graph.to_pyg()
    x = {name: torch.from_numpy(some) for name, some in rows.items() if name in trained.types.in_channels}
    n_id = {name: torch.arange(count) for name, count in COUNT.items()}
    kept = []
    handle = gnn.rgcn.convs[-1].register_forward_pre_hook(lambda _, given: kept.append(given[0]))
    with torch.no_grad():
        out = gnn(x, n_id, data.edge_index_dict)["paper"].numpy()
    handle.remove()
    return out, kept[0]["paper"].numpy()


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("memory", ["1GiB", "400KiB"])
def test_as_on_the_whole_graph(graph, rows, labels, tmp_path, layers, memory):
    trained = fit(graph, rows, labels, num_neighbors=(4,) * layers, **SMALL)
    assert trained.types.vectors == {"venue": COUNT["venue"]}
    made = predict(trained, tmp_path / "out", features=rows, memory=memory)
    out, before = whole(trained, graph, rows)
    # Sums of a few float32 in another order.
    np.testing.assert_allclose(made.output, out, rtol=1e-4, atol=1e-5)
    if layers > 1:
        np.testing.assert_allclose(made.embedding, before, rtol=1e-4, atol=1e-5)
        assert made.embedding.shape == (COUNT["paper"], 8)
    right = out.argmax(axis=1) == labels
    for part in ("val", "test"):
        assert made.scores[part] == pytest.approx(right[getattr(trained.split, part)].mean())
    table = pl.read_csv(tmp_path / "out" / "predictions.csv")
    assert table["label"].to_list() == out.argmax(axis=1).tolist()
    assert len(Embedding.open(tmp_path / "out").vectors) == COUNT["paper"]
    assert [p.name for p in (tmp_path / "out").glob("layer*")] == []


def test_rows_beyond_the_memory(graph, rows, labels, tmp_path):
    """Features and the rows between layers pass through caches smaller than they are."""
    rng = np.random.default_rng(2)
    wide = {name: rng.normal(size=(len(some), 900)).astype(np.float32) for name, some in rows.items()}
    paths = {name: tmp_path / f"{name}.npy" for name in wide}
    for name, some in wide.items():
        np.save(paths[name], some)
    settings = {**SMALL, "hidden": 900, "batch_size": 2, "num_neighbors": (1, 1), "epochs": 1}
    trained = fit(graph, paths, labels, **settings)
    opened = []
    table_of = weft.features.open

    def watched(*given, **more):
        opened.append(table_of(*given, **more))
        return opened[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weft.features, "open", watched)
        made = predict(trained, tmp_path / "out", memory="1650KiB")
    assert any(hasattr(table, "rows_kept") for table in opened), "nothing was cached"
    out, _ = whole(trained, graph, wide)
    np.testing.assert_allclose(made.output, out, rtol=1e-3, atol=1e-4)
    with pytest.raises(BudgetError, match=r"32.0 KiB.* of nodes of type 'paper' have .* give more memory"):
        predict(trained, tmp_path / "no", memory="64KiB")


def test_only_what_is_needed_is_made(graph, rows, labels):
    types = fit(graph, rows, labels, num_neighbors=(2, 2), **SMALL).types
    assert needed(types, 1) == [["paper"]]
    assert needed(types, 2) == [["paper", "author", "venue"], ["paper"]]
    assert needed(types, 3)[0] == ["paper", "author", "venue", "prize"]


def test_of_another_graph(graph, rows, labels, tmp_path):
    """More papers of the same authors; features of what is attached to it."""
    trained = fit(graph, rows, labels, num_neighbors=(4, 4), **SMALL)
    edges = {kind: (some.sources(), np.asarray(some.indices, np.int64)) for kind, some in graph.rows.items()}
    other = HeteroGraph.from_edges(edges, {**COUNT, "paper": COUNT["paper"] + 9})
    more = {**rows, "paper": np.concatenate([rows["paper"], rows["paper"][:9]])}
    made = predict(trained, tmp_path / "out", graph=other, features=more)
    assert len(made.output) == COUNT["paper"] + 9
    assert made.scores == {}
    first = predict(trained, tmp_path / "first", features=rows)
    np.testing.assert_allclose(made.output[: COUNT["paper"]], first.output, rtol=1e-4, atol=1e-5)
    nodes = dict(other.nodes)
    for name, some in more.items():
        nodes[name] = replace(nodes[name], features=some)
    attached = predict(trained, tmp_path / "attached", graph=replace(other, nodes=nodes))
    np.testing.assert_array_equal(attached.output, made.output)


def reordered(graph, name, order):
    """The same graph but for what the nodes of a type are called."""
    packed = Strings.of([f"n{i}" for i in order])
    nodes = replace(graph.nodes[name], ids=Ids.strings(packed.data, packed.offsets))
    return replace(graph, nodes={**graph.nodes, name: nodes}, path=None)


def test_learned_vectors_are_of_the_nodes_that_had_them(graph, rows, labels, tmp_path):
    first = reordered(graph, "venue", range(7))
    trained = fit(first, rows, labels, num_neighbors=(4, 4), **SMALL)
    trained = trained.save(tmp_path / "model")
    predict(trained, tmp_path / "same", graph=reordered(graph, "venue", range(7)), features=rows)
    for order in ([1, 0, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 7]):
        with pytest.raises(WeftValueError, match=r"'venue' had no features.*in another order"):
            predict(trained, tmp_path / "no", graph=reordered(graph, "venue", order), features=rows)


def test_files_of_the_training_are_of_its_nodes(graph, rows, labels, tmp_path):
    paths = {name: tmp_path / f"{name}.npy" for name in rows}
    for name, some in rows.items():
        np.save(paths[name], some)
    trained = fit(graph, paths, labels, num_neighbors=(4, 4), **SMALL)
    said = predict(trained, tmp_path / "a", graph=replace(graph, path=None))
    assert set(said.scores) == {"val", "test"}
    other = reordered(graph, "paper", range(300))
    with pytest.raises(WeftValueError, match=r"no features.*'paper'"):
        predict(trained, tmp_path / "b", graph=other)
    with pytest.warns(UserWarning, match="row i is taken for node i"):
        moved = predict(trained, tmp_path / "c", graph=other, features={"paper": paths["paper"]})
    assert moved.scores == {}
    assert "not those of the training" in moved.unscored


@pytest.mark.filterwarnings("ignore:There exist type names")  # PyG's, of two underscores
def test_any_names_of_types(tmp_path):
    """Also those that modules of torch have for themselves, and those that PyG's take for others."""
    rng = np.random.default_rng(0)
    pairs = [("training", "forward", "p"), ("p", "items", "a.b"), ("a#b", "a.b", "p"), ("a.b", "x", "p")]
    pairs += [("p", "a#b", "a.b"), ("x___y", "z", "p"), ("x", "y___z", "p"), ("<keys>", "_modules", "p")]
    pairs += [("keys", "_modules", "p"), ("a b", "two words", "p")]
    made = HeteroGraph.from_edges(
        {kind: rng.integers(0, 20, (2, 60)) for kind in pairs},
        dict.fromkeys([name for kind in pairs for name in kind[::2]], 20),
    )
    some = {name: rng.normal(size=(20, 3)).astype(np.float32) for name in ("p", "x", "keys")}
    told = fit(made, some, np.arange(20) % 2, num_neighbors=(20, 20), **{**SMALL, "target": "p"})
    again = told.save(tmp_path / "model")
    out = predict(again, tmp_path / "out", graph=made, features=some).output
    n_id = {name: torch.arange(20) for name in made.node_types}
    edges = {
        kind: torch.from_numpy(np.stack([r.sources(), np.asarray(r.indices, np.int64)]))
        for kind, r in made.rows.items()
    }
    with torch.no_grad():
        x = {name: torch.from_numpy(rows) for name, rows in some.items()}
        expected = again.typed_net().gnn(x, n_id, edges)["p"].numpy()
    np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-5)


def test_no_note_of_attached_rows(graph, rows, labels, tmp_path):
    named = reordered(graph, "paper", range(300))
    nodes = {name: replace(named.nodes[name], features=rows.get(name)) for name in named.nodes}
    kept = replace(named, nodes=nodes).save(tmp_path / "g")
    trained = fit(kept, None, labels, num_neighbors=(4, 4), **SMALL)
    assert set(predict(trained, tmp_path / "out").scores) == {"val", "test"}


def test_what_cannot_be_predicted(graph, rows, labels, tmp_path):
    out = tmp_path / "out"
    trained = fit(graph, rows, labels, num_neighbors=(2, 2), **SMALL)
    plain = Graph.from_edges([0, 1], [1, 2])
    untyped = fit(plain, np.eye(3, dtype=np.float32), [0, 1, 0], epochs=1, hidden=8, patience=None)
    fewer = replace(graph, rows=dict(list(graph.rows.items())[:-1]), path=None)
    edges = {kind: (some.sources(), np.asarray(some.indices, np.int64)) for kind, some in graph.rows.items()}
    rows_of_venue = graph.rows["venue", "prints", "paper"]
    more = replace(graph, rows={**graph.rows, ("venue", "shows", "paper"): rows_of_venue}, path=None)
    venues = HeteroGraph.from_edges(edges, {**COUNT, "venue": 9})
    for model, given, error, said in (
        (trained, {"graph": plain}, WeftValueError, "trained on a graph of several types"),
        (untyped, {"graph": graph}, WeftValueError, "was trained on a graph of one type"),
        (untyped, {"graph": plain, "features": rows}, WeftTypeError, "by type"),
        (
            trained,
            {"graph": fewer, "features": rows},
            WeftValueError,
            "the graph lacks prize -goes_to-> author",
        ),
        (
            trained,
            {"graph": more, "features": rows},
            WeftValueError,
            "the graph has also venue -shows-> paper",
        ),
        (
            trained,
            {"graph": venues, "features": rows},
            WeftValueError,
            "learned for 7 nodes; the graph has 9",
        ),
        (trained, {"features": rows["paper"]}, WeftTypeError, "as a dict"),
        (trained, {"features": {"venue": rows["paper"]}}, WeftKeyError, "of type 'venue'"),
        (trained, {"features": {**rows, "paper": rows["paper"][:, :2]}}, WeftValueError, "have 2 columns"),
        (trained, {"features": {**rows, "paper": rows["paper"][:9]}}, WeftValueError, "9 rows"),
        (trained, {}, WeftValueError, "no features"),
    ):
        with pytest.raises(error, match=said):
            predict(model, out, **given)
    assert not out.exists()


KILLED = """
import os, signal, sys
from weft.train import Trained, predict
from weft.train.typed_layers import TypedLayers
layer = TypedLayers._layer
def killed(self, i, *args):
    made = layer(self, i, *args)
    if i == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return made
TypedLayers._layer = killed
predict(Trained.open(sys.argv[1]), sys.argv[2])
"""


def test_killed_and_begun_again(graph, rows, labels, tmp_path):
    paths = {name: tmp_path / f"{name}.npy" for name in rows}
    for name, some in rows.items():
        np.save(paths[name], some)
    trained = fit(graph, paths, labels, num_neighbors=(2, 2, 2), **SMALL).save(tmp_path / "run")
    words = [sys.executable, "-c", KILLED, str(tmp_path / "run"), str(tmp_path / "out")]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    again = predict(Trained.open(tmp_path / "run"), tmp_path / "out")
    np.testing.assert_array_equal(again.output, predict(trained, tmp_path / "other").output)
    assert not any(p.startswith(".out.tmp") for p in os.listdir(tmp_path))
