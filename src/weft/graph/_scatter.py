"""The second pass of an import: nodes into blocks, blocks into buckets, buckets onto a shelf.

Shapes: B edges of a chunk, K buckets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from weft.kernels import memory
from weft.kernels.csr import Buckets, Run, scatter_edges

if TYPE_CHECKING:
    from weft.graph._numbering import Numbering
    from weft.graph._plan import Plan
    from weft.graph._shelf import Shelf

__all__ = ["Ends", "Rules", "Scatter"]

Array = npt.NDArray[Any]
Ends = tuple[Array, Array, Array | None]
_HUGE = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What becomes of the edges."""

    directed: bool = False
    duplicates: Literal["keep", "drop", "sum"] = "drop"
    self_loops: Literal["keep", "drop"] = "keep"
    num_nodes: int | None = None


class Scatter:
    """Fills blocks with nodes; full blocks are scattered and put on the shelf."""

    def __init__(self, shelf: Shelf, buckets: Buckets, rules: Rules, plan: Plan, weighted: bool) -> None:
        self.shelf, self.buckets, self.weighted = shelf, buckets, weighted
        self.offsets: list[npt.NDArray[np.int64]] = []
        self._rules, self._block, self._used = rules, plan.block, 0
        self._src = np.empty(plan.block, buckets.index_dtype)
        self._dst = np.empty(plan.block, buckets.index_dtype)
        self._weight = np.empty(plan.block, np.float32) if weighted else None
        self._reused: tuple[Array, Array | None] | None = None
        self._loops, self._distinct, self._looped = 0, 0, np.zeros(0, np.bool_)

    def add(self, ends: Ends, numberings: tuple[Numbering, Numbering], edge: int, name: str) -> None:
        """Place a chunk's ids, by the numbering of each end; ``edge`` edges came before."""
        src, dst, weight = ends
        of_src, of_dst = numberings
        at = 0
        while at < len(src):
            step = min(len(src) - at, self._block - self._used)
            here = slice(self._used, self._used + step)
            of_src.place(src[at : at + step], self._src[here], edge + at, name)
            of_dst.place(dst[at : at + step], self._dst[here], edge + at, name)
            if self._weight is not None and weight is not None:
                self._weight[here] = weight[at : at + step]
            at, self._used = at + step, self._used + step
            if self._used == self._block:
                self.flush()

    def flush(self) -> None:
        """Scatter what the block holds."""
        used, self._used = self._used, 0
        if used == 0:
            return
        both = not self._rules.directed
        places = used * (1 + both)
        keep = self.shelf.fits(places * (12 if self.weighted else 8))
        run = scatter_edges(
            self._src[:used],
            self._dst[:used],
            None if self._weight is None else self._weight[:used],
            self.buckets,
            both_ways=both,
            drop_loops=self._rules.self_loops == "drop",
            out=self._room(places, keep),
        )
        self.offsets.append(run.offsets)
        self._count_loops(used, int(run.offsets[-1]))
        self.shelf.put(*((run.keys,) if run.weight is None else (run.keys, run.weight)), keep=keep)

    def _count_loops(self, used: int, places: int) -> None:
        """A loop takes fewer places than another edge; without one, a block costs nothing here."""
        dropped = self._rules.self_loops == "drop"
        both = not self._rules.directed
        loops = ((1 + both) * used - places) // (2 if both and dropped else 1)
        self._loops += loops
        if loops and not dropped:
            src = self._src[:used]
            if not len(self._looped):
                self._looped = np.zeros(self.buckets.num_nodes, np.bool_)
            self._looped[src[src == self._dst[:used]]] = True

    def lost(self, stored: int) -> tuple[int, int]:
        """Edges given that are not among the ``stored`` arcs: duplicates of others, and self-loops.

        An undirected edge has two arcs, a loop one, so the loops that were given twice count double.
        """
        gone = int(self.sizes().sum()) - stored
        if self._rules.self_loops == "drop":
            return (gone if self._rules.directed else gone // 2), self._loops
        if self._rules.directed:
            return gone, 0
        twice = self._loops - self._distinct if self._rules.duplicates != "keep" else 0
        return (gone + twice) // 2, 0

    def _room(self, places: int, keep: bool) -> tuple[Array, Array | None]:
        """Where to scatter to: what goes to disk leaves its place free for the next block."""
        if not keep and self._reused is not None and len(self._reused[0]) >= places:
            return self._reused
        room = _buffer(places, np.uint64), _buffer(places, np.float32) if self.weighted else None
        if not keep:
            self._reused = room
        return room

    def release(self) -> None:
        """Free the block."""
        self._src = self._dst = np.empty(0, self.buckets.index_dtype)
        self._weight, self._reused = None, None
        self._distinct, self._looped = int(np.count_nonzero(self._looped)), np.zeros(0, np.bool_)

    def sizes(self) -> npt.NDArray[np.int64]:
        """Edges of each bucket; int64 ``[K]``."""
        total = np.zeros(self.buckets.count, np.int64)
        for offsets in self.offsets:
            total += np.diff(offsets)
        return total

    def largest(self) -> int:
        """Edges of the largest bucket."""
        return int(self.sizes().max(initial=0))

    def load(self, begin: int, end: int) -> list[Run]:
        """The buckets ``begin .. end-1`` of every block."""
        runs = []
        for entry, offsets in enumerate(self.offsets):
            first, last = int(offsets[begin]), int(offsets[end])
            keys = self.shelf.get(entry, 0, first, last)
            weight = self.shelf.get(entry, 1, first, last) if self.weighted else None
            runs.append(Run(keys, weight, offsets[begin : end + 1]))
        return runs


def _buffer(size: int, dtype: npt.DTypeLike) -> Array:
    if size * np.dtype(dtype).itemsize < _HUGE:
        return np.empty(size, dtype)
    return memory.zeros_huge(size, dtype)
