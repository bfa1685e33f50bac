"""Files past the page cache: bytes come back, faults are told, nothing is left."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from weft.embed.swap import scratch as module
from weft.embed.swap.scratch import ALIGN, Scratch, aligned, padded
from weft.errors import StorageError


def noise(size, seed=0):
    buffer = aligned(size)
    buffer[:] = np.random.default_rng(seed).integers(0, 256, len(buffer), np.uint8)
    return buffer


@pytest.fixture(params=["direct", "plain"])
def way(request, monkeypatch):
    if request.param == "plain":
        monkeypatch.setattr(module, "_pass_by_the_cache", lambda _: False)
    return request.param


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("blocks", [1, 63, 2500])
def test_bytes_come_back(scratch, blocks):
    data, other = noise(blocks * ALIGN, 1), noise(blocks * ALIGN, 2)
    file = scratch.file("test rows", 2 * len(data))
    file.write(data, 0).wait()
    file.write(other, len(data)).wait()
    back = aligned(len(data))
    file.read(back, 0).wait()
    np.testing.assert_array_equal(back, data)
    file.exchange(back, len(data), len(data)).wait()
    np.testing.assert_array_equal(back, data)
    file.exchange(other, 0, len(data)).wait()
    np.testing.assert_array_equal(other, data)
    assert scratch.written == 4 * len(data)
    assert scratch.read == 3 * len(data)


@pytest.mark.usefixtures("way")
def test_any_range_can_be_fetched(scratch, monkeypatch):
    monkeypatch.setattr(module, "_BOUNCE", 2 * ALIGN)
    data = noise(9 * ALIGN)
    file = scratch.file("test rows")
    file.write(data, 0).wait()
    for begin in (0, 1, 4095, 4096, 5000):
        for size in (0, 1, 63, 4096, 4097, 20_000):
            out = np.empty(size, np.uint8)
            file.fetch_now(out, begin)
            np.testing.assert_array_equal(out, data[begin : begin + size])


def test_sizes_are_whole_blocks():
    assert [padded(size) for size in (0, 1, 4095, 4096, 4097)] == [0, 4096, 4096, 4096, 8192]
    assert aligned(1).ctypes.data % ALIGN == 0


def test_files_have_no_names(tmp_path):
    with Scratch(tmp_path) as scratch:
        scratch.file("test rows", 1 << 20)
        assert list(tmp_path.iterdir()) == []


def test_files_never_had_a_name(tmp_path, monkeypatch):
    """A kill between the making of a file and the loss of its name would leave it."""
    made = []
    opened = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest: made.append(path) or opened(path, *rest))
    with Scratch(tmp_path) as scratch:
        scratch.file("records", 8 * ALIGN)
    assert made == [tmp_path]


def test_a_file_system_without_nameless_files(tmp_path, monkeypatch):
    opened = os.open

    def refuse(path, flags, *rest):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not here")
        return opened(path, flags, *rest)

    monkeypatch.setattr(os, "open", refuse)
    with Scratch(tmp_path) as scratch:
        file, block = scratch.file("records", 8 * ALIGN), aligned(8 * ALIGN)
        file.write(block, 0).wait()
        assert list(tmp_path.iterdir()) == []


def test_a_killed_process_leaves_nothing(tmp_path):
    code = f"""
import os, signal
from pathlib import Path
from weft.embed.swap.scratch import Scratch, aligned
file = Scratch(Path({str(tmp_path)!r})).file("test rows", 1 << 20)
file.write(aligned(1 << 20), 0).wait()
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode < 0
    assert list(tmp_path.iterdir()) == []


def test_no_room_is_told_before_any_work(tmp_path, scratch, file_limit):
    file_limit(1 << 20)
    with pytest.raises(
        StorageError,
        match=rf"cannot reserve 2\.0 MiB of swapped vertex rows in {re.escape(str(tmp_path))}: "
        r"the file would pass the size limit; .* \(.*iB are free there\)",
    ):
        scratch.file("swapped vertex rows", 2 << 20)


@pytest.mark.usefixtures("way")
def test_no_room_while_writing(scratch, file_limit):
    file = scratch.file("spilled pairs")
    file_limit(1 << 20)
    transfer = file.write(noise(2 << 20), 0)
    with pytest.raises(StorageError, match=r"cannot write 2\.0 MiB of spilled pairs in "):
        transfer.wait()
    file_limit(8 << 20)
    file.write(noise(2 << 20), 0).wait()


def test_a_file_that_ends_early(scratch):
    file = scratch.file("test rows")
    file.write(noise(ALIGN), 0).wait()
    with pytest.raises(StorageError, match=r"cannot read 8\.0 KiB of test rows"):
        file.read(aligned(2 * ALIGN), 0).wait()


def test_a_folder_that_is_not_there(tmp_path):
    with (
        Scratch(tmp_path / "none") as scratch,
        pytest.raises(StorageError, match=r"cannot create a temporary file in .*none"),
    ):
        scratch.file("test rows")


def test_closing_waits_and_gives_the_room_back(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    with Scratch(tmp_path) as scratch:
        file = scratch.file("test rows")
        file.write(noise(8 << 20), 0)
    assert len(os.listdir("/proc/self/fd")) == before
