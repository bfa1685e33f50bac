"""Training pairs drawn from walks, pool after pool.

Shapes: N nodes, W walks of L steps, B pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.kernels.pairs import pairs_per_walk, window_pairs
from weft.sampling.walks import WalkSampler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.graph import Graph

__all__ = ["PairPools"]

U64 = npt.NDArray[np.uint64]


class PairPools:
    """Pools of (earlier, later) pairs of nodes at most ``window`` steps apart in a walk.

    Walks start in proportion to the weighted out-degree, so that their first step is an edge drawn by weight:
    with ``length`` 1 the pairs are edges, as LINE takes them. This is the augmentation of GraphVite (Zhu, Xu,
    Qu, Tang, WWW 2019).

    Args:
        graph: with at least one edge; fastest in memory.
        row_N: uint32 ``[N]``, the table row of each node.
        length: steps of a walk.
        window: at least 1.
        walks: of one pool.
        seed: of the walks.
    """

    def __init__(
        self, graph: Graph, row_N: npt.NDArray[np.uint32], *, length: int, window: int, walks: int, seed: int
    ) -> None:
        self._sampler = WalkSampler.of(graph)
        degree_N = graph.degree()
        # Only a directed walk can reach a node without out-edges: the others came along an edge.
        self._sink_N = (degree_N == 0).astype(np.uint8) if graph.directed else None
        self._row_N, self._length, self._window, self._seed = row_N, length, window, seed
        self._walk_WL = np.empty((walks, length + 1), graph.indices.dtype)
        self._pair_B = np.empty(walks * pairs_per_walk(length, window), np.uint64)

    @property
    def capacity(self) -> int:
        """Pairs of a pool, none of whose walks gets stuck."""
        return len(self._pair_B)

    def draw(self, total: int) -> Iterator[U64]:
        """Pools of ``total`` pairs in all; each is overwritten by the next.

        Yields:
            uint64 ``[B]``, head row << 32 | tail row.
        """
        walks = pairs = 0
        while pairs < total:
            # Walks that got stuck gave fewer pairs: ask for as many as the average so far calls for.
            each = pairs / walks if walks else self.capacity / len(self._walk_WL)
            count = min(len(self._walk_WL), int((total - pairs) / each) + 1)
            walk_WL = self._sampler.walks(
                count, self._length, seed=self._seed, first=walks, out=self._walk_WL[:count]
            )
            pool = window_pairs(walk_WL, self._row_N, self._window, sink_N=self._sink_N, out=self._pair_B)
            pool = pool[: total - pairs]
            walks, pairs = walks + count, pairs + len(pool)
            yield pool
