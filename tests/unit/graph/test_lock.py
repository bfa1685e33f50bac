"""One writer at a time, whatever becomes of it."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys

import pytest

from weft.errors import StorageError, WeftValueError
from weft.graph import _lock
from weft.graph._lock import locked

HOLD = """
import sys, pathlib
from weft.graph._lock import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def holder(place):
    """Another process that holds the place."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "held\n"
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def test_no_place_for_a_lock(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match=r"cannot lock .*file/vectors"),
        locked(tmp_path / "file" / "vectors"),
    ):
        pass


def test_another_process_is_named(tmp_path):
    place = tmp_path / "deep" / "vectors"
    with holder(place) as other:
        said = rf"vectors is in use by another run, process {other.pid}; wait"
        with pytest.raises(WeftValueError, match=said), locked(place):
            pass
        with locked(tmp_path / "deep" / "others"):
            pass
        other.communicate()
        with locked(place):
            assert [file.name for file in place.parent.iterdir()] == [".vectors.lock"]
    assert list(place.parent.iterdir()) == []


def test_a_killed_process_holds_nothing(tmp_path):
    place = tmp_path / "vectors"
    with holder(place) as other:
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        assert (tmp_path / ".vectors.lock").read_text() == str(other.pid)
        with locked(place):
            assert (tmp_path / ".vectors.lock").read_text() == str(os.getpid())
    assert list(tmp_path.iterdir()) == []


def test_the_same_process_twice(tmp_path):
    refused = pytest.raises(WeftValueError, match=f"process {os.getpid()}")
    with locked(tmp_path / "x"), refused, locked(tmp_path / "x"):
        pass


def test_an_error_inside_comes_through(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "x"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_file_removed_between_opening_and_locking_does_not_count(tmp_path, monkeypatch):
    flock, calls = _lock.fcntl.flock, []

    def removed_first(descriptor, how):
        if not calls:
            (tmp_path / ".x.lock").unlink()
        calls.append(descriptor)
        flock(descriptor, how)

    monkeypatch.setattr(_lock.fcntl, "flock", removed_first)
    with locked(tmp_path / "x"):
        assert len(calls) == 2
        with pytest.raises(WeftValueError), locked(tmp_path / "x"):
            pass


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def none(descriptor, how):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(_lock.fcntl, "flock", none)
    with locked(tmp_path / "x"), locked(tmp_path / "x"):
        pass
    assert list(tmp_path.iterdir()) == []
