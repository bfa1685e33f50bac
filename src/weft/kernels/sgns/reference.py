"""Skip-gram with negative sampling in NumPy, one tile after another: the definition.

Every float32 operation is written in the order in which the native core performs it, so the two agree bit for
bit. Shapes: I parts of heads, J parts of tails, R rows of a part, D floats in a row, B pairs; T heads of a
tile, N negatives of a pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from weft.kernels.philox.reference import draw

__all__ = ["sgns_train"]

F32 = npt.NDArray[np.float32]

HEADS, TILES = 4, 2
ONE = np.float32(1)


@dataclass(frozen=True)
class Step:
    """What holds for all pairs of a block."""

    rate: np.float32
    weight: np.float32
    decay: np.float32


def halve(x_S: F32) -> np.float32:
    """The sum of 16 numbers: halves are added until one is left."""
    a = x_S[:8] + x_S[8:]
    b = a[:4] + a[4:]
    return (b[0] + b[2]) + (b[1] + b[3])


def dot(a_D: F32, b_D: F32) -> np.float32:
    """Sixteen running sums over the chunks of 16, then halved."""
    lane: F32 = np.zeros(16, np.float32)
    for chunk in (a_D * b_D).reshape(-1, 16):
        lane += chunk
    return halve(lane)


def judge(x: F32) -> tuple[F32, F32]:
    """``1 - s(x)`` and ``-log s(x)``: e^-|x| by a polynomial, its logarithm by the series of atanh."""
    f = np.float32
    size = np.abs(x)
    y = np.where(size < 80, size, f(80))
    n = (y * f(1.44269504) + f(0.5)).astype(np.int32)
    r = n.astype(f) * f(0.693147181) - y
    square = r * r
    p = (f(1) + r) + square * (
        (f(0.5) + r * f(0.166666667)) + square * (f(0.0416666667) + r * f(0.00833333333))
    )
    e = p * ((127 - n) << 23).astype(np.int32).view(f)
    tail, s = e / (ONE + e), e / (f(2) + e)
    z, q = s * s, f(0.111111111)
    for c in (0.142857143, 0.2, 0.333333333, 1):
        q = f(c) + z * q
    loss = (s + s) * q + f(0.5) * (size - x)
    return np.where(x > 0, tail, ONE - tail).astype(f), loss.astype(f)


def passes(negatives: int) -> list[int]:
    """How many negatives go together: three or one beside the tails, then four, two and one."""
    sizes = [3 if negatives >= 3 else min(negatives, 1)]
    while left := negatives - sum(sizes):
        sizes.append(4 if left >= 4 else min(left, 2))
    return sizes


def score(h_TD: F32, context_RD: F32, tails: list[int], rows: list[int], at: Step) -> tuple[F32, F32, float]:
    """How far rows go along each other, head i and tail i ``[T]``, head i and negative j ``[T, N]``; loss."""
    x_T = np.array([dot(h, context_RD[t]) for h, t in zip(h_TD, tails, strict=False)], np.float32)
    x_TN = np.array([[-dot(h, context_RD[r]) for r in rows] for h in h_TD], np.float32)
    miss_T, loss_T = judge(x_T)
    miss_TN, loss_TN = judge(x_TN.reshape(len(h_TD), len(rows)))
    loss = float(loss_T.sum(dtype=np.float64) + at.weight * loss_TN.sum(dtype=np.float64))
    return at.rate * miss_T, -(at.rate * at.weight) * miss_TN, loss


def move(
    h_TD: F32, context_RD: F32, tails: list[int], rows: list[int], own_T: F32, pull_TN: F32, step_TD: F32
) -> None:
    """Move the context rows, one after another, and add up the heads' steps."""
    for i, t in enumerate(tails):
        c_D = context_RD[t].copy()
        step_TD[i] = own_T[i] * c_D
        context_RD[t] = c_D + own_T[i] * h_TD[i]
    for j, r in enumerate(rows):
        c_D = context_RD[r].copy()
        d_D = pull_TN[0, j] * h_TD[0]
        for i in range(1, len(h_TD)):
            d_D = d_D + pull_TN[i, j] * h_TD[i]
        step_TD += pull_TN[:, j, None] * c_D
        context_RD[r] = c_D + d_D


@dataclass(frozen=True)
class Tile:
    """Different heads, the tail of each, and negatives they share."""

    heads: list[int]
    tails: list[int]
    negatives: list[int]


