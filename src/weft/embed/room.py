"""Whether a folder can take what does not fit into memory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from weft.config import show_bytes
from weft.errors import StorageError, WeftValueError
from weft.files import storage_errors

__all__ = ["check_room"]

_IN_MEMORY = ("tmpfs", "ramfs")


def check_room(folder: Path, size: int) -> None:
    """Refuse a folder that cannot take ``size`` bytes, or is no disk.

    Raises:
        StorageError: there are fewer bytes free, or there is no such folder.
        WeftValueError: what is written there stays in memory.
    """
    with storage_errors("look at the folder for temporary files", folder):
        free = shutil.disk_usage(folder).free
        kind = _file_system(folder)
    if kind in _IN_MEMORY:
        raise WeftValueError(
            f"embed: {folder} is in memory itself ({kind}); give a folder on a disk for what does not fit, "
            "with --scratch (scratch= in Python)"
        )
    if free < size:
        raise StorageError(
            f"embed: {show_bytes(size)} do not fit into memory and go to {folder}, where {show_bytes(free)} "
            "are free; free some, give another folder with --scratch (scratch= in Python), or more memory"
        )


def _file_system(folder: Path) -> str:
    """The kind of file system that holds a folder; empty when the system does not say."""
    device = os.stat(folder).st_dev
    name = f"{os.major(device)}:{os.minor(device)}"
    mounts = Path("/proc/self/mountinfo")
    for line in mounts.read_text().splitlines() if mounts.exists() else []:
        mount, _, kind = line.partition(" - ")
        if mount.split()[2] == name:
            return kind.split()[0]
    return ""
