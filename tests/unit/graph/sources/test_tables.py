from __future__ import annotations

import contextlib

import networkx as nx
import numpy as np
import polars as pl
import pytest
import scipy.io
import scipy.sparse as sp

from weft.errors import IdRangeError, ParseError, StorageError, WeftTypeError, WeftValueError
from weft.graph.ids import Strings
from weft.graph.sources import ArraySource, ParquetSource, arrays, open_source


def ids(column):
    return column.take(np.arange(len(column))) if isinstance(column, Strings) else column.tolist()


def edges(source):
    out = []
    for chunk in source.chunks():
        assert (chunk.weight is not None) == source.weighted
        weight = [None] * len(chunk) if chunk.weight is None else chunk.weight.tolist()
        out += list(zip(ids(chunk.src), ids(chunk.dst), weight, strict=True))
    assert source.num_edges == len(out)
    return out


@pytest.fixture
def parquet(tmp_path):
    def write(frame, name="edges.parquet"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        pl.DataFrame(frame).write_parquet(path)
        return path

    return write


# Parquet.


def test_parquet_nulls_are_named(parquet, monkeypatch):
    monkeypatch.setattr("weft.graph.sources.parquet.CHUNK", 4)
    path = parquet({"a": [1, 2, 3, 4, 5, None], "b": [1, 2, 3, 4, 5, 6]})
    with pytest.raises(ParseError, match=r"edges\.parquet row 6 has no value in the column 'a'"):
        edges(open_source(path))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0, 1e39])
def test_parquet_bad_weights(parquet, bad):
    path = parquet({"a": [1, 2], "b": [1, 2], "weight": [1.0, bad]})
    with pytest.raises(ParseError, match="row 2 has the weight"):
        edges(open_source(path))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"a": [1.5], "b": [2]}, "'a' holds Float64, expected integers or strings"),
        ({"a": [1]}, "1 column, expected at least 2"),
        ({"a": [], "b": []}, "holds Null|no rows"),
        ({"a": [1], "b": [1], "weight": ["x"]}, "weight column 'weight' does not hold numbers"),
    ],
)
def test_parquet_of_another_kind(parquet, frame, message):
    with pytest.raises(ParseError, match=message):
        open_source(parquet(frame))


def test_parquet_columns_that_are_not_there(parquet):
    path = parquet({"a": [1], "b": [1]})
    with pytest.raises(ParseError, match="no column 'x'; it has a, b"):
        open_source(path, columns=("a", "x"))
    with pytest.raises(ParseError, match="no column 5"):
        open_source(path, columns=(0, 5))
    with pytest.raises(ParseError, match="hold strings"):
        open_source(parquet({"a": ["x"], "b": [1]}, "s.parquet"), ids="int")


def test_parquet_damage(parquet, tmp_path):
    path = parquet({"a": np.arange(5000), "b": np.arange(5000)})
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(ParseError, match=r"edges\.parquet is truncated"):
        open_source(path)
    path.write_bytes(b"")
    with pytest.raises(ParseError, match="is empty"):
        open_source(path)
    path.write_bytes(b"1,2\n")
    with pytest.raises(ParseError, match="no Parquet"):
        open_source(path)
    rng = np.random.default_rng(1)
    for _ in range(60):
        broken = bytearray(whole)
        for at in rng.integers(4, len(whole) - 4, 8):
            broken[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(broken))
        with contextlib.suppress(ParseError):
            assert sum(len(chunk) for chunk in ParquetSource([path]).chunks()) <= 5000


@pytest.mark.parametrize("kind", [pl.Int8, pl.UInt8, pl.Int32, pl.UInt32, pl.Int64, pl.UInt64])
def test_parquet_integers_of_any_width(parquet, kind):
    path = parquet({"a": pl.Series([1, 2, 3], dtype=kind), "b": pl.Series([3, 2, 1], dtype=kind)})
    assert edges(open_source(path)) == [(1, 3, None), (2, 2, None), (3, 1, None)]


def test_parquet_integers_beyond_int64(parquet):
    source = open_source(parquet({"a": pl.Series([1, 2**63], dtype=pl.UInt64), "b": [1, 2]}))
    with pytest.raises(IdRangeError, match=r"row 2 has the id 9223372036854775808"):
        edges(source)
    assert edges(source.as_strings()) == [("1", "1", None), ("9223372036854775808", "2", None)]
    with pytest.raises(ParseError, match="does not fit") as caught:
        edges(open_source(*source.paths, ids="int"))
    assert not isinstance(caught.value, IdRangeError)  # which would be answered by reading strings


