"""Skip-gram with negative sampling in NumPy, one pair after another: the definition.

Every float32 operation is written in the order in which the native core performs it, so the two agree bit for
bit. Shapes: R rows of a table in P equal parts, D floats in a row, B pairs.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from weft.kernels.philox.reference import draw

__all__ = ["sgns_train"]

F32 = npt.NDArray[np.float32]

BOUND, RESOLUTION = 8, 32
_POWERS = [math.exp(-i / RESOLUTION) for i in range(BOUND * RESOLUTION + 2)]
TAIL = np.array([e / (1 + e) for e in _POWERS], np.float32)
SOFTPLUS = np.array([math.log1p(e) for e in _POWERS], np.float32)
HALF, ONE = np.float32(0.5), np.float32(1)


def dot(a_D: F32, b_D: F32) -> np.float32:
    """Sixteen lanes, even and odd chunks apart; then lanes four by four."""
    product = (a_D * b_D).reshape(-1, 16)
    paired = len(product) // 2 * 2
    even, odd = np.zeros((2, 16), np.float32)
    for i in range(0, paired, 2):
        even, odd = even + product[i], odd + product[i + 1]
    lane = even + odd
    if len(product) > paired:
        lane = lane + product[-1]
    four = (lane[:4] + lane[4:8]) + (lane[8:12] + lane[12:])
    return (four[0] + four[2]) + (four[1] + four[3])


def judge(x: np.float32) -> tuple[np.float32, np.float32]:
    """``1 - s(x)`` and ``-log s(x)`` from tables, linear between entries, flat beyond |x| = 8."""
    size = np.abs(x)
    y = (size if size < BOUND else np.float32(BOUND)) * np.float32(RESOLUTION)
    i = int(y)
    f = y - np.float32(i)
    tail = TAIL[i] + (TAIL[i + 1] - TAIL[i]) * f
    loss = SOFTPLUS[i] + (SOFTPLUS[i + 1] - SOFTPLUS[i]) * f + HALF * (size - x)
    return (tail if x > 0 else ONE - tail), loss


def step(
    v_D: F32, context_RD: F32, rows: list[int], rate: np.float32, weight: np.float32, decay: np.float32
) -> float:
    """One pair: ``rows`` are its tail and its negatives. All scores are taken before any row moves."""
    loss = np.float32(0)
    pulls: list[np.float32] = []
    weights = [ONE] + [weight] * (len(rows) - 1)
    for k, (row, w) in enumerate(zip(rows, weights, strict=True)):
        x = dot(v_D, context_RD[row])
        miss, cost = judge(x if k == 0 else -x)
        loss = loss + w * cost
        pulls.append(rate * w * (miss if k == 0 else -miss))
    gradient_D = np.zeros_like(v_D)
    for row, w, pull in zip(rows, weights, pulls, strict=True):
        c_D = context_RD[row].copy()
        gradient_D += pull * c_D
        context_RD[row] = (ONE - rate * w * decay) * c_D + pull * v_D
    whole = ONE + np.float32(len(rows) - 1) * weight
    v_D[:] = (ONE - rate * whole * decay) * v_D + gradient_D
    return float(loss)


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
    """As :func:`weft.kernels.sgns.sgns_train`."""
    parts = round((len(offset) - 1) ** 0.5)
    size = len(alias_R) // parts
    loss = np.zeros(parts * parts)
    done = first
    weight, decay = np.float32(negative_weight), np.float32(weight_decay)
    for turn in range(parts):
        left = 1 - done / total if total else 1.0
        rate = np.float32(float(np.float32(learning_rate)) * max(left, 1e-4))
        for i in range(parts):
            j = (i + turn) % parts
            for q in range(int(offset[i * parts + j]), int(offset[i * parts + j + 1])):
                head, tail = int(pair_B[q]) >> 32, int(pair_B[q]) & 0xFFFFFFFF
                rows = [tail]
                for k in range(negatives):
                    word = int(draw(key, np.array([first + q], np.uint64), k // 4)[0, k % 4])
                    slot, low = divmod(word * size, 1 << 32)
                    other, threshold = divmod(int(alias_R[j * size + slot]), 1 << 32)
                    rows.append(j * size + (slot if low < threshold else other))
                loss[i * parts + j] += step(vertex_RD[head], context_RD, rows, rate, weight, decay)
                done += 1
    return loss
