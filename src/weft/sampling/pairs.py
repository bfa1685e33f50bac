"""Training pairs drawn from walks, in pools that are found by their number.

Shapes: N nodes, W walks of L steps, B pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.kernels.pairs import block_pairs, pairs_per_walk, window_pairs
from weft.sampling.walks import WalkSampler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weft.graph import Graph

__all__ = ["PairPool", "PairPools", "walks_at_once"]

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

_PAIRS = 1 << 20  # made at a time: a few milliseconds of work for every thread, in 8 MiB


def walks_at_once(walks: int, length: int, window: int) -> int:
    """How many of a pool's ``walks`` are drawn at a time."""
    return max(1, min(walks, _PAIRS // pairs_per_walk(length, window)))


class PairPools:
    """Pools of (earlier, later) pairs of nodes at most ``window`` steps apart in a walk.

    Pool k holds the pairs of the walks ``k * W .. (k + 1) * W``, in the order of the walks. It depends on the
    graph, the seed and k alone, so a run that stopped goes on with the number of its next pool.

    Walks start in proportion to the weighted out-degree, so that their first step is an edge drawn by weight:
    with ``length`` 1 the pairs are edges, as LINE takes them. This is the augmentation of GraphVite (Zhu, Xu,
    Qu, Tang, WWW 2019).

    Args:
        graph: with at least one edge; fastest in memory.
        row_N: uint32 ``[N]``, the table row of each node.
        length: steps of a walk.
        window: at least 1.
        walks: W, of one pool.
        seed: of the walks.
        p: of node2vec: going back weighs 1/p.
        q: of node2vec: going on to where the node before has no edge to weighs 1/q. With both 1, steps are of
            first order.
    """

    def __init__(
        self,
        graph: Graph,
        row_N: npt.NDArray[np.uint32],
        *,
        length: int,
        window: int,
        walks: int,
        seed: int,
        p: float = 1.0,
        q: float = 1.0,
    ) -> None:
        self._sampler = WalkSampler.of(graph, p=p, q=q)
        degree_N = graph.degree()
        # Only a directed walk can reach a node without out-edges: the others came along an edge.
        self._sink_N = (degree_N == 0).astype(np.uint8) if graph.directed else None
        self._row_N, self._window, self._seed = row_N, window, seed
        self.length = length
        """L."""
        self.walks = walks
        """W."""
        self.capacity = walks * pairs_per_walk(length, window)
        """Pairs of a pool, none of whose walks gets stuck."""
        self.chunk = walks_at_once(walks, length, window)
        """Walks drawn at a time."""
        self._walk_WL = np.empty((self.chunk, length + 1), graph.indices.dtype)

    def place(self, row_N: npt.NDArray[np.uint32]) -> None:
        """From now on nodes stand in other rows."""
        self._row_N = row_N

    def pool(self, number: int, most: int) -> PairPool:
        """The pool ``number``, or its first ``most`` pairs. Nothing is drawn yet.

        All pools draw their walks into one buffer: read from one at a time.
        """
        return PairPool(self, number * self.walks, min(most, self.capacity))

    def walk(self, first: int, count: int, out: npt.NDArray[np.uint32]) -> None:
        """Draw ``count`` walks from the walk ``first`` on into ``out``, uint32 ``[count, L+1]``."""
        for begin in range(0, count, self.chunk):
            some = min(self.chunk, count - begin)
            out[begin : begin + some] = self._draw(first + begin, some)

    def _draw(self, first: int, count: int) -> npt.NDArray[Any]:
        return self._sampler.walks(
            count, self.length, seed=self._seed, first=first, out=self._walk_WL[:count]
        )

    def blocks(
        self, walk_WL: npt.NDArray[np.uint32], rows: int, parts: int, most: int, out: U64
    ) -> tuple[U64, I64]:
        """The pairs of walks in blocks, see :func:`weft.kernels.pairs.block_pairs`."""
        return block_pairs(
            walk_WL, self._row_N, self._window, rows, parts, most=most, sink_N=self._sink_N, out=out
        )

    def write(self, first: int, count: int, out: U64) -> U64:
        """The pairs of ``count`` walks, at most :attr:`chunk`, from the walk ``first`` on.

        Args:
            first: number of a walk.
            count: of walks.
            out: uint64, with room for walks that do not get stuck; returned as far as it is filled.
        """
        return window_pairs(self._draw(first, count), self._row_N, self._window, sink_N=self._sink_N, out=out)


@dataclass(frozen=True, slots=True)
class PairPool:
    """The pairs of one pool, made when they are read: whole by :meth:`fill` or by and by by :meth:`chunks`.

    Walks that get stuck give fewer pairs, so how many there are is known at the end.

    Attributes:
        source: where its walks come from.
        first: number of its first walk.
        most: it ends after so many pairs.
    """

    source: PairPools
    first: int
    most: int

    def blocks(self, rows: int, parts: int, walk_WL: npt.NDArray[np.uint32], out: U64) -> tuple[U64, I64]:
        """All pairs, sorted into blocks.

        Args:
            rows: rows of a part.
            parts: P.
            walk_WL: uint32 ``[W, L+1]``: overwritten.
            out: uint64, at least ``source.capacity``; returned as far as it is filled.

        Returns:
            uint64 ``[B]``, head row << 32 | tail row, sorted by part of the head, part of the tail, and head;
            and int64 ``[P*P+1]``, where the pairs of each block begin.
        """
        source = self.source
        # As many walks as would do if none got stuck, and the rest if some did.
        count = min(source.walks, -(-self.most * source.walks // source.capacity))
        source.walk(self.first, count, walk_WL[:count])
        pair_B, offset = source.blocks(walk_WL[:count], rows, parts, self.most, out)
        if len(pair_B) < self.most and count < source.walks:
            source.walk(self.first + count, source.walks - count, walk_WL[count:])
            pair_B, offset = source.blocks(walk_WL, rows, parts, self.most, out)
        return pair_B, offset

    def block_chunks(self, rows: int, parts: int, out: U64) -> Iterator[tuple[U64, I64]]:
        """All pairs in order, in chunks that are each sorted into blocks.

        Args:
            rows: rows of a part.
            parts: P.
            out: uint64, at least as large as the pairs of one walk; as many walks are taken at a time as fit.

        Yields:
            As :meth:`blocks`, of some walks after another; overwritten by the next.
        """
        source, left = self.source, self.most
        count = min(source.walks, len(out) * source.walks // source.capacity)
        walk_WL = np.empty((count, source.length + 1), np.uint32)
        for begin in range(0, source.walks, count):
            if left <= 0:
                break
            some = walk_WL[: source.walks - begin]
            source.walk(self.first + begin, len(some), some)
            pair_B, offset = source.blocks(some, rows, parts, left, out)
            left -= len(pair_B)
            yield pair_B, offset

    def fill(self, out: U64) -> U64:
        """All pairs in order.

        Args:
            out: uint64, at least ``source.capacity``; returned as far as it is filled.

        Returns:
            uint64 ``[B]``, head row << 32 | tail row.
        """
        filled = 0
        for begin in self._begins():
            if filled >= self.most:
                break
            filled += len(self.source.write(*self._walks(begin), out[filled:]))
        return out[: min(filled, self.most)]

    def chunks(self) -> Iterator[U64]:
        """All pairs in order, piece by piece; each piece is overwritten by the next.

        Yields:
            uint64 ``[B]``, head row << 32 | tail row.
        """
        source, left = self.source, self.most
        out = np.empty(source.chunk * (source.capacity // source.walks), np.uint64)
        for begin in self._begins():
            if left <= 0:
                break
            pair_B = source.write(*self._walks(begin), out)[:left]
            left -= len(pair_B)
            yield pair_B

    def _begins(self) -> range:
        return range(0, self.source.walks, self.source.chunk)

    def _walks(self, begin: int) -> tuple[int, int]:
        """Number of the first and count of the walks drawn at ``begin``."""
        return self.first + begin, min(self.source.chunk, self.source.walks - begin)
