"""What every table of rows can do, wherever its rows live.

Shapes: N rows of F columns, M rows asked for.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from weft.errors import WeftTypeError, WeftValueError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Array", "Background", "FeatureTable", "Ticket", "checked_ids", "checked_out", "checked_table"]

Array = npt.NDArray[Any]


class Ticket:
    """Rows on their way."""

    def __init__(self, rows: Future[Array]) -> None:
        self._rows = rows

    def done(self) -> bool:
        """Whether :meth:`wait` returns at once."""
        return self._rows.done()

    def wait(self) -> Array:
        """The rows, ``[M, F]``, when all are there.

        Raises:
            WeftValueError: an id is not a row.
            StorageError: they cannot be read.
        """
        return self._rows.result()


class FeatureTable(Protocol):
    """Rows ``[N, F]`` of one dtype, found by their number. Every tier is one; a cache is one around another.

    :class:`weft.testing.FeatureTableContract` holds an implementation to this.
    """

    @property
    def shape(self) -> tuple[int, int]:
        """(N, F)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows that :meth:`take` gives."""
        ...

    def take(self, ids: Array, out: Array | None = None) -> Array:
        """Rows ``ids``, in their order.

        Args:
            ids: integers ``[M]`` in 0 .. N - 1, any number of times each.
            out: where to write, contiguous ``[M, F]`` of :attr:`dtype`; None makes a new array.

        Returns:
            ``[M, F]``.

        Raises:
            WeftValueError: an id is not a row, or ``out`` does not fit; ``out`` is undefined then.
            StorageError: rows cannot be read.
        """
        ...

    def submit(self, ids: Array, out: Array | None = None) -> Ticket:
        """As :meth:`take`, without waiting; ``ids`` and ``out`` must not change until the ticket is done."""
        ...

    def close(self) -> None:
        """Let go of files and threads; what was submitted is done first. Closing twice is no error."""
        ...


class Background:
    """One thread that takes rows for those who do not wait, started when it is first asked."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._process = os.getpid()

    def submit(self, take: Callable[[Array, Array | None], Array], ids: Array, out: Array | None) -> Ticket:
        """Have ``take(ids, out)`` called."""
        if self._threads is None or self._process != os.getpid():  # a forked child has none of the threads
            self._process = os.getpid()
            self._threads = ThreadPoolExecutor(1, thread_name_prefix="weft-features")
        return Ticket(self._threads.submit(take, ids, out))

    def __reduce__(self) -> tuple[type[Background], tuple[()]]:
        """A copy begins without a thread."""
        return Background, ()

    def close(self) -> None:
        """End the thread when all is done."""
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None


def checked_table(base: Any) -> FeatureTable:  # noqa: ANN401
    """What has the methods of a table.

    Raises:
        WeftTypeError: they are missing.
    """
    if not (callable(getattr(base, "take", None)) and callable(getattr(base, "submit", None))):
        raise WeftTypeError(
            f"features: a {type(base).__name__} is no table; give a MemoryTable or a DiskTable, or "
            "weft.features.open(source, memory)"
        )
    return base


def checked_ids(ids: Array, rows: int) -> Array:
    """Ids as uint32 or int64, contiguous.

    Raises:
        WeftValueError: they are no integers, or one is not a row.
    """
    try:
        ids = np.asarray(ids)
    except ValueError:
        raise WeftValueError("features: ids must be integers [M] (got lists of different lengths)") from None
    if ids.ndim != 1 or (ids.dtype.kind not in "iu" and ids.size):
        raise WeftValueError(f"features: ids must be integers [M] (got {ids.dtype} {list(ids.shape)})")
    wrong = np.flatnonzero((ids < 0) | (ids >= rows))
    if len(wrong):
        at = int(wrong[0])
        raise WeftValueError(f"features: id {at} is row {ids[at]} of {rows:,}")
    return np.ascontiguousarray(ids, np.uint32 if ids.dtype == np.uint32 else np.int64)


def checked_out(out: Array | None, shape: tuple[int, int], dtype: np.dtype[Any]) -> Array:
    """Where rows are written to; None makes a new array.

    Raises:
        WeftTypeError: it is no array.
        WeftValueError: it does not fit.
    """
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray):
        raise WeftTypeError(f"features: out must be an array (got {type(out).__name__})")
    if out.shape != shape or out.dtype != dtype or not (out.flags.c_contiguous and out.flags.writeable):
        raise WeftValueError(
            f"features: out must be writable, contiguous {dtype} {list(shape)} "
            f"(got {out.dtype} {list(out.shape)})"
        )
    return out
