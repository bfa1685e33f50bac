"""Skip-gram with negative sampling in the native core.

Technique: parallel negative sampling of GraphVite (Zhu, Xu, Qu, Tang: "GraphVite: A high-performance CPU-GPU
hybrid system for node embedding", WWW 2019), with cores in the place of GPUs.
Shapes: R rows of a table in P equal parts, D floats in a row, B pairs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError

__all__ = ["LANES", "sgns_train"]

F32 = npt.NDArray[np.float32]

LANES = 16  # D is a multiple of this: the partial sums of every dot product, on every CPU


def sgns_train(
    vertex_RD: F32,
    context_RD: F32,
    pair_B: npt.NDArray[np.uint64],
    offset: npt.NDArray[np.int64],
    alias_R: npt.NDArray[np.uint64],
    *,
    key: int,
    first: int,
    total: int,
    negatives: int,
    negative_weight: float,
    learning_rate: float,
    weight_decay: float,
) -> npt.NDArray[np.float64]:
    """Train on every pair once, in place; the same bits at any number of threads and on any CPU.

    For a pair (u, c) and its negatives c' the loss is
    ``-log s(u.c) - negative_weight * sum log s(-u.c')`` and one step of SGD follows, with weight decay as in
    GraphVite: each term of the loss decays the two rows it touches, in proportion to its weight.

    Args:
        vertex_RD: float32 ``[R, D]``, the rows of heads.
        context_RD: float32 ``[R, D]``, the rows of tails and negatives.
        pair_B: uint64 ``[B]``, head row << 32 | tail row, in blocks as ``bucket_pairs`` leaves them.
        offset: int64 ``[P*P+1]``, where blocks begin.
        alias_R: uint64 ``[R]``, an alias table for each part, as ``kernels.alias`` packs it.
        key: ``weft.rng.key(seed, Op.NEGATIVE)``.
        first: pairs trained before; numbers are drawn for item ``first + i``.
        total: pairs of the whole run, over which the learning rate falls linearly to 1e-4 of itself.
        negatives: how many for each pair, from the part of its tail.
        negative_weight: of each negative.
        learning_rate: at the beginning of the run.
        weight_decay: 0 for none.

    Returns:
        float64 ``[P*P]``, the sum of the losses of each block's pairs, each taken before its step.

    Raises:
        WeftValueError: shapes do not fit together, or a pair lies outside its block.
    """
    if vertex_RD.ndim != 2 or context_RD.shape != vertex_RD.shape:
        raise WeftValueError(
            "sgns_train: vertex and context must be of one shape [R, D] "
            f"(got {list(vertex_RD.shape)} and {list(context_RD.shape)})"
        )
    parts = round((len(offset) - 1) ** 0.5)
    loss = np.empty(parts * parts, np.float64)
    try:
        _core.sgns_train(
            vertex_RD.reshape(-1),
            context_RD.reshape(-1),
            vertex_RD.shape[1],
            parts,
            alias_R,
            pair_B,
            offset,
            key,
            first,
            total,
            negatives,
            negative_weight,
            learning_rate,
            weight_decay,
            loss,
        )
    except (ValueError, IndexError) as error:
        raise WeftValueError(str(error)) from None
    return loss
