"""Tables in memory and on disk: the contract, and what is theirs alone."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from weft import _core
from weft.errors import FormatError, StorageError, WeftTypeError, WeftValueError
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
    if io == "auto" and table.io != "io_uring":
        pytest.skip("no io_uring here, or a file system in memory")
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


FORBID = """
import ctypes, struct
def forbid(call):
    steps = [(0x20, 0, 0, 0), (0x15, 0, 1, call), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    class Filter(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]
    prctl, it = ctypes.CDLL(None).prctl, Filter(len(steps), ctypes.cast(code, ctypes.c_void_p))
    return prctl(38, 1, 0, 0, 0) == 0 and prctl(22, 2, ctypes.byref(it), 0, 0) == 0
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", [425, 426])  # io_uring_setup, io_uring_enter
def test_system_calls_that_a_filter_forbids(tmp_path, when, call):
    path = saved(tmp_path, np.random.default_rng(0).random((5000, 64)))
    code = f"""
import os
import subprocess
import sys
import numpy as np
from weft.features import DiskTable
rows, ids = np.load({str(path)!r}), np.arange(4999, 0, -3)
def read():
    table = DiskTable({str(path)!r})
    assert np.array_equal(table.take(ids), rows[ids])
    return table
if {when!r} == "after":
    table = read()
if not forbid({call}):
    os._exit(7)
if {when!r} == "before":
    table = read()
    assert table.io == "threads"
for _ in range(3):
    assert np.array_equal(table.take(ids), rows[ids])
assert read().io == "threads"
"""
    ran = subprocess.run([sys.executable, "-c", FORBID + code], capture_output=True, text=True, timeout=60)
    if ran.returncode == 7:
        pytest.skip("no filters of system calls here")
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("tier", ["DiskTable(path, depth=32)", 'CachedTable(DiskTable(path), "1MiB")'])
def test_forked_children_read_on_their_own(tmp_path, tier):
    path = saved(tmp_path, np.random.default_rng(0).random((20_000, 32)))
    code = f"""
import os, threading, time
import numpy as np
from weft.features import CachedTable, DiskTable
path = {str(path)!r}
rows, table, stop = np.load(path), {tier}, False
def read(seed, times):
    rng = np.random.default_rng(seed)
    for _ in range(times):
        ids = rng.integers(0, 20_000, 3000)
        assert np.array_equal(table.take(ids), rows[ids])
    assert np.array_equal(table.submit(ids).wait(), rows[ids])
def others():
    while not stop:
        read(99, 1)
read(0, 1)
thread = threading.Thread(target=others)
thread.start()
children = []
for child in range(3):
    time.sleep(0.01)
    if (pid := os.fork()) == 0:
        try:
            read(child, 15)
        except BaseException:
            os._exit(1)
        os._exit(0)
    children.append(pid)
try:
    read(9, 15)
finally:
    stop = True
thread.join()
ends = [os.waitpid(pid, 0)[1] for pid in children]
assert ends == [0, 0, 0], ends
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert "Error" not in ran.stderr


def test_a_name_that_is_not_utf8(tmp_path):
    path = tmp_path / "sur\udcff.npy"
    try:
        np.save(path, np.ones((3, 2)))
    except (OSError, UnicodeEncodeError):
        pytest.skip("no such names here")
    with pytest.raises(StorageError, match=r"sur\\udcff\.npy' is not UTF-8; rename"):
        DiskTable(path)


def test_what_is_no_array():
    table = MemoryTable(np.ones((3, 2)))
    with pytest.raises(WeftTypeError, match=r"out must be an array \(got list\)"):
        table.take([0], [[1.0, 2.0]])  # pyrefly: ignore
    with pytest.raises(WeftValueError, match="different lengths"):
        table.take([[1], [1, 2]])  # pyrefly: ignore


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
    ("options", "match"),
    [
        ({"depth": 0}, "depth"),
        ({"depth": 5000}, "4096"),
        ({"depth": 1.5}, "4096"),
        ({"depth": None}, "4096"),
        ({"io": "aio"}, "'aio'"),
    ],
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
    table = DiskTable(saved(tmp_path, rows), io="threads")  # in blocks, whatever the file system
    ids = np.arange(2, 4000, 12)  # every third block
    for gap, reads in ((0, len(ids)), (8192, None)):
        table.set_gap(gap)
        before = table.counts[0]
        np.testing.assert_array_equal(table.take(ids), rows[ids])
        took = table.counts[0] - before
        assert took == reads if reads else took < len(ids) / 4


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="no file system in memory")
def test_a_file_in_memory_is_read_by_plain_calls(tmp_path):
    rows = np.random.default_rng(0).random((3000, 33))
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        table = DiskTable(saved(Path(folder), rows))
        if table.io == "io_uring":
            pytest.skip("/dev/shm is no tmpfs")
        assert not table.direct
        ids = np.arange(2, 3000, 30)
        np.testing.assert_array_equal(table.take(ids), rows[ids])
        assert table.counts == (len(ids), len(ids) * 33 * 8)  # the rows and nothing beside them
        with pytest.raises(StorageError, match="lies in memory"):
            DiskTable(table.path, io="io_uring")
        os.truncate(table.path, 100_000)
        with pytest.raises(StorageError, match="ends before that"):
            table.take(ids)
