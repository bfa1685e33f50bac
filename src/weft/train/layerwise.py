"""A model over a whole graph, layer by layer: from one file into the next, within a memory.

Shapes: N nodes, M nodes and S edges of a batch, B nodes whose rows are made.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import torch

from weft.config import show_bytes
from weft.errors import BudgetError
from weft.graph.format import ArrayWriter
from weft.progress import bar
from weft.sampling import NeighborSampler
from weft.train.inputs import Features, as_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from weft.features import FeatureTable, Ticket
    from weft.graph import Graph
    from weft.graph.format import DirectoryWriter
    from weft.nn import Batched
    from weft.progress import Shown
    from weft.train.store import Trained

__all__ = ["Layers", "PlainLayers", "batches", "rows_of"]

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Rows = dict[str, npt.NDArray[Any]]

_NODES = 1 << 14  # of a batch: more make it no faster
_AHEAD = 2  # batches whose rows are in memory at once
_KNOWN = 16  # batches announced: a cache with the rows of two would do little, and edges take memory too


class Layers:
    """Where the rows of each layer go, and how large batches may be.

    Args:
        writer: of the directory of predictions.
        trained: the model.
        nodes: whose rows are made, in all layers together.
        progress: draw a bar.
    """

    def __init__(self, writer: DirectoryWriter, trained: Trained, nodes: int, *, progress: Shown) -> None:
        self._writer, self._trained = writer, trained
        self._last = trained.settings.layers - 1
        self._bar = bar(progress, total=nodes, unit=" nodes", unit_scale=True, desc="predict")
        self.width = trained.out if trained.targets is None or self._last == 0 else trained.settings.hidden
        """Columns of the vectors."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def run(self, memory: int) -> F32:
        """All layers within so many bytes; the rows of the last, mapped.

        Raises:
            BudgetError: the neighbours of one node alone do not fit.
        """
        raise NotImplementedError

    def _made(self, i: int) -> int:
        """Columns of a layer."""
        return self._trained.out if i == self._last else self._trained.settings.hidden

    @staticmethod
    def _edges(memory: int, columns: int, largest: int) -> int:
        """Edges of a batch; ``largest`` is the most that a node has."""
        # Half for the cache, half for batches: rows as read, as float32, messages, what comes of them.
        edges = memory // 2 // (_AHEAD * 3 * 4 * columns)
        if edges < largest:
            raise BudgetError(
                f"predict: a node has {largest:,} neighbours, and within "
                f"{show_bytes(memory)} there is room for {edges:,} at a time; give more memory"
            )
        return edges

    def _file(self, i: int, nodes: int, other: str = "") -> tuple[Callable[[F32], None], Callable[[], Path]]:
        """Where the rows of a layer go: of nodes that are told, or of ``other`` ones."""
        last, told = self._last, self._trained.targets is not None
        shape = (nodes, self._made(i))
        if other or i < last - 1 or (i < last and not told):
            path = self._writer.temporary / f"layer{i}{other}.npy"
            scratch = ArrayWriter(path, np.float32, shape)

            def close() -> Path:
                scratch.close()
                return path

            return scratch.write, close
        name = "embedding" if i == last - 1 or last == 0 or not told else "output"
        return self._writer.array(name, np.float32, shape).write, lambda: self._writer.close_array(name)


