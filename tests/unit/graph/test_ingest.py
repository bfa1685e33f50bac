"""The import as a whole: what is written, what is refused, what is left behind."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest

import weft
from weft.errors import BudgetError, IdRangeError, ParseError, StorageError, WeftValueError
from weft.graph import Graph
from weft.graph import _build as building
from weft.graph import ingest as module
from weft.graph._plan import Plan
from weft.graph.ids import Strings
from weft.graph.ingest import ingest
from weft.graph.sources.base import EdgeChunk, ReadReport

# Sizes so small that every limit is met: many blocks, many groups, edges on disk.
TINY = Plan(budget=0, base=0, reader=0, nodes=0, block=7, group=11, keep=0, fixed=True)
ROOMY = Plan(budget=0, base=0, reader=0, nodes=0, block=1 << 14, group=1 << 16, keep=1 << 30, fixed=True)


class Edges:
    """A source of arrays or of strings, in chunks of ``step``."""

    name = "edges"
    num_nodes = None
    isolated = None
    position = 0

    def __init__(self, src, dst, weight=None, *, step=10, rereadable=True, kind="int"):
        self.src, self.dst, self.weight, self.step = src, dst, weight, step
        self.rereadable, self.id_kind = rereadable, kind
        self.weighted, self.num_edges = weight is not None, len(src)

    def size_hint(self):
        return 16 * len(self.src)

    def chunks(self):
        pack = Strings.of if self.id_kind == "string" else np.asarray
        for begin in range(0, len(self.src), self.step):
            part = slice(begin, begin + self.step)
            yield EdgeChunk(
                pack(self.src[part]),
                pack(self.dst[part]),
                None if self.weight is None else self.weight[part],
            )

    def as_strings(self):
        return Edges([str(v) for v in self.src], [str(v) for v in self.dst], self.weight, kind="string")

    def report(self):
        return ReadReport()


def random_edges(count=300, ids=40, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.integers(0, ids, count) * 3 - 20,
        rng.integers(0, ids, count) * 3 - 20,
        rng.random(count, np.float32),
    )


def assert_equal(ours, theirs):
    np.testing.assert_array_equal(ours.indptr, theirs.indptr)
    np.testing.assert_array_equal(ours.indices, theirs.indices)
    assert (ours.weight is None) == (theirs.weight is None)
    if ours.weight is not None:
        np.testing.assert_array_equal(ours.weight, theirs.weight)
    nodes = np.arange(ours.num_nodes)
    np.testing.assert_array_equal(ours.ids.take(nodes), theirs.ids.take(nodes))


def digest(folder):
    files = sorted(folder.iterdir())
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture
def with_plan(monkeypatch):
    """Makes an import follow a given plan."""

    def use(plan):
        monkeypatch.setattr(module.Plan, "make", lambda *_, **__: plan)

    return use


@pytest.mark.parametrize("plan", [TINY, ROOMY], ids=["tiny", "roomy"])
@pytest.mark.parametrize("rereadable", [True, False])
@pytest.mark.parametrize("weighted", [True, False], ids=["weighted", "plain"])
def test_equals_from_edges(tmp_path, with_plan, plan, rereadable, weighted, threads):
    with_plan(plan)
    src, dst, weight = random_edges()
    weight = weight if weighted else None
    for directed, duplicates, loops in itertools.product(
        [True, False], ["keep", "drop", "sum"], ["keep", "drop"]
    ):
        options = {"directed": directed, "duplicates": duplicates, "self_loops": loops}
        graph = ingest(
            Edges(src, dst, weight, rereadable=rereadable), tmp_path / "g", overwrite=True, **options
        )
        assert_equal(graph, Graph.from_edges(src, dst, weight, **options))
        assert graph.directed == directed
        Graph.open(tmp_path / "g", verify=True)
    assert [p.name for p in tmp_path.iterdir()] == ["g"]


@pytest.mark.parametrize("num_nodes", [100, 41])
def test_declared_nodes_may_be_isolated(tmp_path, with_plan, num_nodes):
    src, dst, _ = random_edges()
    src, dst = (src + 20) // 3, (dst + 20) // 3
    for plan in (TINY, ROOMY):
        with_plan(plan)
        graph = ingest(Edges(src, dst), tmp_path / "g", num_nodes=num_nodes, overwrite=True)
        assert_equal(graph, Graph.from_edges(src, dst, num_nodes=num_nodes))
        assert graph.ids.kind == "range"


def test_dense_ids_need_no_table(tmp_path):
    graph = ingest(Edges([0, 1, 2], [1, 2, 3]), tmp_path / "g")
    assert graph.ids.kind == "range"
    assert not (tmp_path / "g" / "ids.npy").exists()


@pytest.mark.parametrize("step", [1, 3, 100])
def test_strings_are_numbered_as_they_appear(tmp_path, step):
    graph = ingest(Edges(["b", "a", "ü"], ["a", "b", "a"], step=step, kind="string"), tmp_path / "g")
    assert graph.ids.take([0, 1, 2]).tolist() == ["b", "a", "ü"]
    np.testing.assert_array_equal(graph.indptr, [0, 1, 3, 4])
    np.testing.assert_array_equal(graph.indices, [1, 0, 2, 1])


def test_isolated_nodes_of_a_source_are_kept(tmp_path):
    source = Edges(np.array([5]), np.array([9]))
    source.isolated = np.array([-3, 7])
    assert ingest(source, tmp_path / "g").ids.take(range(4)).tolist() == [-3, 5, 7, 9]
    texts = Edges(["x"], ["y"], kind="string")
    texts.isolated = Strings.of(["z", "x"])
    assert ingest(texts, tmp_path / "h").ids.take(range(3)).tolist() == ["x", "y", "z"]


def test_huge_integers_become_strings(tmp_path):
    class Huge(Edges):
        def chunks(self):
            raise IdRangeError("does not fit")
            yield

    huge = 1 << 70
    graph = ingest(Huge([huge, 1], [1, 2]), tmp_path / "g")
    assert graph.ids.take([0, 1, 2]).tolist() == [str(huge), "1", "2"]
    with pytest.raises(IdRangeError):
        ingest(Huge([huge], [1]), tmp_path / "h", num_nodes=3)


def test_same_bytes_for_every_thread_count_and_memory(tmp_path, with_plan):
    src, dst, weight = random_edges(2000, 300)
    seen = []
    for number, (plan, threads, step, reread) in enumerate(
        itertools.product([TINY, ROOMY], [1, 2, 4], [1, 170], [True, False])
    ):
        with_plan(plan)
        weft.set_num_threads(threads)
        place = tmp_path / str(number)
        ingest(Edges(src, dst, weight, step=step, rereadable=reread), place, duplicates="sum")
        seen.append(digest(place))
    assert all(one == seen[0] for one in seen)


@pytest.mark.parametrize("bad", [-1, 50, 1 << 40])
@pytest.mark.parametrize("plan", [TINY, ROOMY], ids=["tiny", "roomy"])
def test_id_past_the_declared_count_is_named(tmp_path, with_plan, plan, bad):
    with_plan(plan)
    dst = np.zeros(200, np.int64)
    dst[123] = bad
    message = rf"edge 124 names node {bad}, past the declared count: with num_nodes=50 ids are 0 .. 49"
    with pytest.raises(WeftValueError, match=message):
        ingest(Edges(np.zeros(200, np.int64), dst), tmp_path / "g", num_nodes=50)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be(tmp_path):
    one = Edges([0], [1])
    with pytest.raises(WeftValueError, match="duplicates must be"):
        ingest(one, tmp_path / "g", duplicates="first")
    with pytest.raises(WeftValueError, match="must not be negative"):
        ingest(one, tmp_path / "g", num_nodes=-1)
    with pytest.raises(WeftValueError, match="memory must be a size"):
        ingest(one, tmp_path / "g", memory="lots")
    with pytest.raises(WeftValueError, match="needs integer ids"):
        ingest(Edges(["a"], ["b"], kind="string"), tmp_path / "g", num_nodes=3)
    with pytest.raises(ParseError, match="holds no edges"):
        ingest(Edges([], []), tmp_path / "g")
    assert list(tmp_path.iterdir()) == []
    assert ingest(Edges([], []), tmp_path / "g", num_nodes=3).num_nodes == 3


def test_an_existing_graph_is_kept_unless_told(tmp_path):
    ingest(Edges([0], [1]), tmp_path / "g")
    with pytest.raises(WeftValueError, match="exists"):
        ingest(Edges([0, 1], [1, 2]), tmp_path / "g")
    with pytest.raises(WeftValueError, match="past the declared"):
        ingest(Edges([0, 1], [1, 2]), tmp_path / "g", num_nodes=2, overwrite=True)
    assert Graph.open(tmp_path / "g", verify=True).num_nodes == 2
    assert ingest(Edges([0, 1], [1, 2]), tmp_path / "g", overwrite=True).num_nodes == 3
    assert [p.name for p in tmp_path.iterdir()] == ["g"]


def test_too_little_memory_names_both_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr("weft.graph.ingest.resident", lambda: 0)  # whatever this process holds
    with pytest.raises(BudgetError, match=r"memory of 1\.0 MiB is too small: .*give at least"):
        ingest(Edges([0], [1]), tmp_path / "g", memory="1MiB")
    with pytest.raises(BudgetError, match=r"arrays of 10,000,000,000 nodes take 74\.5 GiB"):
        ingest(Edges([0], [1]), tmp_path / "g", num_nodes=10**10, memory="1GiB")
    assert list(tmp_path.iterdir()) == []


def test_distinct_ids_past_the_memory(tmp_path, with_plan):
    with_plan(Plan(budget=1 << 20, base=0, reader=0, nodes=0, block=64, group=64, keep=1 << 10))
    rng = np.random.default_rng(0)
    far = rng.integers(0, 1 << 60, 5000)
    with pytest.raises(BudgetError, match="distinct ids alone take"):
        ingest(Edges(far, far, step=100), tmp_path / "g")


def test_a_bucket_past_the_memory():
    plan = Plan(budget=1 << 30, base=0, reader=0, nodes=0, block=64, group=64, keep=1 << 20)
    plan.check_bucket(1000, 0)
    with pytest.raises(BudgetError, match=r"a few nodes have 1,000,000 edges"):
        plan.check_bucket(1_000_000, 0)


def test_an_error_in_the_middle_leaves_nothing(tmp_path, with_plan):
    class Failing(Edges):
        def chunks(self):
            yield from itertools.islice(super().chunks(), 12)
            raise ParseError("line 121: no")

    for plan in (TINY, ROOMY):
        with_plan(plan)
        src, dst, _ = random_edges()
        with pytest.raises(ParseError, match="line 121"):
            ingest(Failing(src, dst), tmp_path / "g")
        assert list(tmp_path.iterdir()) == []


def test_a_source_that_changes_between_readings(tmp_path, with_plan):
    class Changing(Edges):
        readings = 0

        def chunks(self):
            self.readings += 1
            if self.readings == 2:
                self.dst = self.dst + 1000
            return super().chunks()

    with_plan(TINY)
    src, dst, _ = random_edges()
    with pytest.raises(WeftValueError, match="edges changed while it was read: id 9"):
        ingest(Changing(src, dst), tmp_path / "g")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_while_spilling(tmp_path, with_plan, monkeypatch):
    with_plan(TINY)
    src, dst, _ = random_edges()
    written = itertools.count()

    def full(*_):
        if next(written) < 5:
            return 8
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("weft.graph._shelf.os.pwrite", full)
    with pytest.raises(StorageError, match="disk is full"):
        ingest(Edges(src, dst), tmp_path / "g")
    assert list(tmp_path.iterdir()) == []


def test_groups_cover_every_bucket_once():
    for sizes in ([], [5], [5, 0, 0, 100, 1, 1], [0, 0], [11] * 9):
        spans = list(building._groups(np.array(sizes, np.int64), 12))
        assert [b for begin, end in spans for b in range(begin, end)] == list(range(len(sizes)))
        assert all(end == begin + 1 or sum(sizes[begin:end]) <= 12 for begin, end in spans)


def test_progress_bar(tmp_path, capsys):
    src, dst, _ = random_edges()
    said = []
    ingest(Edges(src, dst), tmp_path / "g", progress=True, say=said.append)
    shown = capsys.readouterr().err
    assert "M edges/s" in shown
    assert "100%" in shown
    assert said[-1].startswith("memory: ")
    assert said[-1].endswith("allowed, edges stayed in it")
    assert len(said[-1]) < 60


@pytest.mark.parametrize("plan", [TINY, ROOMY], ids=["tiny", "roomy"])
@pytest.mark.parametrize("directed", [True, False], ids=["directed", "undirected"])
@pytest.mark.parametrize("duplicates", ["keep", "drop", "sum"])
@pytest.mark.parametrize("loops", ["keep", "drop"])
def test_what_is_lost_is_counted_exactly(tmp_path, with_plan, plan, directed, duplicates, loops):
    with_plan(plan)
    src, dst, _ = random_edges(ids=12)
    pairs = [(a, b) if directed else (min(a, b), max(a, b)) for a, b in zip(src, dst, strict=True)]
    kept = [pair for pair in pairs if loops == "keep" or pair[0] != pair[1]]
    gone = 0 if duplicates == "keep" else len(kept) - len(set(kept))
    said = []
    options = {"directed": directed, "duplicates": duplicates, "self_loops": loops}
    ingest(Edges(src, dst), tmp_path / "g", say=said.append, **options)
    told = " ".join(said)
    word = "merged" if duplicates == "sum" else "dropped"
    assert (f"{gone} duplicate edges {word}" in told) == (gone > 0)
    assert (f"{len(pairs) - len(kept)} self-loops dropped" in told) == (loops == "drop")
    assert ("read" in told) == (gone > 0 or loops == "drop")
    assert ("waited on disk" in said[-1]) == (plan is TINY)


class Data:
    """As PyG has it, as far as an import looks."""

    edge_index = np.array([[0, 1], [1, 2]])
    num_nodes = 3
    x = np.zeros((3, 2), np.float32)
    y = np.array([0, 1, 0])


def test_what_pyg_data_holds_besides_is_told(tmp_path):
    said = []
    ingest(Data(), tmp_path / "g", say=said.append)
    told = " ".join(said)
    assert "x was not attached; features=data.x.numpy()" in told
    assert "y was not attached; labels=(" in told
    said.clear()
    ingest(Data(), tmp_path / "h", features=Data.x, labels=(range(3), Data.y), say=said.append)
    assert "attached" not in " ".join(said)
