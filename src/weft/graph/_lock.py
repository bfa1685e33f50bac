"""One writer of a place at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING

from weft.errors import WeftValueError
from weft.files import storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["check_free", "locked"]

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # a file system without them


@contextlib.contextmanager
def locked(place: Path) -> Iterator[None]:
    """Keep other processes that ask for the same lock away from ``place``.

    It is the system's lock (flock) of a file ``.NAME.lock`` beside ``place``, so it goes with the process
    however that ends; after a kill the file stays and means nothing. Where the file system has no locks,
    there is none.

    Raises:
        WeftValueError: another process holds it; the message gives its number.
        StorageError: the file cannot be made.
    """
    file = _file(place)
    with storage_errors("lock", place):
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _open(file, place)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink()
        os.close(descriptor)


def check_free(place: Path) -> None:
    """Refuse a place that another process has :func:`locked`, before what that process has made is looked at.

    Nothing is created. A process may come right after: whoever writes takes the lock all the same.

    Raises:
        WeftValueError: another process holds it; the message gives its number.
    """
    if not place.name:  # a folder such as "/": nobody writes there
        return
    try:
        descriptor = os.open(_file(place), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _in_use(place, descriptor) from None
    except OSError:
        return
    finally:
        os.close(descriptor)


def _file(place: Path) -> Path:
    return place.with_name(f".{place.name}.lock")


def _in_use(place: Path, descriptor: int) -> WeftValueError:
    holder = os.pread(descriptor, 20, 0).decode("ascii", "replace") or "unknown"
    return WeftValueError(
        f"{place} is in use by another run, process {holder}; wait for its end, or choose another place"
    )


def _open(file: Path, place: Path) -> int:
    """A descriptor of the locked file that has the name now."""
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            error = _in_use(place, descriptor)
            os.close(descriptor)
            raise error from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                os.close(descriptor)
                raise
            return descriptor
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), file.stat()):
                return descriptor
        os.close(descriptor)  # who held it has removed the file meanwhile
