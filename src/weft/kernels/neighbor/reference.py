"""Neighbour sampling in NumPy: the definition.

Shapes: as in :mod:`weft.kernels.neighbor.form`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft import rng
from weft.kernels.neighbor.form import Neighborhood, Relation
from weft.kernels.philox.reference import draw

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["neighbor"]

_PATIENCE = 16


def neighbor(
    relations: Sequence[Relation],
    seeds: Sequence[npt.NDArray[Any]],
    seed: int,
    *,
    batch: int = 0,
    replace: bool = False,
    disjoint: bool = False,
) -> Neighborhood:
    """As :func:`weft.kernels.neighbor.cpu.neighbor`."""
    key, dtype = rng.key(seed, rng.Op.NEIGHBOR), relations[0].indices.dtype
    nodes: list[list[int]] = [some.tolist() for some in seeds]
    trees: list[list[int]] = [[] for _ in seeds]
    numbers: list[dict[tuple[int, int], int]] = [{} for _ in seeds]
    tree = 0
    for kind, some in enumerate(nodes):
        for number, node in enumerate(some):
            trees[kind].append(tree)
            numbers[kind].setdefault((node, tree if disjoint else 0), number)
            tree += 1
    nodes_of_hop = [[len(some)] for some in nodes]
    edges: list[tuple[list[int], list[int], list[int]]] = [([], [], []) for _ in relations]
    edges_of_hop: list[list[int]] = [[] for _ in relations]
    frontier = [range(len(some)) for some in nodes]
    for hop in range(len(relations[0].fanout)):
        for r, relation in enumerate(relations):
            row, col, edge = edges[r]
            before, kind = len(edge), relation.source
            for at in frontier[relation.target]:
                draws = _Draws(key, (batch << 32) + at, r)
                tree = trees[relation.target][at] if disjoint else 0
                for e in _edges(
                    relation, nodes[relation.target][at], relation.fanout[hop], draws, replace=replace
                ):
                    node = int(relation.indices[e])
                    number = numbers[kind].setdefault((node, tree), len(nodes[kind]))
                    if number == len(nodes[kind]):
                        nodes[kind].append(node)
                        trees[kind].append(tree)
                    row.append(number)
                    col.append(at)
                    edge.append(e)
            edges_of_hop[r].append(len(edge) - before)
        for kind, some in enumerate(nodes):
            frontier[kind] = range(frontier[kind].stop, len(some))
            nodes_of_hop[kind].append(len(frontier[kind]))
    return Neighborhood(
        node=[np.array(some, dtype) for some in nodes],
        tree=[np.array(some if disjoint else [], np.int64) for some in trees],
        row=[np.array(e[0], np.int64) for e in edges],
        col=[np.array(e[1], np.int64) for e in edges],
        edge=[np.array(e[2], np.int64) for e in edges],
        nodes_of_hop=nodes_of_hop,
        edges_of_hop=edges_of_hop,
    )


class _Draws:
    """Word j is word j % 4 of the Philox block (item, index = j // 4, lane)."""

    def __init__(self, key: int, item: int, relation: int) -> None:
        self._key, self._item, self._lane = key, np.array([item], np.uint64), 2 * relation

    def word(self, j: int) -> int:
        return int(draw(self._key, self._item, j // 4, self._lane)[0, j % 4])

    def exact(self, j: int) -> float:
        words = draw(self._key, self._item, j, self._lane + 1)[0]
        return float((int(words[0]) << 32 | int(words[1])) >> 11) * 2.0**-53


def _edges(r: Relation, node: int, fanout: int, draws: _Draws, *, replace: bool) -> list[int]:
    """The edges drawn for a node."""
    begin, end = int(r.indptr[node]), int(r.indptr[node + 1])
    degree = end - begin
    if degree == 0 or fanout == 0:
        return []
    if fanout < 0:
        return list(range(begin, end))
    if not replace and degree <= fanout:
        return [e for e in range(begin, end) if r.weight is None or r.weight[e] > 0]
    if replace:
        return [begin + _place(r, begin, degree, draws.word(j)) for j in range(fanout)]
    picked: list[int] = []
    if r.weight is None:
        for j in range(fanout):
            last = degree - fanout + j
            pick = draws.word(j) * (last + 1) >> 32
            picked.append(last if pick in picked else pick)
    else:
        for j in range(_PATIENCE + 4 * fanout):
            pick = _place(r, begin, degree, draws.word(j))
            if len(picked) < fanout and pick not in picked:
                picked.append(pick)
        weight = r.weight[begin:end].astype(np.float64)
        while len(picked) < fanout:
            left = weight.copy()
            left[picked] = 0
            sums = np.cumsum(left)
            if not sums[-1] > 0:
                break
            positive = np.flatnonzero(left)
            above = positive[sums[positive] > draws.exact(len(picked)) * sums[-1]]
            picked.append(int(above[0] if len(above) else positive[-1]))
    return [begin + pick for pick in picked]


def _place(r: Relation, begin: int, degree: int, word: int) -> int:
    """A place in a row, by weight if there is one."""
    product = word * degree
    own = product >> 32
    if r.alias is None:
        return own
    slot = int(r.alias[begin + own])
    return own if product & 0xFFFFFFFF < slot & 0xFFFFFFFF else slot >> 32