def test_parquet_strings(parquet, monkeypatch):
    monkeypatch.setattr("weft.graph.sources.parquet.CHUNK", 2)
    path = parquet({"a": ["x", "é", "", "中国", "x"], "b": [1, 2, 3, 4, 5], "c": [0] * 5})
    source = open_source(path)
    assert edges(source) == [(a, str(i + 1), None) for i, a in enumerate(["x", "é", "", "中国", "x"])]
    assert source.report().notes == ("columns not used: c",)
    enum = parquet({"a": pl.Series(["u", "v"], dtype=pl.Categorical), "b": ["v", "u"]})
    assert edges(open_source(enum)) == [("u", "v", None), ("v", "u", None)]


def test_parquet_names_and_weights(parquet):
    path = parquet({"n": [9], "target": [1], "source": [2], "value": [3]})
    assert edges(open_source(path)) == [(2, 1, 3.0)]
    assert edges(open_source(path, weight=False)) == [(2, 1, None)]
    assert edges(open_source(path, columns=("n", 1), weight="source")) == [(9, 1, 2.0)]


def test_parquet_several_files(parquet, tmp_path, monkeypatch):
    monkeypatch.setattr("weft.graph.sources.parquet.CHUNK", 3)
    paths = [parquet({"a": list(range(i, i + 5)), "b": [i] * 5}, f"part/{i}.parquet") for i in (0, 10, 20)]
    expected = [(a, i, None) for i in (0, 10, 20) for a in range(i, i + 5)]
    for given in (tmp_path / "part", str(tmp_path / "part" / "*.parquet"), paths):
        source = open_source(given)
        assert edges(source) == edges(source) == expected
        assert source.position == source.size_hint() == sum(p.stat().st_size for p in paths)
    parquet({"a": [1], "z": [1]}, "part/30.parquet")
    with pytest.raises(ParseError, match=r"30\.parquet has no column 'b'"):
        open_source(tmp_path / "part")


# Arrays.


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (([1, 2], [1]), WeftValueError, r"equally many \(got \[2, 1\]\)"),
        (([1], [1], [1, 2]), WeftValueError, r"equally many"),
        (([1.5], [1]), WeftTypeError, "must be integers or strings"),
        (([True], [1]), WeftTypeError, "must be integers or strings"),
        (([[1]], [[1]]), WeftValueError, "one-dimensional"),
        (([1], [1], ["x"]), WeftValueError, "weights must be numbers"),
        ((["\ud800"], ["a"]), ParseError, "no valid Unicode"),
        (pl.DataFrame({"a": [1, None], "b": [2, 3]}), ParseError, "no value in the column 'a' of row 1"),
        (pl.DataFrame({"a": [1]}), ParseError, "has 1 column"),
        (7, WeftTypeError, "cannot read edges from int"),
        (np.zeros((3, 3), int), WeftTypeError, "cannot read edges from ndarray"),
        (None, WeftTypeError, "cannot read edges from NoneType"),
    ],
)
def test_arrays_that_are_no_edges(given, error, message):
    with pytest.raises(error, match=message):
        open_source(given)


@pytest.mark.parametrize("bad", [np.nan, -np.inf, -1e-9])
def test_array_weights(bad):
    source = open_source(([1, 2, 3], [1, 2, 3], [1, 2, bad]))
    with pytest.raises(ParseError, match="edge 3 has the weight"):
        edges(source)


def test_arrays(monkeypatch):
    monkeypatch.setattr(arrays, "CHUNK", 2)
    expected = [(1, 4, None), (2, 5, None), (3, 6, None)]
    for given in (
        ([1, 2, 3], [4, 5, 6]),
        (np.array([1, 2, 3], np.uint8), np.array([4, 5, 6], np.uint64)),
        np.array([[1, 2, 3], [4, 5, 6]], np.int32),
        np.array([[1, 4], [2, 5], [3, 6]]),
        pl.DataFrame({"x": [1, 2, 3], "y": [4, 5, 6], "z": [7, 8, 9]}),
    ):
        assert edges(open_source(given)) == expected
        assert edges(open_source(given, ids="string")) == [(str(a), str(b), None) for a, b, _ in expected]
    assert edges(open_source((["a", "b", "c"], [1, 2, 3], [0, 1, 2]))) == [
        ("a", "1", 0.0),
        ("b", "2", 1.0),
        ("c", "3", 2.0),
    ]
    assert edges(open_source(([], []))) == []


