"""The prototype of segments.cpp, compiled here and called through ctypes.

Shapes: E events, R roots, S events drawn.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from benchmarks.events import Stream

__all__ = ["Segments", "compiled"]

_VOID, _SIZE, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int


def compiled(folder: Path) -> ctypes.CDLL | None:
    """The library, built in ``folder``; None where there is no compiler."""
    compiler = shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        return None
    out = folder / "segments.so"
    source = Path(__file__).with_suffix(".cpp")
    subprocess.run([compiler, "-O3", "-std=c++20", "-shared", "-fPIC", source, "-o", out], check=True)
    library = ctypes.CDLL(str(out))
    library.segments_new.restype, library.segments_new.argtypes = _VOID, [ctypes.c_uint32]
    library.segments_free.argtypes = [_VOID]
    library.segments_append.argtypes = [_VOID, _SIZE, _VOID, _VOID, _VOID]
    library.segments_sample.restype = _SIZE
    library.segments_sample.argtypes = [_VOID, _SIZE, _VOID, _VOID, ctypes.c_uint32, _INT, *[_VOID] * 4]
    library.segments_count.restype, library.segments_count.argtypes = _SIZE, [_VOID]
    library.segments_bytes.restype, library.segments_bytes.argtypes = _SIZE, [_VOID, _INT]
    return library


class Segments:
    """A log of segments of events, both directions."""

    def __init__(self, library: ctypes.CDLL, nodes: int) -> None:
        self._of, self._log = library, library.segments_new(nodes)

    def __del__(self) -> None:
        """Give the memory back."""
        self._of.segments_free(self._log)

    def __len__(self) -> int:
        """How many segments there are."""
        return self._of.segments_count(self._log)

    def bytes(self, *, held: bool) -> int:
        """Of all segments: used, or held."""
        return self._of.segments_bytes(self._log, int(held))

    def append(self, batch: Stream) -> None:
        """Add events."""
        source, target, time = (np.ascontiguousarray(column) for column in batch)
        self._of.segments_append(self._log, len(time), source.ctypes, target.ctypes, time.ctypes)

    def sample(
        self, root: npt.NDArray[np.uint32], time: npt.NDArray[np.int64], fanout: int, *, uniform: bool
    ) -> list[npt.NDArray[Any]]:
        """Row, node, number and time ``[S]`` of the newest or any events before the times.

        Of each root no more than 32.
        """
        size = len(root) * fanout
        dtypes = (np.int64, np.uint32, np.uint32, np.int64)
        out = [np.empty(size, dtype) for dtype in dtypes]
        places = (array.ctypes for array in out)
        found = self._of.segments_sample(
            self._log, len(root), root.ctypes, time.ctypes, fanout, int(uniform), *places
        )
        return [array[:found] for array in out]
