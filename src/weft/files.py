"""Files and names: errors of the system as ours, syncing, atomic exchange, leftovers."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import secrets
import shutil
from typing import TYPE_CHECKING

from weft.errors import StorageError, WeftValueError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "check_regular",
    "check_writable",
    "exchange",
    "remove_stale",
    "replacing",
    "storage_errors",
    "sync_directory",
    "temporary_name",
]

_REMEDY = {
    errno.ENOSPC: "the disk is full; free some space or choose another place",
    errno.EDQUOT: "the quota is used up; free some space or choose another place",
    errno.EFBIG: "the file would pass the size limit; raise the limit or choose another place",
    errno.EACCES: "permission denied; choose a place you may write to",
    errno.EROFS: "the file system is read-only; choose another place",
    errno.ENOTDIR: "a part of that path is a file; choose another place",
    errno.EIO: "the device reports an I/O error; check the disk",
}
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100


@contextlib.contextmanager
def storage_errors(operation: str, path: Path) -> Iterator[None]:
    """Turn an ``OSError`` inside the block into a ``StorageError`` that names operation, path and remedy."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        why = _REMEDY.get(error.errno or 0, error.strerror or str(error))
        ours = StorageError(f"cannot {operation} {path}: {why}")
        ours.errno = error.errno
        raise ours from error


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def exchange(new: Path, place: Path, *, replace: bool) -> None:
    """Give the directory ``new`` the name ``place``; what was there is removed afterwards.

    The two names are swapped in one step where the system can (Linux ``renameat2``), so that no instant
    is without a directory under ``place``.

    Raises:
        WeftValueError: something appeared at ``place`` meanwhile and may not be replaced.
    """
    if not replace or not place.exists():
        try:
            new.rename(place)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
            raise WeftValueError(
                f"cannot write {place}: another program wrote it in the meantime; choose another place"
            ) from None
        return
    if not _swap(new, place):
        # Not this file system: two renames, and in between nothing stands under the name.
        old = new.with_name(new.name + ".old")
        place.rename(old)
        new.rename(place)
        new = old
    if new.is_symlink():
        new.unlink()  # the name was a link: what it led to stays
    else:
        shutil.rmtree(new, ignore_errors=True)


def _swap(a: Path, b: Path) -> bool:
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0


def temporary_name(place: Path) -> Path:
    """A name beside ``place`` that no other writer has, and that says whose it is."""
    return place.with_name(f".{place.name}.tmp-{os.getpid()}-{secrets.token_hex(4)}")


def check_regular(path: Path) -> None:
    """Refuse a pipe, socket or device, whose opening may wait for ever and whose bytes come only once.

    Raises:
        StorageError: it is one. What is not there, or is a directory, opening it tells better.
    """
    with storage_errors("read", path):
        if path.exists() and not path.is_file() and not path.is_dir():
            raise StorageError(
                f"cannot read {path}: it is no regular file but a pipe or a device, and it is read more than "
                "once; write its content to a file first"
            )


def check_writable(place: Path) -> None:
    """Refuse a place where nothing can be made, before the work whose result shall go there.

    Raises:
        StorageError: the system refuses to make a directory there.
    """
    with storage_errors("write", place):
        above = next(folder for folder in place.absolute().parents if os.path.lexists(folder))
        probe = temporary_name(above / place.name)
        probe.mkdir()
        probe.rmdir()


@contextlib.contextmanager
def replacing(place: Path) -> Iterator[Path]:
    """A temporary name for a file that becomes ``place`` when all went well; else nothing is left of it.

    Raises:
        StorageError: the system refuses.
    """
    temporary = temporary_name(place)
    try:
        with storage_errors("write", place):
            remove_stale(place)
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(place)
            sync_directory(place.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def remove_stale(path: Path) -> None:
    """Remove temporaries that writers of ``path`` left when they were killed."""
    pattern = re.compile(re.escape(f".{path.name}.tmp-") + r"(\d+)-[0-9a-f]{8}(\.old)?")
    for entry in path.parent.iterdir():
        match = pattern.fullmatch(entry.name)
        if match and not _alive(int(match[1])):
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