def test_arrays_of_strings_are_no_integers():
    with pytest.raises(WeftTypeError, match="ids='int' was asked for"):
        open_source((["a"], ["b"]), ids="int")


@pytest.mark.parametrize(
    "large",
    [np.array([2**63, 5], np.uint64), [2**70, 5], nx.path_graph([2**70, 5])],
    ids=["uint64", "list", "networkx"],
)
def test_integers_past_int64_become_strings(large):
    source = large if isinstance(large, nx.Graph) else (large, [5, 5])
    first = 2**70 if isinstance(large, (list, nx.Graph)) else 2**63
    assert edges(open_source(source))[0] == (str(first), "5", None)
    with pytest.raises(WeftTypeError, match="ids='int' was asked for"):
        open_source(source, ids="int")


def test_columns_of_a_frame():
    frame = pl.DataFrame({"x": [5], "src": [1], "dst": [2], "often": [0.5]})
    assert edges(open_source(frame)) == [(1, 2, None)]
    assert edges(open_source(frame, columns=("x", "dst"), weight="often")) == [(5, 2, 0.5)]
    assert edges(open_source(frame, columns=(0, 1))) == [(5, 1, None)]
    with pytest.raises(ParseError, match="no column 'z'"):
        open_source(frame, columns=("x", "z"))
    with pytest.raises(ParseError, match="no column 9"):
        open_source(frame, columns=(0, 9))
    with pytest.raises(WeftTypeError, match="columns are for tables"):
        open_source(([1], [2]), columns=(1, 0))


def test_a_source_is_given_back():
    source = ArraySource([1], [2])
    assert open_source(source) is source


# Matrices.


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_npz(tmp_path, form):
    matrix = sp.random(30, 30, 0.1, rng=np.random.default_rng(0)).asformat(form)
    matrix.data[0] = 0
    sp.save_npz(tmp_path / "m.npz", matrix)
    source = open_source(tmp_path / "m.npz")
    assert (source.num_nodes, source.weighted) == (30, True)
    coo = matrix.tocoo()
    expected = {(r, c, np.float32(v)) for r, c, v in zip(coo.row, coo.col, coo.data, strict=True) if v}
    assert set(edges(source)) == expected
    assert set(edges(open_source(matrix))) == expected
    assert not open_source(matrix, weight=False).weighted


def test_npz_of_ones_has_no_weights(tmp_path):
    sp.save_npz(tmp_path / "m.npz", sp.eye(4, format="csr"))
    assert edges(open_source(tmp_path / "m.npz")) == [(i, i, None) for i in range(4)]


def _npz(**held):
    whole = {"format": b"csr", "shape": [2, 2], "data": [1, 1], "indices": [0, 1], "indptr": [0, 1, 2]}
    return {key: np.array(value) for key, value in (whole | held).items() if value is not None}


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"shape": [2, 3], "indices": [0, 2]}, "matrix of 2 x 3, expected a square one"),
        ({"indices": [0, 2]}, "column index is outside 0 .. 1"),
        ({"indices": [0, -1]}, "column index is outside 0 .. 1"),
        ({"indptr": [0, 2, 1]}, "does not rise"),
        ({"indptr": [0, 2]}, "does not rise"),
        ({"indptr": [-1, 1, 2]}, "does not rise"),
        ({"indices": [0.0, 1.0]}, "needs the integers"),
        ({"indices": None}, "needs the integers"),
        ({"data": [1]}, "2 rows, 2 columns, 1 entries"),
        ({"format": b"bsr"}, "of the form 'bsr'"),
        ({"shape": [[2, 2]]}, "its shape is"),
        ({"format": None}, "is no sparse matrix: it holds shape"),
    ],
)
def test_npz_damage(tmp_path, held, message):
    np.savez(tmp_path / "m.npz", **_npz(**held))
    with pytest.raises(ParseError, match=message):
        open_source(tmp_path / "m.npz")


