"""Import of edges of several types: what is written, what is refused, what is left behind."""

from __future__ import annotations

import hashlib
import itertools
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import weft
from weft.errors import ParseError, WeftTypeError, WeftValueError
from weft.graph import HeteroGraph
from weft.graph import hetero_ingest as module
from weft.graph._plan import Plan
from weft.graph.hetero_ingest import TypedEdges, ingest_typed

# Sizes so small that every limit is met: many blocks, many groups, edges on disk.
TINY = Plan(budget=0, base=0, reader=0, nodes=0, block=7, group=11, keep=0, fixed=True)
ROOMY = Plan(budget=0, base=0, reader=0, nodes=0, block=1 << 14, group=1 << 16, keep=1 << 30, fixed=True)

WRITES, CITES = ("author", "writes", "paper"), ("paper", "cites", "paper")


@pytest.fixture
def with_plan(monkeypatch):
    def use(plan):
        monkeypatch.setattr(module.Plan, "make", lambda *_, **__: plan)

    return use


def random_edges(weighted, seed=0):
    """Ids of papers with gaps, of authors without; some edges twice, some from a paper to itself."""
    rng = np.random.default_rng(seed)
    writes = rng.integers(0, 30, 400), rng.integers(0, 50, 400) * 3 - 20
    cites = rng.integers(0, 50, 300) * 3 - 20, rng.integers(0, 50, 300) * 3 - 20
    weight = rng.random(400, np.float32) if weighted else None
    return {WRITES: writes if weight is None else (*writes, weight), CITES: cites}


def assert_same(ours, theirs):
    assert ours.node_types == theirs.node_types
    assert ours.edge_types == theirs.edge_types
    assert ours.num_nodes == theirs.num_nodes
    for name, ids in ours.ids.items():
        np.testing.assert_array_equal(ids.take(range(len(ids))), theirs.ids[name].take(range(len(ids))))
    for kind, rows in ours.rows.items():
        other = theirs.rows[kind]
        np.testing.assert_array_equal(rows.indptr, other.indptr)
        np.testing.assert_array_equal(rows.indices, other.indices)
        assert (rows.weight is None) == (other.weight is None), kind
        if rows.weight is not None:
            np.testing.assert_array_equal(rows.weight, other.weight)


