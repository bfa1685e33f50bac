"""LightNE's matrix: the logarithms of a sampled form of the one that DeepWalk factors.

Qiu, Dhulipala, Tang, Peng, Wang, "LightNE: A lightweight graph processing system for network embedding",
SIGMOD 2021; Qiu et al., "NetSMF", WWW 2019. Shapes: N nodes, M places for entries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.config import show_bytes
from weft.embed.factor.edges import edge_chunks, reached
from weft.errors import BudgetError
from weft.kernels.csr import in_degrees
from weft.kernels.memory import zeros_huge
from weft.kernels.paths import UNIT, PathGraph, PathSampling, path_counts, path_room, path_rows
from weft.kernels.spmm import SparseRows
from weft.rng import Op, key
from weft.sampling.walks import edge_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from weft.graph import Graph

__all__ = ["ENTRY_BYTES", "Sampler", "choose_samples"]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

ENTRY_BYTES = 8
ENDS = 1 << 27  # ends of walks that are looked at where the user names no number of samples
MOST_SAMPLES = 1000
STRIP = 1 << 22  # places of the rows that are sampled by one call, at most
_STEPS = 8  # of walks to each of these places, at most: a call of a second can be interrupted
_PILOT = 512  # rows from which the number of entries is foretold


@dataclass(frozen=True, slots=True, eq=False)
class Sampler:
    """Draws the matrix.

    Attributes:
        graph: what is walked on.
        how: how paths are drawn.
        row_N: float64 ``[N]``, what turns units into ratios, by row.
        column_N: float64 ``[N]``, by column.
        walks_N: int64 ``[N]``, walks that begin at each node.
    """

    graph: PathGraph
    how: PathSampling
    row_N: F64
    column_N: F64
    walks_N: I64

    @classmethod
    def of(cls, graph: Graph, out_N: F64, *, window: int, samples: float | None, seed: int) -> Sampler:
        """Prepare to sample ``graph``.

        Args:
            graph: in memory, where walks are fast.
            out_N: float64 ``[N]``, the weights of the edges that leave a node, summed.
            window: steps of a walk.
            samples: walks over an edge, before down-sampling; None: :func:`choose_samples`.
            seed: of what is drawn.

        Raises:
            WeftValueError: the graph is damaged, or a row's weights are all 0.
        """
        alias = edge_table(graph)
        paths = PathGraph(
            indptr=graph.indptr,
            indices=np.asarray(graph.indices, np.uint32),
            out_degree=out_N,
            in_degree=in_degrees(graph.indices, graph.num_nodes, graph.weight)[1]
            if graph.directed
            else out_N,
            weight=graph.weight,
            alias=alias,
        )
        keep = max(1.0, math.log(max(1, graph.num_nodes)))
        how = PathSampling(samples=1, keep=keep, window=window, key=key(seed, Op.PATH))
        chosen = choose_samples(paths, how) if samples is None else samples
        how = replace(how, samples=chosen)
        row_N, column_N = _scales(graph, out_N, window)
        return cls(paths, how, row_N / (chosen * window * UNIT), column_N, path_counts(paths, how))

    @property
    def room_N(self) -> I64:
        """Entries that each row can have at most."""
        return path_room(self.graph, self.how, self.walks_N)

    @property
    def work_N(self) -> I64:
        """What sampling each row costs: its room, or more where many walks share it."""
        return np.maximum(self.room_N, self.walks_N * self.how.window // _STEPS)

    def foretell(self) -> int:
        """About how many entries the matrix will have, from sampled rows.

        Rows are put in order by the room they could take; every one of many equal shares of that room is
        judged by the row in its middle.
        """
        room_N = self.room_N
        order = np.argsort(room_N, kind="stable")
        until = np.cumsum(room_N[order])
        if not len(until) or until[-1] == 0:
            return 0
        places = (np.arange(_PILOT) + 0.5) / _PILOT * until[-1]
        rows, times = np.unique(order[np.searchsorted(until, places)], return_counts=True)
        out = (np.empty(int(room_N.max()), np.uint32), np.empty(int(room_N.max()), np.float32))
        share = sum(
            count * self.rows(row, row + 1, out)[1] / room_N[row]
            for row, count in zip(rows.tolist(), times.tolist(), strict=True)
        )
        return math.ceil(until[-1] * share / _PILOT)

    def draw(self, most: int, step: Callable[[], None]) -> SparseRows:
        """The matrix: logarithms of the ratios above 1.

        Args:
            most: entries there is memory for.
            step: called after each strip of rows.

        Raises:
            BudgetError: there are more entries.
        """
        nodes, strips = len(self.walks_N), self.strips()
        indptr = np.zeros(nodes + 1, np.int64)
        room_N = self.room_N
        # Address space for the worst case; pages that nothing is written to take no memory.
        room = min(int(room_N.sum()), most + max((int(room_N[a:b].sum()) for a, b in strips), default=0))
        columns = zeros_huge(room, np.uint32).view(np.uint32)
        values = zeros_huge(room, np.float32).view(np.float32)
        used = 0
        for begin, end in strips:
            degree, count = self.rows(begin, end, (columns[used:], values[used:]))
            np.cumsum(degree, out=indptr[begin + 1 : end + 1])
            indptr[begin + 1 : end + 1] += used
            used += count
            if used > most:
                raise BudgetError(
                    f"embed: the matrix has more than the {most:,} entries "
                    f"({show_bytes(most * ENTRY_BYTES)}) that memory allows, {used:,} after {end:,} of "
                    f"{nodes:,} rows; give more memory or fewer samples than {self.how.samples:g}"
                )
            step()
        np.log(values[:used], out=values[:used])
        return SparseRows(indptr, columns[:used], values[:used], nodes)

    def strips(self) -> list[tuple[int, int]]:
        """Rows that are sampled by one call."""
        until = np.cumsum(self.work_N)
        strips, begin, nodes = list[tuple[int, int]](), 0, len(until)
        while begin < nodes:
            done = int(until[begin - 1]) if begin else 0
            end = max(begin + 1, int(np.searchsorted(until, done + STRIP, "right")))
            strips.append((begin, end))
            begin = end
        return strips

    def rows(
        self, begin: int, end: int, out: tuple[npt.NDArray[np.uint32], npt.NDArray[np.float32]]
    ) -> tuple[I64, int]:
        """Some rows, their ratios not yet turned into logarithms, as :func:`path_rows` gives them."""
        return path_rows(self.graph, self.how, begin, self.walks_N[begin:end], self.row_N, self.column_N, out)


def choose_samples(graph: PathGraph, how: PathSampling) -> float:
    """Walks over an edge such that 128 million of their ends are looked at, at least 1 and at most 1000."""
    walks = int(path_counts(graph, replace(how, samples=1, window=2)).sum())
    # With fewer than 4 walks and a window of 2**16, the kernel could not count their ends.
    return float(min(MOST_SAMPLES, max(1.0, ENDS / (max(4, walks) * how.window))))


def _scales(graph: Graph, out_N: F64, window: int) -> tuple[F64, F64]:
    """What turns the sum of a row's transition probabilities into their ratio to independence.

    With ``Z = (1/T) sum_r D P^r`` over r = 1 .. T, entry (u, v) is ``sum(Z) Z_uv / (h_u c_v)``, where h and
    c are the sums of Z's rows and columns. Without direction both are the degrees, which makes it NetMF's
    matrix.
    """
    if not graph.directed:
        with np.errstate(divide="ignore"):  # by np.where, here and below
            column_N = np.where(out_N > 0, out_N.sum() / out_N, 0)
        return np.ones_like(out_N), column_N
    head_N, tail_N = _marginals(graph, out_N, window)
    with np.errstate(divide="ignore", invalid="ignore"):
        row_N = np.where(head_N > 0, out_N / head_N, 0)
        column_N = np.where(tail_N > 0, head_N.sum() / tail_N, 0)
    return row_N, column_N


def _marginals(graph: Graph, out_N: F64, window: int) -> tuple[F64, F64]:
    """Sums of the rows and columns of Z, a step of all walks at a time."""
    share_N = np.divide(1, out_N, out=np.zeros_like(out_N), where=out_N > 0)
    alive_N, at_N = np.ones_like(out_N), out_N
    head_N, tail_N = np.zeros((2, graph.num_nodes))
    for _ in range(window):
        went_N = reached(graph, share_N * at_N)
        lives_N = np.zeros_like(out_N)
        for chunk in edge_chunks(graph):
            lives_N += np.bincount(chunk.source, chunk.weight * alive_N[chunk.target], graph.num_nodes)
        alive_N, at_N = lives_N * share_N, went_N
        head_N += out_N * alive_N / window
        tail_N += at_N / window
    return head_N, tail_N
