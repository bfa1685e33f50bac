"""First-order random walks in the native core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weft import _core, rng
from weft.errors import WeftValueError
from weft.kernels.walk import checks

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

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
    checks.check_graph(indptr, indices, alias)
    checks.check_numbers(length, first, len(starts))
    starts_W = checks.checked_starts(starts, len(indptr) - 1, indices.dtype)
    out_WL = checks.checked_out(out, (len(starts_W), length + 1), indices.dtype)
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
