from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from weft.errors import StorageError, WeftValueError
from weft.graph import Graph, tables
from weft.graph.generate import planted_partition, rmat
from weft.graph.ids import Ids
from weft.graph.ingest import ingest
from weft.graph.tables import write_edges, write_labels
from weft.kernels.rmat import reference
from weft.rng import Op, key


def both(chunks):
    return np.concatenate([np.stack([c.src, c.dst]) for c in chunks], axis=1)


def test_rmat_is_the_kernel():
    source = rmat(9, 4, seed=5)
    assert (source.num_nodes, source.num_edges) == (512, 2048)
    np.testing.assert_array_equal(source.edges(), reference.rmat_edges(9, 2048, key(5, Op.RMAT)))


@pytest.mark.parametrize(
    "source", [rmat(8, seed=1), planted_partition(999, 7, 6, 0.2, seed=1)], ids=["rmat", "planted"]
)
def test_edges_do_not_depend_on_chunks(source, monkeypatch):
    whole = np.stack(source.edges())
    np.testing.assert_array_equal(source.edges(5, 3), whole[:, 5:8])
    monkeypatch.setattr("weft.graph.generate._CHUNK", 100)
    np.testing.assert_array_equal(both(source.chunks()), whole)
    texts = next(iter(source.as_strings().chunks()))
    assert [texts.src[i] for i in range(3)] == [str(v) for v in whole[0, :3]]


@pytest.mark.parametrize(("nodes", "communities"), [(2, 1), (10, 5), (1001, 10), (50_000, 100)])
@pytest.mark.parametrize("mixing", [0.0, 0.25, 1.0])
def test_planted_communities(nodes, communities, mixing):
    if communities == 1 and mixing:
        pytest.skip("one community has no outside")
    source = planted_partition(nodes, communities, 10, mixing, seed=2)
    src, dst = source.edges()
    assert len(src) == 5 * nodes
    assert not (src == dst).any()
    assert min(src.min(), dst.min()) >= 0
    assert max(src.max(), dst.max()) < nodes
    sizes = np.bincount(source.labels, minlength=communities)
    assert sizes.max() - sizes.min() <= 1
    crossing = (source.labels[src] != source.labels[dst]).mean()
    # Five standard deviations of a share.
    assert abs(crossing - mixing) <= 5 * np.sqrt(mixing * (1 - mixing) / len(src))
    if nodes > 1000:
        # Number and community of a node have nothing to do with each other.
        assert abs(np.corrcoef(np.arange(nodes), source.labels)[0, 1]) < 5 / np.sqrt(nodes)


def test_every_place_of_a_community_is_reached():
    source = planted_partition(12, 3, 400, 0.5, seed=0)
    pairs = set(zip(*(a.tolist() for a in source.edges()), strict=True))
    assert len(pairs) == 12 * 11


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rmat(0), "scale"),
        (lambda: rmat(4, -1), "edge_factor"),
        (lambda: rmat(4, a=0.9, b=0.9), "probabilities"),
        (lambda: planted_partition(0, 1), "num_nodes"),
        (lambda: planted_partition(5, 6), "num_communities"),
        (lambda: planted_partition(5, 5), "one node"),
        (lambda: planted_partition(5, 1), "mixing must be 0"),
        (lambda: planted_partition(10, 2, 3, 1.5), r"0 to 1 .* \(got 1.5 and 3\)"),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(WeftValueError, match=message):
        call()


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".tsv", ".txt"])
def test_tables_hold_the_edges(tmp_path, ending, monkeypatch):
    monkeypatch.setattr("weft.graph.generate._CHUNK", 1000)
    source = rmat(8)
    path = write_edges(source, tmp_path / f"edges{ending}")
    separator = {".csv": ",", ".tsv": "\t", ".txt": " "}.get(ending)
    table = pl.read_csv(path, separator=separator) if separator else pl.read_parquet(path)
    assert table.columns == ["src", "dst"]
    np.testing.assert_array_equal(table.to_numpy().T, source.edges())
    with pytest.raises(WeftValueError, match="exists"):
        write_edges(source, path)
    write_edges(source, path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_table_of_another_kind(tmp_path):
    with pytest.raises(WeftValueError, match=r"must end in .* \(got '.xlsx'\)"):
        write_edges(rmat(3), tmp_path / "edges.xlsx")


def test_a_failed_table_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tables, "_write_text", full)
    with pytest.raises(StorageError, match="disk is full"):
        write_edges(rmat(3), tmp_path / "edges.csv")
    assert list(tmp_path.iterdir()) == []


def test_labels_as_a_table(tmp_path):
    write_labels(np.array([3, 1]), Ids.integers(np.array([7, 9])), tmp_path / "labels.csv")
    assert (tmp_path / "labels.csv").read_text() == "id,label\n7,3\n9,1\n"


def test_straight_to_a_graph(tmp_path, threads):
    source = rmat(10, 4)
    graph = ingest(source, tmp_path / "g")
    expected = Graph.from_edges(*source.edges(), num_nodes=1024)
    np.testing.assert_array_equal(graph.indptr, expected.indptr)
    np.testing.assert_array_equal(graph.indices, expected.indices)