def digest(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


@pytest.mark.parametrize("plan", [TINY, ROOMY], ids=["tiny", "roomy"])
@pytest.mark.parametrize("weighted", [True, False], ids=["weighted", "plain"])
def test_equals_from_edges(tmp_path, with_plan, plan, weighted):
    with_plan(plan)
    edges = random_edges(weighted)
    for directed, duplicates in itertools.product([True, False], ["keep", "drop", "sum"]):
        place = tmp_path / "g"
        ours = ingest_typed(edges, place, directed=directed, duplicates=duplicates, overwrite=True)
        theirs = HeteroGraph.from_edges(edges, duplicates=duplicates)
        assert_same(ours, theirs if directed else theirs.with_reverse())
        HeteroGraph.open(place, verify=True)
    assert [p.name for p in tmp_path.iterdir()] == ["g"]


def test_same_bytes_for_every_thread_count_and_memory(tmp_path, with_plan):
    seen = []
    for number, (plan, threads) in enumerate(itertools.product([TINY, ROOMY], [1, 4])):
        with_plan(plan)
        weft.set_num_threads(threads)
        ingest_typed(random_edges(True), tmp_path / str(number))
        seen.append(digest(tmp_path / str(number)))
    assert all(one == seen[0] for one in seen)


def test_one_type_is_numbered_as_the_plain_import_does(tmp_path):
    from weft.graph.ingest import ingest

    (tmp_path / "e.csv").write_text("b,a\nc,b\na,d\n")
    typed = ingest_typed({("n", "to", "n"): tmp_path / "e.csv"}, tmp_path / "t", directed=True)
    plain = ingest(tmp_path / "e.csv", tmp_path / "p", directed=True)
    assert typed.ids["n"].take(range(4)).tolist() == plain.ids.take(range(4)).tolist()
    np.testing.assert_array_equal(typed["n", "to", "n"].indices, plain.indices)


@pytest.mark.parametrize("plan", [TINY, ROOMY], ids=["tiny", "roomy"])
def test_numbers_beside_names_stay_numbers(tmp_path, with_plan, plan):
    """A file has ids of one kind; a type whose ids are all integers has integers all the same."""
    with_plan(plan)
    (tmp_path / "w.csv").write_text("ann,10\nbob,-3\nbob,7\n")
    (tmp_path / "c.csv").write_text("10,7\n7,12\n")
    files = {WRITES: tmp_path / "w.csv", CITES: tmp_path / "c.csv"}
    graph = ingest_typed(files, tmp_path / "g", directed=True)
    assert graph.ids["author"].take([0, 1]).tolist() == ["ann", "bob"]
    assert graph.ids["paper"].take(range(4)).tolist() == [-3, 7, 10, 12]
    np.testing.assert_array_equal(graph[WRITES].indices, [2, 0, 1])
    np.testing.assert_array_equal(graph[CITES].indptr, [0, 0, 1, 2, 2])
    np.testing.assert_array_equal(graph[CITES].indices, [3, 1])
    text = ingest_typed(files, tmp_path / "t", directed=True, ids="string")
    assert text.ids["paper"].take(range(4)).tolist() == ["10", "-3", "7", "12"]
    (tmp_path / "c.csv").write_text("10,7\n07,12\n")  # not how an integer is written
    assert ingest_typed(files, tmp_path / "u", directed=True).ids["paper"].kind == "string"


def test_declared_nodes_may_be_isolated(tmp_path):
    (tmp_path / "w.csv").write_text("ann,2\nbob,0\n")
    graph = ingest_typed(
        {WRITES: tmp_path / "w.csv"}, tmp_path / "g", num_nodes={"paper": 5, "venue": 3}, directed=True
    )
    assert graph.num_nodes == {"paper": 5, "venue": 3, "author": 2}
    assert graph.ids["paper"].kind == "range"
    np.testing.assert_array_equal(graph[WRITES].indices, [2, 0])
    plain = ingest_typed({CITES: ([0, 4], [1, 1])}, tmp_path / "h", num_nodes={"paper": 6})
    assert plain.num_nodes == {"paper": 6}
    np.testing.assert_array_equal(plain["paper", "rev_cites", "paper"].indices, [0, 4])


def test_huge_integers_become_strings(tmp_path):
    huge, table = 1 << 70, tmp_path / "w.csv"
    table.write_text("1,5\n" * 5000 + f"{huge},6\n")  # too late for a look at the first lines
    graph = ingest_typed({WRITES: table}, tmp_path / "g")
    assert graph.ids["author"].take([0, 1]).tolist() == ["1", str(huge)]
    assert graph.ids["paper"].take([0, 1]).tolist() == [5, 6]
    declared = ingest_typed({WRITES: table}, tmp_path / "h", num_nodes={"paper": 9}, directed=True)
    assert declared.num_nodes == {"paper": 9, "author": 2}
    with pytest.raises(WeftValueError, match="names, such as '1'"):
        ingest_typed({WRITES: table}, tmp_path / "i", num_nodes={"author": 9})
    with pytest.raises(ParseError, match="64 bits"):
        ingest_typed({WRITES: table}, tmp_path / "i", ids="int")
    assert not (tmp_path / "i").exists()


def test_loops_are_within_a_type(tmp_path):
    edges = {WRITES: ([0, 1], [0, 1]), CITES: ([0, 1], [0, 0])}
    said = []
    graph = ingest_typed(edges, tmp_path / "g", self_loops="drop", directed=True, say=said.append)
    assert graph.num_edges == {WRITES: 2, CITES: 1}
    assert any("1 self-loop dropped, of 2 edges read" in line for line in said), said


def test_says_what_was_merged_and_skipped(tmp_path):
    (tmp_path / "w.csv").write_text("1,5\n1,5\n1,5\nonly\n2,6\n")
    said = []
    ingest_typed({WRITES: tmp_path / "w.csv"}, tmp_path / "g", on_error="skip", say=said.append)
    assert any("2 duplicate edges dropped (the first is kept), of 4 edges read" in line for line in said), (
        said
    )
    assert any("1 line could not be read" in line for line in said)


def test_columns_of_each_file(tmp_path):
    (tmp_path / "all.csv").write_text("paper,author,venue,score\n1,ann,x,0.5\n2,bob,x,2\n")
    graph = ingest_typed(
        {
            WRITES: TypedEdges(tmp_path / "all.csv", ("author", "paper"), "score"),
            ("paper", "in", "venue"): TypedEdges(tmp_path / "all.csv", (0, 2), False),
        },
        tmp_path / "g",
        directed=True,
    )
    np.testing.assert_array_equal(graph[WRITES].weight, np.float32([0.5, 2]))
    assert graph["paper", "in", "venue"].weight is None
    assert graph.num_nodes == {"author": 2, "paper": 2, "venue": 1}


def test_what_is_refused(tmp_path):
    import scipy.sparse

    (tmp_path / "w.csv").write_text("ann,1\n")
    (tmp_path / "far.csv").write_text("ann,9\n")
    (tmp_path / "none.csv").write_text("source,target\n")
    scipy.sparse.save_npz(tmp_path / "m.npz", scipy.sparse.eye(3, format="csr"))
    back = ("paper", "rev_writes", "author")
    for edges, options, error, said in (
        ({}, {}, WeftValueError, "at least one type"),
        ({"writes": tmp_path / "w.csv"}, {}, WeftTypeError, "source type, relation, target type"),
        ({("a", "", "b"): tmp_path / "w.csv"}, {}, WeftValueError, "printable"),
        ({WRITES: ([1], [2]), back: ([2], [1])}, {}, WeftValueError, "--directed"),
        ({WRITES: tmp_path / "w.csv"}, {"duplicates": "all"}, WeftValueError, "duplicates must be"),
        ({WRITES: tmp_path / "w.csv"}, {"num_nodes": {"paper": -1}}, WeftValueError, "0 or more"),
        (
            {WRITES: tmp_path / "far.csv"},
            {"num_nodes": {"paper": 5}},
            WeftValueError,
            "'paper': there is a node 9",
        ),
        ({WRITES: tmp_path / "w.csv"}, {"num_nodes": {"author": 5}}, WeftValueError, "names, such as 'ann'"),
        ({WRITES: tmp_path / "m.npz"}, {}, ParseError, "square matrix"),
        ({WRITES: tmp_path / "w.csv"}, {"ids": "int"}, ParseError, "w.csv"),
    ):
        with pytest.raises(error, match=said):
            ingest_typed(edges, tmp_path / "g", **options)
    matrix = ingest_typed({CITES: tmp_path / "m.npz"}, tmp_path / "m", directed=True)
    assert matrix.num_nodes == {"paper": 3}
    assert not (tmp_path / "g").exists()
    with pytest.raises(WeftValueError, match="exists"):
        ingest_typed({WRITES: tmp_path / "w.csv"}, tmp_path / "m")
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == ["m"]


KILLED = """
import sys
from weft.graph.hetero_ingest import ingest_typed
edges = {("a", "to", "b"): sys.argv[1], ("b", "to", "b"): sys.argv[1]}
print("ready", flush=True)
while True:
    ingest_typed(edges, sys.argv[2], overwrite=True)
"""


def test_killed_at_any_moment(tmp_path):
    rng = np.random.default_rng(0)
    table = tmp_path / "e.csv"
    np.savetxt(table, rng.integers(0, 3000, (60_000, 2)), fmt="%d", delimiter=",")
    place = tmp_path / "out" / "g"
    for moment in (0.05, 0.3, 0.7):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(table), str(place)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(moment)
            child.send_signal(signal.SIGKILL)
        if place.exists():
            HeteroGraph.open(place, verify=True)
    graph = ingest_typed({WRITES: table}, place, overwrite=True)
    assert graph.num_nodes == {"author": 3000, "paper": 3000}
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["g"]
