"""Encoded tables: the contract, files that say what they are, and how far rows are off."""

from __future__ import annotations

import os

import numpy as np
import pytest

from weft import features
from weft.errors import FormatError, StorageError, WeftValueError
from weft.features import CachedTable, Decoded, DiskTable, MemoryTable, codec_of, encode
from weft.kernels.codec import CODECS, reference
from weft.testing import FaultyTable, FeatureTableContract

# How far a row may be off, as a share of its largest magnitude: half a unit in the last place of 11 and of 8
# bits of mantissa; half of 1/127, and the two roundings of dividing by and multiplying with the scale.
SHARE = {"float32": 0.0, "float16": 2.0**-11, "bfloat16": 2.0**-8, "int8": 0.5 / 127 + 2.0**-22}


class EncodedContract(FeatureTableContract):
    codec: str

    def held(self, rows):
        rows = rows.astype(np.float32)
        return reference.decode(reference.encode(rows, self.codec), self.codec).reshape(rows.shape)

    @pytest.fixture(params=["memory", "disk"])
    def table(self, request, tmp_path):
        def make(rows):
            if request.param == "memory":
                return Decoded(MemoryTable(encode(rows, self.codec)), self.codec)
            path = encode(rows, self.codec, tmp_path / f"{len(os.listdir(tmp_path))}.npy")
            assert codec_of(path) == self.codec
            return Decoded(DiskTable(path), self.codec)

        return make


class TestFloat32(EncodedContract):
    codec = "float32"


class TestFloat16(EncodedContract):
    codec = "float16"


class TestBfloat16(EncodedContract):
    codec = "bfloat16"


class TestInt8(EncodedContract):
    codec = "int8"


@pytest.mark.parametrize("codec", CODECS)
def test_a_row_is_off_by_its_share(codec):
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((400, 50)).astype(np.float32)
    got = Decoded(MemoryTable(encode(rows, codec)), codec).take(np.arange(400))
    assert (np.abs(got - rows) <= SHARE[codec] * np.abs(rows).max(1, keepdims=True)).all()
    assert (got != rows).any() == (codec != "float32")


@pytest.mark.parametrize("codec", CODECS)
def test_files_and_arrays_are_the_same(tmp_path, codec, monkeypatch):
    monkeypatch.setattr("weft.features.codec._PIECE", 4000)  # many pieces, the last a part
    rows = np.random.default_rng(1).standard_normal((1003, 7))
    np.save(tmp_path / "in.npy", rows)
    path = encode(tmp_path / "in.npy", codec, tmp_path / "out.npy")
    array = np.load(path)
    np.testing.assert_array_equal(array, encode(rows, codec))
    assert np.load(path, mmap_mode="r").offset == 4096
    assert len(array) == 1003
    if codec == "int8":  # what NumPy alone makes of it
        np.testing.assert_array_equal(
            array["int8"] * array["scale"][:, None], Decoded(MemoryTable(array), codec).take(np.arange(1003))
        )
    with pytest.raises(WeftValueError, match="it exists"):
        encode(rows, codec, path)
    encode(rows[:3], codec, path, overwrite=True)
    assert len(np.load(path)) == 3


def test_what_cannot_be_encoded_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("weft.features.codec._PIECE", 4000)
    rows = np.ones((1003, 7))
    rows[900, 3] = np.nan
    with pytest.raises(WeftValueError, match="row 900, column 3 is nan, which int8 cannot hold"):
        encode(rows, "int8", tmp_path / "out.npy")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(WeftValueError, match=r"numbers \[N, F\]"):
        encode(np.ones(3), "int8")
    with pytest.raises(WeftValueError, match=r"numbers \[N, F\]"):
        encode(np.array([["a"]]), "int8")
    with pytest.raises(WeftValueError, match="codec must be one of"):
        encode(np.ones((2, 2)), "float8")


def test_which_codec_a_file_is_of(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 3)))
    assert codec_of(tmp_path / "a.npy") is None
    assert codec_of(np.ones((2, 3), np.float16)) == "float16"
    np.save(tmp_path / "b.npy", np.zeros(3, [("x", "<u2", (4,))]))
    assert codec_of(tmp_path / "b.npy") is None
    with pytest.raises(FormatError, match="features are numbers"):
        DiskTable(tmp_path / "b.npy")


def test_tables_that_are_none_of_the_codec():
    with pytest.raises(WeftValueError, match=r"rows of float64 \[2, 3\] are none of float16"):
        Decoded(MemoryTable(np.ones((2, 3))), "float16")
    with pytest.raises(WeftValueError, match=r"rows of int8 \[2, 3\] are none of int8"):
        Decoded(MemoryTable(np.ones((2, 3), np.int8)), "int8")
    with pytest.raises(WeftValueError, match="a row of 3 bytes is none of int8"):
        Decoded(MemoryTable(np.ones((2, 3), np.uint8)), "int8")


class Foresight(MemoryTable):
    """A table that takes announcements, as a cache does."""

    window = 3

    def __init__(self, rows):
        super().__init__(rows)
        self.heard = []

    def expect(self, ids):
        self.heard.append(ids.tolist())

    def forget(self):
        self.heard.clear()


def test_announcements_are_handed_on():
    base = Foresight(encode(np.ones((5, 2)), "int8"))
    table = Decoded(base, "int8")
    assert table.window == 3
    table.expect(np.array([1, 2]))
    assert base.heard == [[1, 2]]
    table.forget()
    assert base.heard == []
    plain = Decoded(MemoryTable(np.ones((5, 2), np.float16)), "float16")
    assert plain.window == 0
    plain.expect(np.array([1]))
    plain.forget()


def test_errors_of_the_base_arrive():
    table = Decoded(FaultyTable(MemoryTable(encode(np.ones((5, 2)), "int8")), {0}), "int8")
    with pytest.raises(StorageError, match="made to fail"):
        table.take(np.array([1]))
    assert table.take(np.array([1])).shape == (1, 2)


@pytest.mark.parametrize("codec", ["float16", "bfloat16", "int8"])
@pytest.mark.parametrize("memory", ["16MiB", "2MiB"])
def test_opened_by_budget(tmp_path, capsys, codec, memory):
    rows = np.random.default_rng(0).random((60_000, 64)).astype(np.float32)
    path = encode(rows, codec, tmp_path / "x.npy")
    ids = np.arange(0, 60_000, 37)
    wanted = reference.decode(reference.encode(rows[ids], codec), codec)
    for source in (path, str(path), np.load(path, mmap_mode="r")):
        table = features.open(source, memory)
        assert isinstance(table.base, MemoryTable if memory == "16MiB" else CachedTable)
        np.testing.assert_array_equal(table.take(ids), wanted)
        size = "3.9" if codec == "int8" else "7.3"
        assert f"60,000 × 64 float32, {size} MiB as {codec}" in capsys.readouterr().err
        if memory == "2MiB":
            assert table.window > 0
            table.expect(ids[:100])
            np.testing.assert_array_equal(table.take(ids[:100]), wanted[:100])
        table.close()
    stored = features.open(path, memory, decode=False, verbose=False)
    assert stored.dtype == (np.float16 if codec == "float16" else np.uint8)
    stored.close()