def test_npz_flipped_and_cut(tmp_path):
    path = tmp_path / "m.npz"
    sp.save_npz(path, sp.random(30, 30, 0.1, format="csr"))
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for i in range(100):
        broken = bytearray(whole if i % 2 else whole[: rng.integers(5, len(whole))])
        for at in rng.integers(4, len(broken), 3):
            broken[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(broken))
        with contextlib.suppress(ParseError):
            assert open_source(path).num_nodes


def test_mat(tmp_path):
    path = tmp_path / "g.mat"
    network = sp.csc_matrix(([1.0, 1.0, 2.0], ([0, 1, 2], [1, 0, 2])), (4, 4))
    scipy.io.savemat(path, {"network": network, "other": sp.eye(5, format="csc"), "x": [1]})
    source = open_source(path)
    assert sorted(edges(source)) == [(0, 1, 1.0), (1, 0, 1.0), (2, 2, 2.0)]
    assert source.num_nodes == 4
    assert edges(open_source(path, variable="other", ids="string"))[:1] == [("0", "0", None)]
    assert len(open_source(path, ids="string").isolated) == 4
    with pytest.raises(ParseError, match="no sparse matrix 'nope'; it has network 4 x 4, other 5 x 5"):
        open_source(path, variable="nope")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ParseError, match=r"g\.mat is damaged"):
        open_source(path)


def test_mat_without_scipy(tmp_path, monkeypatch):
    path = tmp_path / "g.mat"
    scipy.io.savemat(path, {"network": sp.eye(3, format="csc")})
    monkeypatch.setitem(__import__("sys").modules, "scipy.io", None)
    with pytest.raises(ImportError, match=r"pip install SciPy"):
        open_source(path)


# Objects.


def test_networkx():
    graph = nx.Graph([(3, 1), (1, 2)])
    graph.add_node(9)
    source = open_source(graph)
    assert edges(source) == [(3, 1, None), (1, 2, None)]
    assert source.isolated.tolist() == [9]
    named = nx.DiGraph()
    named.add_edge("a", ("b", 1), weight=2)
    named.add_edge("a", 7)
    source = open_source(named)
    assert edges(source) == [("a", "('b', 1)", 2.0), ("a", "7", 1.0)]
    assert source.isolated is None
    with pytest.raises(ParseError, match="same name"):
        open_source(nx.Graph([(1, "1")]))


def test_pyg():
    torch = pytest.importorskip("torch")
    data = pytest.importorskip("torch_geometric.data")
    index = torch.tensor([[0, 1], [1, 2]])
    source = open_source(data.Data(edge_index=index, num_nodes=5))
    assert edges(source) == [(0, 1, None), (1, 2, None)]
    assert source.num_nodes == 5
    for kept in ({"edge_weight": torch.tensor([1.0, 2.0])}, {"edge_attr": torch.tensor([[1.0], [2.0]])}):
        assert edges(open_source(data.Data(edge_index=index, **kept))) == [(0, 1, 1.0), (1, 2, 2.0)]
    assert edges(open_source(index)) == [(0, 1, None), (1, 2, None)]


# Choosing.


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"", "is empty: expected edges"),
        (b"PK\x03\x04", "zip archive"),
        (b"BZh91AY", "bzip2"),
        (b"\xfd7zXZ\0", "compressed with xz"),
        (b"\x89HDF\r\n", "HDF5"),
        (b"\x93NUMPY\x01\0", "pass \\(src, dst\\)"),
        (b"ARROW1\0\0", "Arrow"),
        (b"\0\0\0\0", "is not text"),
    ],
)
def test_foreign_files(tmp_path, head, message):
    (tmp_path / "x").write_bytes(head)
    with pytest.raises(ParseError, match=message):
        open_source(tmp_path / "x")


def test_paths_that_cannot_be_read(tmp_path):
    with pytest.raises(StorageError, match="no such file"):
        open_source(tmp_path / "none.csv")
    with pytest.raises(StorageError, match="no such file"):
        open_source(str(tmp_path / "*.parquet"))
    with pytest.raises(ParseError, match="directory without"):
        open_source(tmp_path)
    with pytest.raises(StorageError, match="no regular file"):
        open_source("/dev/null")
    with pytest.raises(WeftValueError, match="unknown option sep"):
        open_source(tmp_path, sep=",")


def test_content_counts_more_than_the_suffix(tmp_path):
    path = tmp_path / "edges.txt"
    pl.DataFrame({"a": [1], "b": [2]}).write_parquet(path)
    assert edges(open_source(path)) == [(1, 2, None)]
