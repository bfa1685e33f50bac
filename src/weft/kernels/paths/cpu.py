"""Sampled rows of the matrix that DeepWalk factors, in the native core.

Sources: Qiu et al., "NetSMF: Large-scale network embedding as sparse matrix factorization", WWW 2019, and
"LightNE: A lightweight graph processing system for network embedding", SIGMOD 2021 (down-sampling).
Shapes: N nodes, E edges, R rows asked for, M places for entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError

if TYPE_CHECKING:
    from weft.kernels.paths.form import PathGraph, PathSampling

__all__ = ["TASK_WORK", "path_counts", "path_room", "path_rows", "path_scratch"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]

TASK_WORK = 1 << 14  # edges and walks of rows that one thread takes on together
_BATCH, _GROUP, _ENDS = 1 << 11, 1 << 6, 1 << 19  # walks of a batch, at most and at least; their ends


def path_counts(graph: PathGraph, how: PathSampling) -> I64:
    """How many walks begin with an edge of each node; int64 ``[N]``.

    Raises:
        WeftValueError: a parameter is out of range, an array does not fit, or the graph is damaged.
    """
    walks = np.empty(len(graph.indptr) - 1, np.int64)
    try:
        _core.path_counts(*graph.arrays(), how.samples, how.keep, how.window, how.key, walks)
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return walks


def path_room(graph: PathGraph, how: PathSampling, walks_N: I64) -> I64:
    """How many entries each row can have at most; int64 ``[N]``."""
    return np.minimum(np.diff(graph.indptr) + walks_N * (how.window - 1), len(walks_N))


def path_scratch(how: PathSampling, nodes: int, most: int) -> int:
    """Bytes that each thread of :func:`path_rows` takes beside the result.

    Args:
        how: how paths are drawn.
        nodes: N.
        most: of :func:`path_room`, over the rows asked for.
    """
    ends = 4 * (how.window - 1) * min(max(_GROUP, _ENDS // max(1, how.window - 1)), _BATCH)
    all_columns = 8 * nodes if most >= nodes // 4 else 0
    hashed = 16 << (2 * min(most, nodes // 4)).bit_length()
    return ends + all_columns + hashed + 8 * most


def path_rows(
    graph: PathGraph,
    how: PathSampling,
    first: int,
    walks_R: I64,
    row_scale_N: F64,
    column_scale_N: F64,
    out: tuple[U32, F32],
) -> tuple[I64, int]:
    """Rows ``first .. first + R`` of the matrix, their entries above 1 alone.

    Entry (u, v) is what the walks that begin at u meet of v, times ``row_scale_N[u] * column_scale_N[v]``.
    Every walk counts by its weight in units of 2**-36, so no sum depends on an order.

    Args:
        graph: what is walked on.
        how: how paths are drawn.
        first: the first row.
        walks_R: int64 ``[R]``, of :func:`path_counts`.
        row_scale_N: float64 ``[N]``.
        column_scale_N: float64 ``[N]``.
        out: columns uint32 ``[M]`` and values float32 ``[M]``, where M is at least the :func:`path_room` of
            these rows together; what lies behind the entries is overwritten too.

    Returns:
        int64 ``[R]``, the entries of each row; and their number. They are written to the front of ``out``,
        row by row, by rising column.

    Raises:
        WeftValueError: a parameter is out of range, an array does not fit, or the graph is damaged.
    """
    degree = np.empty(len(walks_R), np.int64)
    try:
        used = _core.path_rows(
            *graph.arrays(),
            how.samples,
            how.keep,
            how.window,
            how.key,
            first,
            np.ascontiguousarray(walks_R),
            row_scale_N,
            column_scale_N,
            degree,
            *out,
        )
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return degree, used