def train_tiles(vertex_RD: F32, context_RD: F32, tiles: list[Tile], at: Step) -> float:
    """One step. With one or three negatives the scores of all tiles are taken before any row moves."""
    loss = 0.0
    if all(len(tile.negatives) in (1, HEADS - 1) for tile in tiles):
        ready = [score(vertex_RD[tile.heads], context_RD, tile.tails, tile.negatives, at) for tile in tiles]
        for tile, (own_T, pull_TN, cost) in zip(tiles, ready, strict=True):
            h_TD = vertex_RD[tile.heads]
            step_TD = np.zeros_like(h_TD)
            move(h_TD, context_RD, tile.tails, tile.negatives, own_T, pull_TN, step_TD)
            vertex_RD[tile.heads] += step_TD
            loss += cost
    else:
        for tile in tiles:
            step_TD, k = np.zeros((len(tile.heads), vertex_RD.shape[1]), np.float32), 0
            for number, size in enumerate(passes(len(tile.negatives))):
                h_TD = vertex_RD[tile.heads]
                tails = tile.tails[: 0 if number else HEADS]
                rows = tile.negatives[k : k + size]
                own_T, pull_TN, cost = score(h_TD, context_RD, tails, rows, at)
                move(h_TD, context_RD, tails, rows, own_T, pull_TN, step_TD)
                loss, k = loss + cost, k + size
            vertex_RD[tile.heads] += step_TD
    if at.decay:
        for tile in tiles:
            shrink(vertex_RD, context_RD, tile, at)
    return loss


def shrink(vertex_RD: F32, context_RD: F32, tile: Tile, at: Step) -> None:
    """Each term of the loss decays the two rows it touches, in proportion to its weight."""
    each = at.rate * at.decay
    for h, t in zip(tile.heads, tile.tails, strict=True):
        vertex_RD[h] *= ONE - each * (ONE + np.float32(len(tile.negatives)) * at.weight)
        context_RD[t] *= ONE - each
    for r in tile.negatives:
        context_RD[r] *= ONE - each * (np.float32(len(tile.heads)) * at.weight)


def block(
    vertex_RD: F32,
    context_RD: F32,
    pairs: list[tuple[int, int]],
    alias_R: npt.NDArray[np.uint64],
    at: Step,
    *,
    key: int,
    item: int,
    negatives: int,
) -> float:
    """Eight lanes of consecutive pairs side by side: step s takes the s-th pair of each."""
    lanes, size, loss = HEADS * TILES, len(pairs), 0.0
    begin = [size * i // lanes for i in range(lanes + 1)]
    for s in range(-(-size // lanes)):
        rows = [negative(alias_R, key, item + s, k) for k in range(TILES * negatives)]
        shared = [rows[t * negatives : (t + 1) * negatives] for t in range(TILES)]
        here = [(i, *pairs[begin[i] + s]) for i in range(lanes) if begin[i] + s < begin[i + 1]]
        if len(here) == lanes and all(a[1] != b[1] for a, b in pairwise(here)):
            cut = [here[t * HEADS : (t + 1) * HEADS] for t in range(TILES)]
            tiles = [
                Tile([h for _, h, _ in c], [t for _, _, t in c], n) for c, n in zip(cut, shared, strict=True)
            ]
            loss += train_tiles(vertex_RD, context_RD, tiles, at)
        else:  # one head at a time: together they would be one step of several times the size
            for i, head, tail in here:
                loss += train_tiles(vertex_RD, context_RD, [Tile([head], [tail], shared[i // HEADS])], at)
    return loss


def negative(alias_R: npt.NDArray[np.uint64], key: int, item: int, k: int) -> int:
    """The k-th negative of a tile: a look into the alias table of the part."""
    word = int(draw(key, np.array([item], np.uint64), k // 4)[0, k % 4])
    slot, low = divmod(word * len(alias_R), 1 << 32)
    other, threshold = divmod(int(alias_R[slot]), 1 << 32)
    return min(slot if low < threshold else other, len(alias_R) - 1)


def sgns_train(
    vertex_ID: F32,
    context_JD: F32,
    pair_B: npt.NDArray[np.uint64],
    offset: npt.NDArray[np.int64],
    item: npt.NDArray[np.uint64],
    alias_J: npt.NDArray[np.uint64],
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
    """As :func:`weft.kernels.sgns.sgns_train`: one block after another, row by row."""
    loss = np.zeros(len(item))
    order = [divmod(b, len(context_JD) // rows) for b in range(len(item))]
    if vertex_ID is context_JD:  # one table: (j, i) right after (i, j)
        order = [place for i, j in order if i <= j for place in dict.fromkeys([(i, j), (j, i)])]
    for i, j in order:
        b = i * (len(context_JD) // rows) + j
        head_part, tail_part = slice(i * rows, (i + 1) * rows), slice(j * rows, (j + 1) * rows)
        head_B, tail_B = pair_B[offset[b] : offset[b + 1]] >> np.uint64(32), pair_B[offset[b] : offset[b + 1]]
        heads = (head_B.astype(np.int64) - head_first - i * rows).tolist()
        tails = ((tail_B & np.uint64(0xFFFFFFFF)).astype(np.int64) - tail_first - j * rows).tolist()
        left = 1 - int(item[b]) / total if total else 1.0
        rate = np.float32(float(np.float32(learning_rate)) * max(left, 1e-4))
        loss[b] = block(
            vertex_ID[head_part],
            context_JD[tail_part],
            list(zip(heads, tails, strict=True)),
            alias_J[tail_part],
            Step(rate, np.float32(negative_weight), np.float32(weight_decay)),
            key=key,
            item=int(item[b]),
            negatives=negatives,
        )
    return loss
