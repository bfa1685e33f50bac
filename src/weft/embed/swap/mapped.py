"""An array that is a file without a name: it need not fit into memory, and goes when nobody holds it."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.config import show_bytes
from weft.files import storage_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from weft.embed.swap.scratch import Scratch, Transfer

__all__ = ["mapped"]

F32 = npt.NDArray[np.float32]

_BLOCK = 8 << 20  # bytes written at a time


def mapped(scratch: Scratch, shape: tuple[int, int], fill: Callable[[F32], None]) -> F32:
    """A float32 array of ``shape`` beside other temporary data, whose rows ``fill`` gives in order.

    Raises:
        StorageError: the disk is full, or the system refuses otherwise.
    """
    rows, width = shape
    blocks = np.empty((2, min(rows, max(1, _BLOCK // (4 * width))), width), np.float32)
    with (
        storage_errors(f"write {show_bytes(4 * rows * width)} of vectors in", scratch.folder),
        tempfile.TemporaryFile(dir=scratch.folder, buffering=0) as file,
    ):
        os.posix_fallocate(
            file.fileno(), 0, 4 * rows * width
        )  # a page of the map must not lack its room later
        before: Transfer | None = None
        for turn, first in enumerate(range(0, rows, blocks.shape[1])):
            some = blocks[turn % 2, : rows - first]
            fill(some)
            if before is not None:
                before.wait()
            before = scratch.submit(iter([partial(_write, file.fileno(), some, 4 * width * first)]))
        if before is not None:
            before.wait()
        return np.memmap(file, np.float32, "r+", shape=shape)


def _write(file: int, block: F32, at: int) -> None:
    view = block.reshape(-1).view(np.uint8).data
    while view:
        count = os.pwrite(file, view, at)
        view, at = view[count:], at + count
