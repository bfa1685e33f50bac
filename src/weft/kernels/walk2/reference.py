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
        first: the number of the first walk.

    Returns:
        ``[W, L+1]`` of the dtype of ``indices``, starts included. A node without an out-edge keeps its walk.
    """
    graph = _Graph(indptr, indices, directed, weight, alias, total)
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

    def __post_init__(self) -> None:
        rows = [self.row(u) for u in range(len(self.indptr) - 1)]
        self.simple = all(len(np.unique(row)) == len(row) for row in rows)

    def row(self, u: int) -> npt.NDArray[Any]:
        return self.indices[self.indptr[u] : self.indptr[u + 1]]

    def weights(self, u: int) -> npt.NDArray[np.float64]:
        here = slice(int(self.indptr[u]), int(self.indptr[u + 1]))
        size = here.stop - here.start
        return np.ones(size) if self.weight is None else self.weight[here].astype(np.float64)

    def sum(self, u: int) -> float:
        return float(len(self.row(u))) if self.total is None else float(self.total[u])

    def way_back(self, v: int, t: int, edge: int) -> float:
        """The weight of the edges from v back to t, when ``edge`` led from t to v."""
        if not self.directed and self.simple:
            return 1.0 if self.weight is None else float(self.weight[edge])
        return float(sum(self.weights(v)[self.row(v) == t].tolist()))


def _walk(graph: _Graph, p: float, q: float, start: int, length: int, key: int, item: Any) -> list[int]:  # noqa: ANN401
    """One walk. Try n takes word n % 4 of the block (item, index n // 4, lane 0)."""
    extra, back = max(q, 1 / q) - 1, max(q, 1.0) / p
    walk, t, edge, weight_back, tries, failed = [start], -1, -1, 0.0, 0, 0
    while len(walk) <= length:
        v = walk[-1]
        if len(graph.row(v)) == 0:
            walk += [v] * (length + 1 - len(walk))
            break
        if tries % 4 == 0 and failed >= _PATIENCE + len(graph.row(v)):
            edge = _exactly(graph, back, extra, q, t, v, draw(key, item, tries // 4, _EXACT)[0])
        else:
            word = float(draw(key, item, tries // 4)[0, tries % 4])
            mass_back = max(back - 1, 0.0) * weight_back
            taken = _try(graph, word * 2.0**-32, extra, mass_back, t, v, near=q > 1)
            if taken >= 0 and graph.indices[taken] == t:
                word = float(draw(key, item, tries // 4, _KEEP)[0, tries % 4])
                taken = taken if back >= 1 or word * 2.0**-32 < back else -1
            tries += 1
            if taken == -1:
                failed += 1
                continue
            edge = taken if taken >= 0 else -2
        x = t if edge == -2 else int(graph.indices[edge])
        weight_back = (
            weight_back if edge == -2 and not graph.directed and graph.simple else graph.way_back(x, v, edge)
        )
        t, failed = v, 0
        walk.append(x)
    return walk


def _try(graph: _Graph, u: float, extra: float, mass_back: float, t: int, v: int, *, near: bool) -> int:
    """The edge taken; -1: the try failed; -2: the way back."""
    plain = graph.weight is None
    size, sum_v = len(graph.row(v)), graph.sum(v)
    scale = 1.0 if plain else size / sum_v
    if t < 0:
        return _edge(graph, v, u * sum_v * scale)
    source, looked_up = v, t
    if plain and not graph.directed and graph.simple and near and len(graph.row(t)) < size:
        source, looked_up = t, v
    linked = (graph.sum(source) if plain else sum_v) * extra
    y = u * (sum_v + linked + mass_back)
    rest = y - sum_v
    if rest < 0:
        return _edge(graph, v, y * scale)
    if rest - linked < 0:
        edge = _edge(graph, source, rest * (1 / extra) * scale)
        x = int(graph.indices[edge])
        if x == t or (x in graph.row(looked_up)) != near:
            return -1
        # In the row of v, where the edge leads to the same node.
        return edge if source == v else int(graph.indptr[v] + np.searchsorted(graph.row(v), x))
    return -2


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
