"""Second-order random walks in NumPy: the definition.

Shapes: N nodes, E edges, W walks, L steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from weft import rng
from weft.kernels.philox.reference import draw

__all__ = ["walk2"]

_EXACT, _KEEP = 1, 2  # lanes
_PATIENCE = 16


def walk2(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[Any],
    starts: npt.NDArray[Any],
    length: int,
    seed: int,
    *,
    p: float,
    q: float,
    directed: bool,
    weight: npt.NDArray[np.float32] | None = None,
    alias: npt.NDArray[np.uint64] | None = None,
    total: npt.NDArray[np.float64] | None = None,
    peak: npt.NDArray[np.float32] | None = None,
    first: int = 0,
) -> npt.NDArray[Any]:
    """Walks of ``length`` steps by tries that may fail.

    Args:
        indptr: int64 ``[N+1]``.
        indices: uint32 or int64 ``[E]``, rising in every row.
        starts: nodes ``[W]``.
        length: L.
        seed: 0 to 2**64 - 1.
        p: going back weighs 1/p.
        q: going on to a node that the one before has no edge to weighs 1/q.
        directed: else each edge has its reverse, of the same weight.
        weight: float32 ``[E]``; None: every edge weighs 1.
        alias: uint64 ``[E]`` from :func:`weft.kernels.alias.alias_tables`, with ``weight``.
        total: float64 ``[N]``, sums of the weights of each row, with ``weight``.
        peak: float32 ``[N]``, at least the weight of the edges of each row to one node, with ``weight``.
        first: the number of the first walk.

    Returns:
        ``[W, L+1]`` of the dtype of ``indices``, starts included. A node without an out-edge keeps its walk.
    """
    graph = _Graph(indptr, indices, directed, weight, alias, total, peak)
    key = rng.key(seed, rng.Op.WALK2)
    out_WL = np.empty((len(starts), length + 1), indices.dtype)
    for i, start in enumerate(starts.tolist()):
        out_WL[i] = _walk(graph, p, q, start, length, key, np.array([first + i], np.uint64))
    return out_WL


@dataclass
class _Graph:
    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[Any]
    directed: bool
    weight: npt.NDArray[np.float32] | None
    alias: npt.NDArray[np.uint64] | None
    total: npt.NDArray[np.float64] | None
    peak: npt.NDArray[np.float32] | None

    def __post_init__(self) -> None:
        rows = [self.row(u) for u in range(len(self.indptr) - 1)]
        self.parallel = max(
            (int(np.unique(row, return_counts=True)[1].max()) for row in rows if len(row)), default=0
        )
        self.known = not self.directed and self.parallel <= 1

    def row(self, u: int) -> npt.NDArray[Any]:
        return self.indices[self.indptr[u] : self.indptr[u + 1]]

    def weights(self, u: int) -> npt.NDArray[np.float64]:
        here = slice(int(self.indptr[u]), int(self.indptr[u + 1]))
        size = here.stop - here.start
        return np.ones(size) if self.weight is None else self.weight[here].astype(np.float64)

    def sum(self, u: int) -> float:
        return float(len(self.row(u))) if self.total is None else float(self.total[u])

    def bound(self, u: int) -> float:
        """At least the weight of the edges from u to one node."""
        return float(self.parallel) if self.peak is None else float(self.peak[u])

    def between(self, u: int, x: int) -> float:
        """The weight of the edges from u to x."""
        return float(sum(self.weights(u)[self.row(u) == x].tolist()))


def _walk(graph: _Graph, p: float, q: float, start: int, length: int, key: int, item: Any) -> list[int]:  # noqa: ANN401
    """One walk. Try n takes word n % 4 of the block (item, index n // 4, lane 0)."""
    extra, back = max(q, 1 / q) - 1, max(q, 1.0) / p
    walk, t, weight_back, tries, failed, words = [start], -1, 0.0, 0, 0, np.empty(0)
    while len(walk) <= length:
        v = walk[-1]
        if len(graph.row(v)) == 0:
            walk += [v] * (length + 1 - len(walk))
            break
        if tries % 4 == 0 and failed >= _PATIENCE + len(graph.row(v)):
            edge = _exactly(graph, back, extra, q, t, v, draw(key, item, tries // 4, _EXACT)[0])
        else:
            words = draw(key, item, tries // 4)[0] if tries % 4 == 0 else words
            word = float(words[tries % 4])
            bound = weight_back if graph.known else graph.bound(v)
            edge = _try(graph, word * 2.0**-32, extra, max(back - 1, 0.0), bound, t, v, near=q > 1)
            if edge >= 0 and graph.indices[edge] == t:
                word = float(draw(key, item, tries // 4, _KEEP)[0, tries % 4])
                edge = edge if back >= 1 or word * 2.0**-32 < back else -1
            tries += 1
            if edge == -1:
                failed += 1
                continue
        x = t if edge == -2 else int(graph.indices[edge])
        if edge != -2:  # else the way back from here is that same edge
            weight_back = 1.0 if graph.weight is None else float(graph.weight[edge])
        t, failed = v, 0
        walk.append(x)
    return walk


def _try(
    graph: _Graph, u: float, extra: float, more: float, bound: float, t: int, v: int, *, near: bool
) -> int:
    """The edge taken; -1: the try failed; -2: the way back."""
    plain = graph.weight is None
    size, sum_v = len(graph.row(v)), graph.sum(v)
    scale = 1.0 if plain else size / sum_v
    if t < 0:
        return _edge(graph, v, u * sum_v * scale)
    sum_t = len(graph.row(t)) * (1.0 if plain else graph.bound(v))
    other = near and graph.parallel <= 1 and sum_t < sum_v
    linked = (sum_t if other else sum_v) * extra
    y = u * (sum_v + linked + more * bound)
    rest = y - sum_v
    beyond = rest - linked
    if rest < 0:
        return _edge(graph, v, y * scale)
    if beyond < 0 and other:
        place = rest * (1 / extra) * (1.0 if plain else 1 / graph.bound(v))
        slot = min(math.floor(place), len(graph.row(t)) - 1)
        x = int(graph.row(t)[slot])
        # In the row of v, where the edge leads to the same node.
        edge = int(graph.indptr[v] + np.searchsorted(graph.row(v), x))
        enough = plain or (place - math.floor(place)) * graph.bound(v) < graph.between(v, x)
        return edge if x != t and x in graph.row(v) and enough else -1
    if beyond < 0:
        edge = _edge(graph, v, rest * (1 / extra) * scale)
        x = int(graph.indices[edge])
        return edge if x != t and (x in graph.row(t)) == near else -1
    weight = graph.between(v, t)
    if graph.known or (t in graph.row(v) and (weight >= bound or beyond < more * weight)):
        return -2
    return -1


def _edge(graph: _Graph, u: int, place: float) -> int:
    """The edge of u's row at a place in [0, degree)."""
    begin, slot = int(graph.indptr[u]), math.floor(place)
    edge = begin + min(slot, len(graph.row(u)) - 1)
    if graph.alias is None:
        return edge
    entry = int(graph.alias[edge])
    return edge if place - slot < (entry & 0xFFFFFFFF) * 2.0**-32 else begin + (entry >> 32)


def _exactly(graph: _Graph, back: float, extra: float, q: float, t: int, v: int, words: Any) -> int:  # noqa: ANN401
    """An edge of v's row in proportion to the exact weights, added up in order."""
    linked = np.isin(graph.row(v), graph.row(t)) == (q > 1)
    bias = np.where(graph.row(v) == t, back, np.where(linked, 1 + extra, 1.0))
    sums = np.cumsum(bias * graph.weights(v))
    u = (int(words[0]) << 32 | int(words[1])) >> 11
    above = np.flatnonzero(sums > u * 2.0**-53 * sums[-1])
    return int(graph.indptr[v] + above[0])
