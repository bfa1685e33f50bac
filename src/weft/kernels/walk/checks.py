"""What every kind of walk checks before it goes to the native core.

Shapes: N nodes, E edges, W walks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError

__all__ = ["check_graph", "check_vector", "checked_out", "checked_starts"]


def check_graph(
    indptr: npt.NDArray[np.int64], indices: npt.NDArray[Any], alias: npt.NDArray[np.uint64] | None
) -> None:
    """Check the arrays of a graph.

    Raises:
        WeftValueError: one has the wrong shape, dtype or length.
    """
    check_vector("indptr", indptr, (np.dtype(np.int64),))
    if len(indptr) == 0:
        raise WeftValueError("walk: indptr must hold N+1 values (got 0)")
    check_vector("indices", indices, (np.dtype(np.uint32), np.dtype(np.int64)))
    if alias is not None:
        check_vector("alias", alias, (np.dtype(np.uint64),))
        if len(alias) != len(indices):
            raise WeftValueError(f"walk: alias has {len(alias)} slots for {len(indices)} edges")


def check_vector(name: str, array: npt.NDArray[Any], dtypes: tuple[np.dtype[Any], ...]) -> None:
    """Check that an array is a contiguous vector.

    Raises:
        WeftValueError: it is not.
    """
    if array.ndim != 1 or array.dtype not in dtypes or not array.flags.c_contiguous:
        wanted = " or ".join(str(dtype) for dtype in dtypes)
        raise WeftValueError(
            f"walk: {name} must be a contiguous vector of {wanted} (got {array.dtype} {list(array.shape)})"
        )


def check_numbers(length: int, first: int, count: int) -> None:
    """Check how long walks are, and which numbers they have.

    Raises:
        WeftValueError: a number is negative, or past 2**64.
    """
    if length < 0:
        raise WeftValueError(f"walk: length must be 0 or more (got {length})")
    if not 0 <= first <= 2**64 - 1 - count:
        raise WeftValueError(f"walk: first must be 0 or more and leave room below 2**64 (got {first})")


def checked_starts(starts: npt.NDArray[Any], nodes: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The starts in the dtype of the graph's indices.

    Raises:
        WeftValueError: one is not a node.
    """
    if starts.ndim != 1 or starts.dtype.kind not in "iu":
        raise WeftValueError(f"walk: starts must be integers [W] (got {starts.dtype} {list(starts.shape)})")
    if len(starts) and not (starts.min() >= 0 and starts.max() < nodes):
        wrong = (starts < 0) | (starts >= nodes)
        at = int(np.flatnonzero(wrong)[0])
        raise WeftValueError(f"walk: start {at} is node {starts[at]}, the graph has {nodes} nodes")
    return np.ascontiguousarray(starts, dtype)


def checked_out(
    out: npt.NDArray[Any] | None, shape: tuple[int, int], dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    """Where walks are written to; None makes a new array.

    Raises:
        WeftValueError: it does not fit.
    """
    if out is None:
        return np.empty(shape, dtype)
    if out.shape != shape or out.dtype != dtype or not out.flags.c_contiguous or not out.flags.writeable:
        raise WeftValueError(
            f"walk: out must be writable, contiguous {dtype} {list(shape)} "
            f"(got {out.dtype} {list(out.shape)})"
        )
    return out
