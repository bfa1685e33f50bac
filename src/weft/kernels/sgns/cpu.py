"""Skip-gram with negative sampling in the native core.

Technique: parallel negative sampling of GraphVite (Zhu, Xu, Qu, Tang: "GraphVite: A high-performance CPU-GPU
hybrid system for node embedding", WWW 2019), with cores in the place of GPUs.
Shapes: I parts of heads, J parts of tails, R rows of a part, D floats in a row, B pairs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError

__all__ = ["LANES", "sgns_train"]

F32 = npt.NDArray[np.float32]
U64 = npt.NDArray[np.uint64]

LANES = 16  # D is a multiple of this: the partial sums of every dot product, on every CPU


def sgns_train(
    vertex_ID: F32,
    context_JD: F32,
    pair_B: U64,
    offset: npt.NDArray[np.int64],
    item: U64,
    alias_J: U64,
    *,
    rows: int,
    head_first: int = 0,
    tail_first: int = 0,
    key: int,
    total: int,
    negatives: int,
    negative_weight: float,
    learning_rate: float,
    weight_decay: float,
) -> npt.NDArray[np.float64]:
    """Train on every pair once, in place; the same bits at any number of threads and on any CPU.

    For a pair (u, c) and its negatives c' the loss is
    ``-log s(u.c) - negative_weight * sum log s(-u.c')`` and a step of SGD follows; four pairs of different
    heads share their negatives and take their step together (README.md beside this file). The tables may be
    whole or a strip of head parts and a panel of tail parts: blocks trained strip by strip give the same bits
    as long as each block comes after those above it and to its left. Given one array for both tables, as in
    LINE of the first order, heads and tails are the same vectors.

    Args:
        vertex_ID: float32 ``[I*R, D]``, the rows of heads.
        context_JD: float32 ``[J*R, D]``, the rows of tails and negatives.
        pair_B: uint64 ``[B]``, head row << 32 | tail row, in blocks as ``bucket_pairs`` leaves them.
        offset: int64 ``[I*J+1]``, where blocks begin in ``pair_B``.
        item: uint64 ``[I*J]``, how many pairs of the run come before each block: by this its negatives are
            drawn and its learning rate falls.
        alias_J: uint64 ``[J*R]``, an alias table for each part, as ``kernels.alias`` packs it.
        rows: R.
        head_first: what pairs call the first row of ``vertex_ID``.
        tail_first: what pairs call the first row of ``context_JD``.
        key: ``weft.rng.key(seed, Op.NEGATIVE)``.
        total: pairs of the whole run, over which the learning rate falls linearly to 1e-4 of itself.
        negatives: how many each pair is held against, from the part of its tail.
        negative_weight: of each negative.
        learning_rate: at the beginning of the run.
        weight_decay: 0 for none.

    Returns:
        float64 ``[I*J]``, the sum of the losses of each block's pairs, each taken before its step.

    Raises:
        WeftValueError: shapes do not fit together, or a pair lies outside its block.
    """
    if vertex_ID.ndim != 2 or context_JD.ndim != 2 or vertex_ID.shape[1] != context_JD.shape[1]:
        raise WeftValueError(
            "sgns_train: vertex and context must be tables with rows of one length "
            f"(got {list(vertex_ID.shape)} and {list(context_JD.shape)})"
        )
    loss = np.empty(len(item), np.float64)
    try:
        _core.sgns_train(
            vertex_ID.reshape(-1),
            context_JD.reshape(-1),
            vertex_ID.shape[1],
            rows,
            alias_J,
            head_first,
            tail_first,
            pair_B,
            offset,
            item,
            key,
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
