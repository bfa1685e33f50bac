"""Labels and features of an import."""

from __future__ import annotations

import contextlib
import gzip

import numpy as np
import pytest

from weft.errors import FormatError, ParseError, StorageError, WeftError, WeftValueError
from weft.graph.generate import planted_partition, rmat
from weft.graph.ingest import ingest
from weft.npy import open_npy


@pytest.fixture
def source():
    return planted_partition(20, 4, seed=1)


def write(path, text):
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "id,label\n3,x\n3,a b\n19,x\n",
        "# comment\n3\tx\n3\ta b\n\n19\tx\n",
        "3;x\n3;a b\n% more\n19;x\n",
        "page,id,label\np,3,x\nq,3,a b\nr,19,x\n",
    ],
)
@pytest.mark.parametrize("name", ["labels.csv", "labels.gz"])
def test_label_tables(tmp_path, source, text, name):
    graph = ingest(source, tmp_path / "g", labels=write(tmp_path / name, text))
    assert graph.labels.names == ("a b", "x")
    assert graph.labels[3] == ("a b", "x")
    assert graph.labels[19] == ("x",)
    assert graph.labels[0] == ()


def test_labels_as_arrays(tmp_path, source):
    graph = ingest(source, tmp_path / "g", labels=(np.arange(20), source.labels))
    assert [graph.labels[i] for i in range(20)] == [(str(c),) for c in source.labels]
    with pytest.raises(WeftValueError, match="20 ids but 3 labels"):
        ingest(source, tmp_path / "h", labels=(np.arange(20), [1, 2, 3]))


def test_labels_of_strings(tmp_path, source):
    labels = write(tmp_path / "l.csv", "id,label\n3,x\n")
    assert ingest(source.as_strings(), tmp_path / "g", labels=labels).labels.names == ("x",)


def test_unknown_ids_are_counted_and_named(tmp_path, source):
    labels = write(tmp_path / "l.csv", "1,a\n99,a\n-5,b\n")
    with pytest.warns(
        UserWarning, match=r"l\.csv: 2 of 3 ids are not in the graph and were left out: 99, -5"
    ):
        graph = ingest(source, tmp_path / "g", labels=labels)
    assert graph.labels.names == ("a",)
    said = []
    ingest(source, tmp_path / "g", labels=labels, overwrite=True, say=said.append)
    assert any("99, -5" in line for line in said)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("# nothing\n", "holds no data"),
        ("1,a\nten,b\n", r"line 2: 'ten' is no integer id"),
        ("1,a\n2\n", r"line 2: '2' has 1 field, expected 2 \(id,label\)"),
        ("1,a,b\n2,c,d\n", "has 3 columns"),
        ("99,a\n98,b\n", "none of its 2 ids is in the graph; it begins with 99, 98"),
    ],
)
def test_bad_label_tables(tmp_path, source, text, message):
    labels = write(tmp_path / "l.csv", text)
    with pytest.raises(ParseError, match=message):
        ingest(source, tmp_path / "g", labels=labels)
    assert [p.name for p in tmp_path.iterdir()] == ["l.csv"]


def test_labels_that_are_not_there(tmp_path, source):
    with pytest.raises(StorageError, match=r"cannot read .*absent"):
        ingest(source, tmp_path / "g", labels=tmp_path / "absent.csv")


ROWS = np.arange(60, dtype=np.float32).reshape(20, 3)


def test_features_in_the_order_of_nodes(tmp_path, source, monkeypatch):
    monkeypatch.setattr("weft.graph._attach._CHUNK_BYTES", 25)  # two rows at a time
    np.save(tmp_path / "f.npy", ROWS)
    for number, given in enumerate([ROWS, ROWS.astype(">f4"), tmp_path / "f.npy", np.asfortranarray(ROWS)]):
        graph = ingest(source, tmp_path / str(number), features=given)
        assert graph.features.dtype == np.float32
        np.testing.assert_array_equal(graph.features, ROWS)


def test_features_by_id(tmp_path, source):
    order = np.random.default_rng(0).permutation(20)
    np.save(tmp_path / "ids.npy", order)
    (tmp_path / "ids.txt").write_text("id\n" + "\n".join(map(str, order)))
    np.save(tmp_path / "f.npy", ROWS[order])
    with_column = np.insert(ROWS[order], 1, order, axis=1)
    np.save(tmp_path / "c.npy", with_column)
    for number, (given, ids) in enumerate(
        [
            (ROWS[order], order),
            (tmp_path / "f.npy", tmp_path / "ids.npy"),
            (tmp_path / "f.npy", tmp_path / "ids.txt"),
            (tmp_path / "c.npy", 1),
            (with_column, 1),
        ]
    ):
        graph = ingest(source, tmp_path / str(number), features=given, feature_ids=ids)
        np.testing.assert_array_equal(graph.features, ROWS)