class PlainLayers(Layers):
    """Those of a graph of one type.

    Args:
        writer: see :class:`Layers`.
        trained: see :class:`Layers`.
        net: the model.
        graph: turned round.
        features: of its nodes.
        hotness: int64 ``[N]``, how often a node's row is asked for in each layer.
        progress: see :class:`Layers`.
    """

    def __init__(
        self,
        writer: DirectoryWriter,
        trained: Trained,
        net: Batched,
        graph: Graph,
        features: Features,
        hotness: I64,
        *,
        progress: Shown,
    ) -> None:
        super().__init__(writer, trained, graph.num_nodes * net.layers, progress=progress)
        self._net, self._graph, self._rows, self._hotness = net, graph, features, hotness
        self._sampler = NeighborSampler.of(graph, [-1], weighted=False, direction="out")

    def run(self, memory: int) -> F32:
        """As :meth:`Layers.run`."""
        largest = int(self._graph.degree().max(initial=0))
        path = Path()
        for i in range(self._last + 1):
            edges = self._edges(memory, self._rows.shape[1] + self._made(i), largest)
            table, ours = self._rows.open(memory // 2, self._hotness)
            before = path
            try:
                path = self._layer(i, table, edges, clean=self._rows.broken > 0)
            finally:
                if ours:
                    table.close()
            if before.name.startswith("layer"):
                before.unlink()
            self._rows = rows_of(path, (self._graph.num_nodes, self._made(i)))
        return np.load(path, mmap_mode="r")

    def _layer(self, i: int, table: FeatureTable, edges: int, *, clean: bool) -> Path:
        write, close = self._file(i, self._graph.num_nodes)

        def draw(begin: int, end: int) -> tuple[dict[str, I64], Any]:
            found = self._sampler.sample(np.arange(begin, end), seed=0)
            return {"": found.n_id}, found

        with torch.no_grad():
            for seeds, found, rows in batches(draw, {"": table}, self._graph.indptr, edges):
                out_BO = self._net.layer(
                    i,
                    as_input(torch.from_numpy(rows[""]), clean=clean),
                    torch.from_numpy(found.n_id),
                    torch.from_numpy(found.edge_index),
                    torch.from_numpy(found.e_id),
                    seeds,
                )
                write(out_BO.numpy())
                self._bar.update(seeds)
        return close()


def rows_of(path: Path, shape: tuple[int, int]) -> Features:
    """The rows of a layer, in a file."""
    return Features(
        given=path,
        shape=shape,
        dtype=np.dtype(np.float32),
        nbytes=4 * shape[0] * shape[1],
        path=path,
        broken=0,
        digest="",
    )


def batches(
    draw: Callable[[int, int], tuple[dict[str, I64], Any]],
    tables: Mapping[str, FeatureTable],
    indptr: I64,
    edges: int,
) -> Iterator[tuple[int, Any, Rows]]:
    """Nodes in their order, with all neighbours: how many, what was found, and the rows of that.

    Args:
        draw: of nodes ``begin .. end-1``, the nodes of each type that were found, seeds first, and the rest.
        tables: of each type.
        indptr: int64 ``[N+1]``, where each node's edges begin.
        edges: at most so many in a batch, unless one node has more.
    """
    # Those drawn and announced to tables that want to know; of these, those whose rows are on their way.
    drawn: deque[tuple[int, dict[str, I64], Any]] = deque()
    reading: deque[tuple[int, Any, dict[str, Ticket]]] = deque()
    known: dict[str, Any] = {name: t for name, t in tables.items() if getattr(t, "window", 0) > 0}
    ahead = max(1, min([_KNOWN, *(table.window for table in known.values())])) if known else 1
    bounds = _ranges(indptr, edges)
    while True:
        while len(drawn) < ahead and (some := next(bounds, None)) is not None:
            n_id, found = draw(*some)
            for name, table in known.items():
                table.expect(n_id[name])
            drawn.append((some[1] - some[0], n_id, found))
        if drawn:
            seeds, n_id, found = drawn.popleft()
            reading.append((seeds, found, {name: t.submit(n_id[name]) for name, t in tables.items()}))
        if len(reading) == _AHEAD or (reading and not drawn):
            seeds, found, tickets = reading.popleft()
            yield seeds, found, {name: ticket.wait() for name, ticket in tickets.items()}
        elif not reading:
            return


def _ranges(indptr: I64, edges: int) -> Iterator[tuple[int, int]]:
    """Nodes one after the other, so many that their edges are at most ``edges``; at least one."""
    begin, nodes = 0, len(indptr) - 1
    while begin < nodes:
        fits = int(np.searchsorted(indptr, indptr[begin] + edges, side="right")) - 1
        end = min(nodes, begin + _NODES, max(begin + 1, fits))
        yield begin, end
        begin = end
