"""Tables on disk and pairs on disk give the bits of a run in memory, whatever passes through memory when."""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
import pytest

import weft
from weft.embed.plan import make_plan
from weft.embed.run import Run, Settings
from weft.embed.swap import reorder, window
from weft.embed.swap.schedule import Grid, Swap
from weft.errors import BudgetError, StorageError
from weft.graph import Graph
from weft.graph.format import DirectoryReader, DirectoryWriter
from weft.sampling import pairs

PARTS = 7
SETTINGS = Settings(
    dim=12,
    num_negatives=2,
    negative_weight=5.0,
    learning_rate=0.025,
    weight_decay=0.001,
    seed=7,
    rounds=(100_000,),
)
GRIDS = [(1, 1), (2, 3), (7, 2), (3, 7), (7, 7), (4, 1)]


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    """So that a small run has many."""
    monkeypatch.setattr(pairs, "_PAIRS", 2000)
    monkeypatch.setattr(reorder, "_READ", 3 * 4 * 13)
    monkeypatch.setattr(window, "_PIECE", 4096)


@pytest.fixture(scope="module")
def graph():
    rng = np.random.default_rng(0)
    src, dst = (rng.random((2, 800)) ** 2 * 180).astype(np.int64)
    return Graph.from_edges(src, dst, rng.random(800), num_nodes=200, directed=True)


def plan_of(graph, swap=None):
    plan = make_plan(graph, dim=12, pairs=100_000, length=8, window=3, parts=PARTS)
    return dataclasses.replace(plan, swap=swap)


def swaps(panel, strip, tables=True, capacity=1 << 16):
    return Swap(tables=tables, grid=Grid(parts=PARTS, panel=panel, strip=strip), capacity=capacity)


@contextlib.contextmanager
def started(graph, folder, swap=None):
    with Run(graph, plan_of(graph, swap), SETTINGS, folder) as run:
        run.begin()
        yield run


def ended(run):
    while not run.done:
        run.step()
    vertex, context = run.finish()
    return np.array(vertex), np.array(context), run.history


@pytest.fixture(scope="module")
def whole(graph, tmp_path_factory):
    with started(graph, tmp_path_factory.mktemp("whole")) as run:
        return ended(run)


def same(made, whole):
    for mine, theirs in zip(made, whole, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize(("panel", "strip"), GRIDS)
def test_tables_on_disk(graph, whole, tmp_path, panel, strip, count):
    weft.set_num_threads(count)
    with started(graph, tmp_path, swaps(panel, strip)) as run:
        same(ended(run), whole)


@pytest.mark.parametrize("strip", [1, 3, 7])
def test_pairs_on_disk(graph, whole, tmp_path, strip):
    with started(graph, tmp_path, swaps(PARTS, strip, tables=False)) as run:
        same(ended(run), whole)


@pytest.mark.parametrize("tables", [False, True])
def test_batches_smaller_than_strips(graph, whole, tmp_path, tables):
    with started(graph, tmp_path, swaps(7, 3, tables, capacity=9000)) as run:
        same(ended(run), whole)


def test_result_lives_longer_than_the_run(graph, whole, tmp_path):
    with started(graph, tmp_path, swaps(3, 2)) as run:
        while not run.done:
            run.step()
        vertex, context = run.finish()
    assert list(tmp_path.iterdir()) == []
    same((vertex, context), whole[:2])


@pytest.mark.parametrize("there", [None, swaps(2, 2)], ids=["memory", "disk"])
@pytest.mark.parametrize("here", [None, swaps(7, 3), swaps(3, 1)], ids=["memory", "disk", "other"])
def test_a_checkpoint_goes_on_anywhere(graph, whole, tmp_path, there, here):
    state = tmp_path / "state"
    with started(graph, tmp_path, there) as run:
        for _ in range(2):
            run.step()
        with DirectoryWriter(state, "weft.test") as writer:
            run.save(writer)
            writer.finish({})
        same(ended(run), whole)  # saving disturbs nothing
    with Run(graph, plan_of(graph, here), SETTINGS, tmp_path) as run:
        run.load(DirectoryReader(state, "weft.test"))
        same(ended(run), whole)


def test_vectors_of_some_nodes(graph, tmp_path):
    nodes = np.array([3, 199, 0, 3, 77])
    with started(graph, tmp_path) as memory, started(graph, tmp_path, swaps(2, 1)) as disk:
        for _ in range(2):
            same(disk.vectors(nodes), memory.vectors(nodes))
            assert disk.step() == memory.step()
        empty = disk.vectors(np.zeros(0, np.int64))
        assert [part.shape for part in empty] == [(0, 12), (0, 12)]
        same(ended(disk), ended(memory))


def test_no_room_for_the_tables(graph, tmp_path, file_limit):
    file_limit(5000)
    with pytest.raises(StorageError, match=r"cannot reserve 1\d\.\d KiB of vertex rows in "):
        Run(graph, plan_of(graph, swaps(2, 2)), SETTINGS, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_disk_fills_up_in_the_middle(graph, tmp_path, file_limit):
    with started(graph, tmp_path, swaps(7, 2)) as run:
        run.step()
        file_limit(24 * 4096)
        with pytest.raises(StorageError, match=r"cannot write .* of spilled pairs in .*size limit"):
            run.step()


def test_a_part_that_is_too_crowded_goes_on_with_more_memory(graph, whole, tmp_path):
    with (
        started(graph, tmp_path, swaps(7, 1, capacity=1000)) as run,
        pytest.raises(BudgetError, match="more memory"),
    ):
        run.step()
