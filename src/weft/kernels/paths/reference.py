"""Sampled rows of the matrix that DeepWalk factors in NumPy: the definition.

Shapes: N nodes, E edges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.kernels.alias import reference as alias_reference
from weft.kernels.paths.form import UNIT
from weft.kernels.philox.reference import bounded, draw

if TYPE_CHECKING:
    from weft.kernels.paths.form import PathGraph, PathSampling

__all__ = ["path_counts", "path_units"]

_COUNT_LANE = 2**32 - 1


def path_counts(graph: PathGraph, how: PathSampling) -> npt.NDArray[np.int64]:
    """As :func:`weft.kernels.paths.path_counts`."""
    walks = [
        sum(share(graph, how, u, e)[0] for e in range(int(graph.indptr[u]), int(graph.indptr[u + 1])))
        for u in range(len(graph.indptr) - 1)
    ]
    return np.array(walks, np.int64)


def share(graph: PathGraph, how: PathSampling, u: int, e: int) -> tuple[int, int, int]:
    """Walks that begin with edge e of node u, the units of each, and the units of the edge itself."""
    weight = 1.0 if graph.weight is None else float(graph.weight[e])
    if weight == 0:
        return 0, 0, 0
    out, into = float(graph.out_degree[u]), float(graph.in_degree[graph.indices[e]])
    kept = min(1.0, how.keep * weight * (1 / out + 1 / into))
    expected = how.samples * kept if how.window > 1 else 0.0
    word = int(draw(how.key, np.array([e], np.uint64), 0, _COUNT_LANE)[0, 0])
    up = word < (expected - int(expected)) * 2.0**32
    return (
        int(expected) + up,
        int(weight / (kept * out) * UNIT + 0.5),
        int(how.samples * weight / out * UNIT + 0.5),
    )


def path_units(graph: PathGraph, how: PathSampling) -> npt.NDArray[np.uint64]:
    """What the walks of each node meet of each, in units; uint64 ``[N, N]``.

    Walk j of edge e takes its step s (from 0) by word s % 4 of block (item e, index j, lane s // 4).
    """
    nodes = len(graph.indptr) - 1
    units = np.zeros((nodes, nodes), np.uint64)
    for u in range(nodes):
        for e in range(int(graph.indptr[u]), int(graph.indptr[u + 1])):
            walks, each, direct = share(graph, how, u, e)
            units[u, graph.indices[e]] += np.uint64(direct)
            for j in range(walks):
                for v in _ends(graph, how, e, j):
                    units[u, v] += np.uint64(each)
    return units


def _ends(graph: PathGraph, how: PathSampling, e: int, j: int) -> list[int]:
    """Where walk j of edge e is after 2, 3 … steps, until it finds no edge to follow."""
    at, ends = int(graph.indices[e]), list[int]()
    for s in range(how.window - 1):
        begin, degree = int(graph.indptr[at]), int(graph.indptr[at + 1] - graph.indptr[at])
        if degree == 0:
            break
        word = draw(how.key, np.array([e], np.uint64), j, s // 4)[:, s % 4]
        if graph.alias is None:
            edge = int(bounded(word, degree)[0])
        else:
            edge = int(alias_reference.choose(graph.alias, np.array([begin]), np.array([degree]), word)[0])
        at = int(graph.indices[begin + edge])
        ends.append(at)
    return ends