def test_features_of_more_ids_than_nodes(tmp_path, source):
    with pytest.warns(UserWarning, match="1 of 21 ids are not in the graph"):
        graph = ingest(
            source, tmp_path / "g", features=np.vstack([ROWS, ROWS[:1]]), feature_ids=np.arange(21)
        )
    np.testing.assert_array_equal(graph.features, ROWS)


@pytest.mark.parametrize(
    ("rows", "ids", "message"),
    [
        (ROWS[:19], None, "has 19 rows, the graph has 20 nodes"),
        (ROWS[:19], np.arange(19), "1 of 20 nodes have no row, such as 19"),
        (ROWS, np.arange(19), "20 rows but 19 ids"),
        (ROWS, np.minimum(np.arange(20), 18), "1 ids are given twice, such as 18"),
        (ROWS, 3, "no column 3: it has 3 columns"),
        (ROWS + 0.5, 0, "no whole numbers|not whole numbers"),
        (ROWS[0], None, r"2-D array of numbers \(got float32 \[3\]\)"),
        (ROWS.astype(str), None, "2-D array of numbers"),
    ],
)
def test_features_that_do_not_fit(tmp_path, source, rows, ids, message):
    with pytest.raises(WeftValueError, match=message):
        ingest(source, tmp_path / "g", features=rows, feature_ids=ids)
    assert list(tmp_path.iterdir()) == []


def test_truncated_and_foreign_npy(tmp_path):
    source, file = rmat(4), tmp_path / "f.npy"
    np.save(file, np.zeros((16, 2)))
    whole = file.read_bytes()
    for raw, message in [
        (whole[:-1], r"holds 383 bytes, its header says 384; it is truncated"),
        (whole + b"x", r"holds 385 bytes, its header says 384"),
        (b"PK\x03\x04" + whole, r"is not a \.npy file"),
        (whole[:20], r"is not a \.npy file"),
        (b"", r"is not a \.npy file"),
    ]:
        file.write_bytes(raw)
        with pytest.raises(FormatError, match=message):
            ingest(source, tmp_path / "g", features=file)
    np.save(file, np.array([["a"]], object), allow_pickle=True)
    with pytest.raises(FormatError, match="Python objects"):
        ingest(source, tmp_path / "g", features=file)
    assert [p.name for p in tmp_path.iterdir()] == ["f.npy"]


IDS = [f"{i}" for i in range(20)]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(IDS),
        "\ufeffid\r\n" + "\r\n".join(IDS) + "\r\n",
        "# ids\n\n" + "\n\n".join(f'"{i}",x' for i in IDS),
        "\n".join(f"{i}\tsome name" for i in IDS),
    ],
    ids=["plain", "windows", "comments and quotes", "more columns"],
)
@pytest.mark.parametrize("name", ["ids.txt", "ids.gz"])
def test_files_of_row_ids(tmp_path, source, text, name):
    rows = np.arange(20.0)[:, None]
    graph = ingest(source, tmp_path / "g", features=rows[::-1], feature_ids=write(tmp_path / name, text))
    np.testing.assert_array_equal(graph.features, rows[::-1])


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"# c\n\n0\n\nx\n", ParseError, "line 5: 'x' is no integer id"),
        (b"0\n99999999999999999999\n", ParseError, "line 2: '99999999999999999999' is no integer"),
        (b"0\n\xff\n", ParseError, "line 2.*not UTF-8"),
        (b'0\n"1\n', ParseError, "line 2.*quote that does not close"),
        (b"# c\n", ParseError, "holds no lines"),
        (gzip.compress(b"0\n1\n")[:-6], ParseError, "truncated"),
        (b"\x1f\x8bxxxx", ParseError, "damaged"),
    ],
    ids=["text", "large", "latin1", "quote", "empty", "truncated", "damaged"],
)
def test_bad_files_of_row_ids(tmp_path, source, content, error, message):
    (tmp_path / "ids.txt").write_bytes(content)
    with pytest.raises(error, match=message):
        ingest(source, tmp_path / "g", features=np.zeros((20, 1)), feature_ids=tmp_path / "ids.txt")
    assert not (tmp_path / "g").exists()


def test_any_damage_of_a_features_file_is_named(tmp_path):
    np.save(tmp_path / "f.npy", np.zeros((20, 3), np.float32))
    whole = (tmp_path / "f.npy").read_bytes()
    rng = np.random.default_rng(0)
    for turn in range(400):
        content = bytearray(whole)
        for at in rng.integers(0, 80, rng.integers(1, 5)):
            content[at] = rng.integers(256)
        (tmp_path / "f.npy").write_bytes(content[: rng.integers(1, len(whole))] if turn % 3 == 0 else content)
        with contextlib.suppress(WeftError):
            open_npy(tmp_path / "f.npy")
