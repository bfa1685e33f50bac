"""Tables in memory and on disk: the contract, and what is theirs alone."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from weft import _core
from weft.errors import FormatError, StorageError, WeftValueError
from weft.features import DiskTable, MemoryTable
from weft.testing import FaultyTable, FeatureTableContract, SlowTable


def saved(folder, rows):
    path = folder / f"{len(os.listdir(folder))}.npy"
    np.save(path, rows)
    return path


class TestMemoryTable(FeatureTableContract):
    @pytest.fixture(params=[True, False])
    def table(self, request):
        return lambda rows: MemoryTable(rows, copy=request.param)


class TestDiskTable(FeatureTableContract):
    @pytest.fixture(params=[("auto", True), ("auto", False), ("threads", True), ("threads", False)])
    def table(self, request, tmp_path):
        io, direct = request.param
        return lambda rows: DiskTable(saved(tmp_path, rows), io=io, direct=direct, depth=8)


class TestTablesAround(FeatureTableContract):
    @pytest.fixture(params=[FaultyTable, SlowTable])
    def table(self, request):
        more = [set()] if request.param is FaultyTable else []
        return lambda rows: request.param(MemoryTable(rows), *more)


@pytest.mark.parametrize("io", ["auto", "threads"])
def test_rows_of_a_block_are_read_at_once(tmp_path, io):
    rows = np.arange(4096 * 64, dtype=np.float32).reshape(4096, 64)  # 256 bytes each
    table = DiskTable(saved(tmp_path, rows), io=io)
    table.take(np.repeat(np.arange(16), 5))  # one block and the header's 128 bytes into the next
    assert table.counts == (1, 8192)
    table.take(np.arange(4096))
    reads, size = table.counts
    assert reads - 1 <= 1 + rows.nbytes // (64 << 10) + 1
    assert size - 8192 <= rows.nbytes + 4096 * reads
    far = np.arange(0, 4096, 64)
    table.take(far)
    assert table.counts[0] - reads == len(far)


@pytest.mark.parametrize("io", ["auto", "threads"])
@pytest.mark.parametrize("direct", [True, False])
def test_a_file_that_is_cut_while_open(tmp_path, io, direct):
    rows = np.ones((5000, 100), np.float32)
    path = saved(tmp_path, rows)
    table = DiskTable(path, io=io, direct=direct, depth=4)
    os.truncate(path, 1_000_100)
    with pytest.raises(StorageError, match=r"up to byte \d+ are asked for, .*\.npy ends before that"):
        table.take(np.arange(5000))
    # What is there can still be read, and nothing is left under way.
    np.testing.assert_array_equal(table.take(np.arange(2000)), rows[:2000])


def test_when_io_uring_is_forbidden(tmp_path, monkeypatch):
    path = saved(tmp_path, np.ones((10, 3), np.float32))
    opened = _core.RowFile

    def forbidden(path, offset, rows, width, depth, ring, direct):
        return opened(path, offset, rows, width, depth, False, direct)

    monkeypatch.setattr(_core, "RowFile", forbidden)
    assert DiskTable(path).io == "threads"
    with pytest.raises(StorageError, match="forbids io_uring"):
        DiskTable(path, io="io_uring")


def test_files_that_are_no_features(tmp_path):
    with pytest.raises(FormatError, match=r"holds float64 \[5\]; features are numbers \[N, F\]"):
        DiskTable(saved(tmp_path, np.ones(5)))
    with pytest.raises(FormatError, match="column after column"):
        DiskTable(saved(tmp_path, np.asfortranarray(np.ones((5, 3)))))
    with pytest.raises(FormatError, match="<U3"):
        DiskTable(saved(tmp_path, np.array([["abc"]])))
    with pytest.raises(StorageError, match=r"missing\.npy"):
        DiskTable(tmp_path / "missing.npy")
    path = saved(tmp_path, np.ones((50, 3)))
    os.truncate(path, 900)
    with pytest.raises(FormatError, match="truncated"):
        DiskTable(path)


@pytest.mark.parametrize(
    ("options", "match"), [({"depth": 0}, "depth"), ({"depth": 5000}, "4096"), ({"io": "aio"}, "'aio'")]
)
def test_wrong_options(tmp_path, options, match):
    with pytest.raises(WeftValueError, match=match):
        DiskTable(saved(tmp_path, np.ones((2, 2))), **options)


def test_the_error_of_the_system_is_named(tmp_path):
    with pytest.raises(OSError, match="open") as caught:
        _core.RowFile(str(tmp_path / "none"), 0, 1, 4, 1, True, True)
    assert caught.value.errno == errno.ENOENT
    path = tmp_path / "short"
    path.write_bytes(b"12345")
    with pytest.raises(ValueError, match="has 5 bytes; 2 rows of 4 from byte 0 do not fit"):
        _core.RowFile(str(path), 0, 2, 4, 1, True, True)


def test_memory_that_is_no_features():
    with pytest.raises(WeftValueError, match=r"\[N, F\] numbers"):
        MemoryTable(np.ones(3))
    with pytest.raises(WeftValueError, match="copy=True"):
        MemoryTable(np.ones((4, 6))[:, ::2], copy=False)


def test_made_to_fail():
    table = FaultyTable(MemoryTable(np.ones((3, 2))), {1})
    table.take(np.array([0]))
    with pytest.raises(StorageError, match="call 1"):
        table.submit(np.array([0])).wait()
    table.take(np.array([0]))
    assert table.calls == 3
    with pytest.raises(KeyError):
        FaultyTable(MemoryTable(np.ones((3, 2))), {0}, KeyError("x")).take(np.array([0]))


def test_a_closed_file(tmp_path):
    table = DiskTable(saved(tmp_path, np.ones((3, 2))))
    table.close()
    with pytest.raises(WeftValueError, match="is closed"):
        table.take(np.array([0]))


def test_what_lies_between_is_read_too_where_that_is_cheaper(tmp_path):
    rows = np.arange(1 << 20, dtype=np.float32).reshape(4096, 256)  # 1 KiB each
    table = DiskTable(saved(tmp_path, rows))
    ids = np.arange(2, 4000, 12)  # every third block
    for gap, reads in ((0, len(ids)), (8192, None)):
        table.set_gap(gap)
        before = table.counts[0]
        np.testing.assert_array_equal(table.take(ids), rows[ids])
        took = table.counts[0] - before
        assert took == reads if reads else took < len(ids) / 4
