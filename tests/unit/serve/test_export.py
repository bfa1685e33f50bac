"""Exports: refusals, and that every form reads back as the same numbers under the same ids."""

import resource
import signal

import numpy as np
import polars as pl
import pytest

from weft.errors import StorageError, WeftValueError
from weft.graph import Ids, Strings
from weft.serve import export, export_vectors


def _ids(kind, count):
    if kind == "range":
        return Ids.range(count)
    if kind == "int":
        return Ids.integers(np.arange(count, dtype=np.int64) * 10**12 - 5)
    packed = Strings.of(f"né-{i}" for i in range(count))
    return Ids.strings(packed.data, packed.offsets)


def _vectors(count, dim=3):
    rng = np.random.default_rng(count)
    return (rng.normal(size=(count, dim)) * 10.0 ** rng.integers(-30, 30, (count, dim))).astype(np.float32)


def _read(path, files):
    """Ids as text, and the vectors."""
    if path.suffix == ".npy":
        beside = files[1]
        text = beside.read_text().splitlines() if beside.suffix == ".txt" else np.load(beside).tolist()
        return [str(name) for name in text], np.load(path)
    if path.suffix == ".parquet":
        frame = pl.read_parquet(path)
        return [str(name) for name in frame["id"]], frame["vector"].to_numpy()
    head, *lines = path.read_text().splitlines()
    count, dim = map(int, head.split())
    rows = [line.split(" ") for line in lines]
    values = np.array([row[1:] for row in rows], np.float32).reshape(count, dim)
    return [row[0] for row in rows], values


def test_an_unknown_ending(tmp_path):
    with pytest.raises(WeftValueError, match=r"\.npy, \.parquet, \.txt, \.vec"):
        export_vectors(_vectors(2), Ids.range(2), tmp_path / "x.csv")


def test_lengths_that_differ(tmp_path):
    with pytest.raises(WeftValueError, match=r"\[3, D\]"):
        export_vectors(_vectors(2), Ids.range(3), tmp_path / "x.npy")


@pytest.mark.parametrize(("ending", "name"), [(".txt", "a b"), (".vec", ""), (".npy", "a\nb")])
def test_ids_the_form_cannot_hold(tmp_path, ending, name):
    packed = Strings.of(["fine", name])
    ids = Ids.strings(packed.data, packed.offsets)
    with pytest.raises(WeftValueError, match=r"use \.parquet"):
        export_vectors(_vectors(2), ids, tmp_path / f"x{ending}")
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]
    export_vectors(_vectors(2), ids, tmp_path / "x.parquet")
    assert pl.read_parquet(tmp_path / "x.parquet")["id"].to_list() == ["fine", name]


def test_a_place_that_is_not_there(tmp_path):
    with pytest.raises(StorageError, match="cannot write"):
        export_vectors(_vectors(2), Ids.range(2), tmp_path / "no" / "x.npy")


@pytest.fixture
def file_limit():
    """Files past 20 kB are refused, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("file_limit")
@pytest.mark.parametrize("ending", export.FORMATS)
def test_a_full_disk_leaves_nothing(tmp_path, ending):
    with pytest.raises(StorageError, match=rf"cannot write .*/x\{ending}"):
        export_vectors(_vectors(2000), Ids.range(2000), tmp_path / f"x{ending}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", export.FORMATS)
@pytest.mark.parametrize("kind", ["range", "int", "string"])
@pytest.mark.parametrize("count", [1, 63, 1000])
def test_reads_back(tmp_path, ending, kind, count, monkeypatch):
    monkeypatch.setattr(export, "_BLOCK_ROWS", 64)
    ids, vectors, path = _ids(kind, count), _vectors(count), tmp_path / f"x{ending}"
    path.write_text("an older file")
    files = export_vectors(vectors, ids, path)
    assert sorted(files) == sorted(tmp_path.iterdir())
    names, values = _read(path, files)
    assert names == [str(name) for name in ids.take(np.arange(count))]
    np.testing.assert_array_equal(values, vectors)
    assert values.dtype == np.float32


def test_no_nodes(tmp_path):
    for ending in export.FORMATS:
        assert export_vectors(_vectors(0), Ids.range(0), tmp_path / f"x{ending}")[0].exists()
