"""Tables on disk, trained a strip and a panel at a time. See :mod:`weft.embed.swap.schedule` for the picture.

Shapes: N nodes, D floats in a row of the tables, P parts of R rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.embed.start import at_once
from weft.embed.swap.mapped import mapped
from weft.embed.swap.reorder import Reorder
from weft.embed.swap.window import Window
from weft.embed.tables import Losses
from weft.kernels.memory import drop_pages

if TYPE_CHECKING:
    from weft.embed.placement import Placement
    from weft.embed.plan import Plan
    from weft.embed.start import Start
    from weft.embed.swap.pairs import DiskBatches
    from weft.embed.swap.scratch import Scratch
    from weft.embed.tables import Objective, Rate
    from weft.graph.format import DirectoryReader, DirectoryWriter
    from weft.sampling.pairs import PairPool

__all__ = ["SwappedTables"]

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

_NOBODY = (1 << 32) - 1  # no node has this number: there are fewer than 2^32 rows


class SwappedTables:
    """Both tables and the pairs of a pool on disk; a panel of one and three strips of the other in memory.

    Args:
        plan: sizes of the run.
        placement: of the nodes.
        batches: where pairs come from.
        scratch: where the tables are; their room is taken at once.
        dim: of the vectors.
        objective: what to train for.

    Raises:
        StorageError: there is not that much room.
    """

    def __init__(
        self,
        plan: Plan,
        placement: Placement,
        batches: DiskBatches,
        scratch: Scratch,
        *,
        dim: int,
        objective: Objective,
    ) -> None:
        assert plan.swap is not None
        self._plan, self._placement, self._dim, self._objective = plan, placement, dim, objective
        self._grid, self._scratch = plan.swap.grid, scratch
        rows, width, grid = plan.parts * plan.rows, plan.width, plan.swap.grid
        self._vertex = Window(
            scratch,
            "vertex rows",
            rows=rows,
            slot=grid.strip * plan.rows,
            width=width,
            buffers=grid.buffers,
        )
        self._context = Window(
            scratch, "context rows", rows=rows, slot=grid.panel * plan.rows, width=width, buffers=1
        )
        self._batches = batches

    def begin(self, start: Start) -> None:
        """As in :class:`weft.embed.tables.Tables`."""
        rows = self._plan.parts * self._plan.rows
        vertex, context = (Reorder(self._scratch, rows, self._dim) for _ in range(2))
        chunk = at_once(self._dim)
        for first in range(0, self._plan.nodes, chunk):
            row_B = self._placement.row_N[first : first + chunk]
            vertex_BD, context_BD = start.vectors(first, len(row_B))
            vertex.put(row_B, vertex_BD)
            there = context_BD.any(axis=1)
            if there.any():
                context.put(row_B[there], context_BD[there])
        for window, vectors in ((self._vertex, vertex), (self._context, context)):
            window.fill(lambda _, rows_BD, vectors=vectors: vectors.take(rows_BD[:, : self._dim]))
            vectors.close()

    def train(self, pool: PairPool, first: int, rate: Rate) -> tuple[int, float]:
        """As in :class:`weft.embed.tables.Tables`."""
        losses = Losses(self._plan.parts)
        for batch in self._batches.of(pool, first):
            strip = batch.heads.start // self._grid.strip
            context_RD = self._context.hold(batch.tails.start // self._grid.panel)
            vertex_RD = self._vertex.hold(strip)
            self._vertex.prefetch((strip + 1) % self._vertex.slots)
            # A batch may begin inside of a strip.
            vertex_RD = vertex_RD[batch.heads.start * self._plan.rows - strip * self._vertex.slot :]
            losses.train(vertex_RD, context_RD, batch, self._placement, self._objective, rate)
        return losses.pairs, losses.sum

    def move(self, placement: Placement) -> None:
        """As in :class:`weft.embed.tables.Tables`: rows on disk stay where they are."""
        assert placement is self._placement

    def vectors(self, nodes: I64) -> tuple[F32, F32]:
        """As in :class:`weft.embed.tables.Tables`; both tables are read where they hold one of ``nodes``."""
        return self._some(self._vertex, nodes), self._some(self._context, nodes)

    def finish(self) -> tuple[F32, F32]:
        """As in :class:`weft.embed.tables.Tables`; the vectors lie in files without names, mapped."""
        self._batches.close()
        del self._batches
        for window in (self._vertex, self._context):
            window.release()
        node_R = np.full(self._plan.parts * self._plan.rows, _NOBODY, np.uint32)
        node_R[self._placement.row_N] = np.arange(self._plan.nodes, dtype=np.uint32)
        return self._in_graph_order(self._vertex, node_R), self._in_graph_order(self._context, node_R)

    def save(self, writer: DirectoryWriter) -> None:
        """As in :class:`weft.embed.tables.Tables`."""
        for name, window in (("vertex", self._vertex), ("context", self._context)):
            array = writer.array(name, np.float32, (self._plan.parts * self._plan.rows, self._plan.width))
            for _, rows_BD in window.scan():
                array.write(rows_BD)

    def load(self, reader: DirectoryReader) -> None:
        """As in :class:`weft.embed.tables.Tables`."""
        shape = (self._plan.parts * self._plan.rows, self._plan.width)
        for name, window in (("vertex", self._vertex), ("context", self._context)):
            saved_RD = reader.get(name, np.float32, shape)

            def copy(first: int, rows_BD: F32, saved_RD: F32 = saved_RD) -> None:
                rows_BD[:] = saved_RD[first : first + len(rows_BD)]
                drop_pages(saved_RD)

            window.fill(copy)

    def _some(self, window: Window, nodes: I64) -> F32:
        row_M = self._placement.row_N[nodes].astype(np.int64)
        out_MD = np.zeros((len(nodes), self._dim), np.float32)
        sorted_M = np.sort(row_M)

        def wanted(first: int, count: int) -> bool:
            begin, end = np.searchsorted(sorted_M, [first, first + count])
            return bool(begin < end)

        for first, rows_BD in window.scan(wanted):
            here = np.flatnonzero((row_M >= first) & (row_M < first + len(rows_BD)))
            out_MD[here] = rows_BD[row_M[here] - first, : self._dim]
        return out_MD

    def _in_graph_order(self, window: Window, node_R: npt.NDArray[np.uint32]) -> F32:
        vectors = Reorder(self._scratch, self._plan.nodes, self._dim)
        for first, rows_BD in window.scan():
            node_B = node_R[first : first + len(rows_BD)]
            used = node_B != _NOBODY
            vectors.put(node_B[used], rows_BD[used, : self._dim])
        window.close()
        out_ND = mapped(self._scratch, (self._plan.nodes, self._dim), vectors.take)
        vectors.close()
        return out_ND
