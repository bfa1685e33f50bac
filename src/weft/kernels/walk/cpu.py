"""First-order random walks in the native core."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from weft import _core, rng
from weft.errors import WeftValueError

__all__ = ["walk"]


def walk(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[Any],
    starts: npt.NDArray[Any],
    length: int,
    seed: int,
    *,
    alias: npt.NDArray[np.uint64] | None = None,
    first: int = 0,
    out: npt.NDArray[Any] | None = None,
) -> npt.NDArray[Any]:
    """Walks of ``length`` steps from ``starts``.

    A walk depends on the seed, its number and its start alone: cutting a batch in two and giving the second
    half its ``first`` gives the same walks.

    Args:
        indptr: int64 ``[N+1]``; fastest on huge pages, as ``indices`` and ``alias`` are.
        indices: uint32 or int64 ``[E]``.
        starts: nodes ``[W]``, of any integer dtype.
        length: L, the number of steps.
        seed: 0 to 2**64 - 1.
        alias: uint64 ``[E]`` from :func:`weft.kernels.alias.alias_tables`; None: every edge alike.
        first: the number of the first walk.
        out: where to write, ``[W, L+1]`` of the dtype of ``indices``; None makes a new array.

    Returns:
        ``[W, L+1]`` of the dtype of ``indices``, starts included. A node without an out-edge keeps its walk.

    Raises:
        WeftValueError: a start is not a node, an array does not fit, or the graph is damaged.
    """
    _check_graph(indptr, indices, alias)
    if length < 0:
        raise WeftValueError(f"walk: length must be 0 or more (got {length})")
    if not 0 <= first <= 2**64 - 1 - len(starts):
        raise WeftValueError(f"walk: first must be 0 or more and leave room below 2**64 (got {first})")
    starts_W = _checked_starts(starts, len(indptr) - 1, indices.dtype)
    out_WL = _checked_out(out, (len(starts_W), length + 1), indices.dtype)
    key = rng.key(seed, rng.Op.WALK)
    flat = out_WL.reshape(-1)
    try:
        if alias is None:
            _core.walk(indptr, indices, starts_W, length, key, first, flat)
        else:
            _core.walk_weighted(indptr, indices, alias, starts_W, length, key, first, flat)
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return out_WL


def _check_graph(
    indptr: npt.NDArray[np.int64], indices: npt.NDArray[Any], alias: npt.NDArray[np.uint64] | None
) -> None:
    _check_vector("indptr", indptr, (np.dtype(np.int64),))
    if len(indptr) == 0:
        raise WeftValueError("walk: indptr must hold N+1 values (got 0)")
    _check_vector("indices", indices, (np.dtype(np.uint32), np.dtype(np.int64)))
    if alias is not None:
        _check_vector("alias", alias, (np.dtype(np.uint64),))
        if len(alias) != len(indices):
            raise WeftValueError(f"walk: alias has {len(alias)} slots for {len(indices)} edges")


def _check_vector(name: str, array: npt.NDArray[Any], dtypes: tuple[np.dtype[Any], ...]) -> None:
    if array.ndim != 1 or array.dtype not in dtypes or not array.flags.c_contiguous:
        wanted = " or ".join(str(dtype) for dtype in dtypes)
        raise WeftValueError(
            f"walk: {name} must be a contiguous vector of {wanted} (got {array.dtype} {list(array.shape)})"
        )


def _checked_starts(starts: npt.NDArray[Any], nodes: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if starts.ndim != 1 or starts.dtype.kind not in "iu":
        raise WeftValueError(f"walk: starts must be integers [W] (got {starts.dtype} {list(starts.shape)})")
    if len(starts) and not (starts.min() >= 0 and starts.max() < nodes):
        wrong = (starts < 0) | (starts >= nodes)
        at = int(np.flatnonzero(wrong)[0])
        raise WeftValueError(f"walk: start {at} is node {starts[at]}, the graph has {nodes} nodes")
    return np.ascontiguousarray(starts, dtype)


def _checked_out(
    out: npt.NDArray[Any] | None, shape: tuple[int, int], dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    if out is None:
        return np.empty(shape, dtype)
    if out.shape != shape or out.dtype != dtype or not out.flags.c_contiguous or not out.flags.writeable:
        raise WeftValueError(
            f"walk: out must be writable, contiguous {dtype} {list(shape)} "
            f"(got {out.dtype} {list(out.shape)})"
        )
    return out
