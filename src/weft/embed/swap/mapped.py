"""An array that is a file without a name: it need not fit into memory, and goes when nobody holds it."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.config import show_bytes
from weft.graph._files import storage_errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["mapped"]

F32 = npt.NDArray[np.float32]

_BLOCK = 8 << 20  # bytes written at a time


def mapped(folder: Path, shape: tuple[int, int], fill: Callable[[F32], None]) -> F32:
    """A float32 array of ``shape`` in ``folder``, whose rows ``fill`` gives from the first to the last.

    Raises:
        StorageError: the disk is full, or the system refuses otherwise.
    """
    rows, width = shape
    block = np.empty((min(rows, max(1, _BLOCK // (4 * width))), width), np.float32)
    with (
        storage_errors(f"write {show_bytes(4 * rows * width)} of vectors in", folder),
        tempfile.TemporaryFile(dir=folder, buffering=0) as file,
    ):
        os.posix_fallocate(
            file.fileno(), 0, 4 * rows * width
        )  # a page of the map must not lack its room later
        for first in range(0, rows, len(block)):
            some = block[: rows - first]
            fill(some)
            _write(file.fileno(), some.reshape(-1).view(np.uint8).data)
        return np.memmap(file, np.float32, "r+", shape=shape)


def _write(file: int, view: memoryview) -> None:
    while view:
        view = view[os.write(file, view) :]
