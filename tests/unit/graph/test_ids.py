"""Ids and labels."""

from __future__ import annotations

import numpy as np
import pytest

from weft.errors import WeftKeyError, WeftValueError
from weft.graph import Graph, Ids, Labels, Strings


def make(kind):
    if kind == "range":
        return Ids.range(3), [0, 1, 2], 3
    if kind == "int":
        return Ids.integers(np.array([-7, 0, 2**60])), [-7, 0, 2**60], 5
    packed = Strings.of(["b", "", "ünï"])
    return Ids.strings(packed.data, packed.offsets), ["b", "", "ünï"], "x"


@pytest.mark.parametrize("kind", ["range", "int", "string"])
def test_take_and_find(kind):
    ids, external, unknown = make(kind)
    assert len(ids) == 3
    assert ids.take([2, 0, 2]).tolist() == [external[2], external[0], external[2]]
    assert ids.find([external[1], unknown, external[0]]).tolist() == [1, -1, 0]
    assert [ids[i] for i in range(3)] == external
    assert ids.node(external[2]) == 2
    with pytest.raises(WeftKeyError, match=f"no node has the id {unknown!r}; ids look like"):
        ids.node(unknown)
    with pytest.raises(WeftKeyError, match="node 3 is not in"):
        ids[3]


def test_digest():
    """Of what the ids are and of their order; integers 0 .. N-1 are the numbers of the nodes."""
    made = [make(kind)[0] for kind in ("range", "int", "string")]
    packed = Strings.of(["b", "ünï", ""])
    made += [Ids.strings(packed.data, packed.offsets), Ids.range(4), Ids.integers(np.array([-7, 0, 5]))]
    assert len({ids.digest() for ids in made}) == len(made)
    assert Ids.integers(np.arange(3)).digest() == Ids.range(3).digest()
    assert make("string")[0].digest() == make("string")[0].digest()
    assert Ids.integers(np.arange(0)).digest() == Ids.range(0).digest()


def test_find_text_among_integers():
    ids, _, _ = make("int")
    assert ids.find(["0", "zero", "-7", str(2**99)]).tolist() == [1, -1, 0, -1]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([0.0, 0.5, np.nan, np.inf, 1e300, -7.0], [1, -1, -1, -1, -1, 0]),
        (np.array([2**63, 2**64 - 7, 0], np.uint64), [-1, -1, 1]),
        ([None, 0, "0.5", 0.5, "-7"], [-1, 1, -1, -1, 0]),
        ([2**70, -7], [-1, 0]),
        ([], []),
    ],
    ids=["floats", "uint64", "mixed", "large", "none"],
)
def test_find_never_takes_another_number_for_an_id(asked, found):
    ids, _, _ = make("int")
    asked = np.array(asked, object) if None in list(asked) else asked
    assert ids.find(asked).tolist() == found


def test_integers_must_rise():
    with pytest.raises(WeftValueError, match="rise strictly"):
        Ids.integers(np.array([1, 1]))


@pytest.mark.parametrize("kind", ["range", "int", "string"])
def test_save_and_load(tmp_path, kind):
    ids, external, _ = make(kind)
    graph = Graph.from_edges([0], [1], num_nodes=3)
    labels = Labels.from_pairs(np.array([2, 0, 2]), ["x", "y", "y"], 3)
    graph = Graph(
        indptr=graph.indptr, indices=graph.indices, weight=None, directed=False, ids=ids, labels=labels
    )
    back = graph.save(tmp_path / "g")
    assert back.ids.take([0, 1, 2]).tolist() == external
    assert back.labels is not None
    assert [back.labels[i] for i in range(3)] == [("y",), (), ("x", "y")]


def test_labels_sort_by_value_when_all_are_integers():
    labels = Labels.from_pairs(np.array([0, 1, 2, 2]), ["10", "9", "-1", "-1"], 3)
    assert labels.names == ("-1", "9", "10")
    assert labels.indices.tolist() == [2, 1, 0]


@pytest.mark.parametrize(("nodes", "names"), [([0], ["a", "b"]), ([3], ["a"]), ([-1], ["a"])])
def test_bad_labels(nodes, names):
    with pytest.raises(WeftValueError, match="labels: "):
        Labels.from_pairs(np.array(nodes), names, 3)
