"""First-order random walks in NumPy: the definition.

Shapes: N nodes, E edges, W walks, L steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from weft import rng
from weft.kernels.alias import reference as alias_reference
from weft.kernels.philox.reference import bounded, draw

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
) -> npt.NDArray[Any]:
    """Walks of ``length`` steps; step s of walk i takes word s % 4 of block s // 4 of item first + i.

    Args:
        indptr: int64 ``[N+1]``.
        indices: uint32 or int64 ``[E]``.
        starts: nodes ``[W]``.
        length: L.
        seed: 0 to 2**64 - 1.
        alias: uint64 ``[E]`` from :func:`weft.kernels.alias.alias_tables`; None: every edge alike.
        first: the number of the first walk.

    Returns:
        ``[W, L+1]`` of the dtype of ``indices``, starts included. A node without an out-edge keeps its walk.
    """
    key = rng.key(seed, rng.Op.WALK)
    item_W = np.arange(len(starts), dtype=np.uint64) + np.uint64(first)
    out_WL = np.empty((len(starts), length + 1), indices.dtype)
    out_WL[:, 0] = starts
    for step in range(length):
        word_W = draw(key, item_W, step // 4)[:, step % 4]
        at_W = out_WL[:, step].astype(np.int64)
        begin_W, degree_W = indptr[at_W], indptr[at_W + 1] - indptr[at_W]
        out_WL[:, step + 1] = out_WL[:, step]
        moves = degree_W > 0
        begin, degree, word = begin_W[moves], degree_W[moves], word_W[moves]
        edge = bounded(word, degree) if alias is None else alias_reference.choose(alias, begin, degree, word)
        out_WL[moves, step + 1] = indices[begin + edge]
    return out_WL
