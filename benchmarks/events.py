"""A stream of events, and what NumPy makes of it: a CSR of each node's events by time.

Shapes: E events, N nodes, D directed edges (two an event), R roots, S edges drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PER_NODE", "SCALE", "SEED", "TCSR", "Edges", "Stream", "batches_of", "rmat_events", "roots"]

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
SCALE, PER_NODE, SEED = 16, 64, 1


class Stream(NamedTuple):
    """Events: source and target uint32, time int64, all ``[E]``."""

    source: U32
    target: U32
    time: I64


class Edges(NamedTuple):
    """What a temporal sampler gives, as TGL's: all ``[S]``.

    Attributes:
        row: number of the root.
        node: at the other end.
        eid: id of the event.
        since: from the event to the time of the root.
    """

    row: I64
    node: npt.NDArray[np.integer]
    eid: I64
    since: I64


def rmat_events(scale: int = SCALE, per_node: int = PER_NODE, late: float = 0.0) -> Stream:
    """R-MAT edges, ids shuffled; the time is the order, but for a share that comes up to 10,000 late."""
    from weft.kernels.rmat import rmat_edges
    from weft.rng import Op, key

    src, dst = rmat_edges(scale, per_node << scale, key(SEED, Op.RMAT))
    rng = np.random.default_rng(SEED)
    shuffled = rng.permutation(1 << scale).astype(np.uint32)
    time = np.arange(len(src))
    if late:
        time -= np.where(rng.random(len(src)) < late, rng.integers(0, 10_000, len(src)), 0)
    return Stream(shuffled[src], shuffled[dst], time)


def batches_of(stream: Stream, size: int) -> Iterator[Stream]:
    """The stream a batch at a time."""
    for begin in range(0, len(stream.time), size):
        here = slice(begin, begin + size)
        yield Stream(stream.source[here], stream.target[here], stream.time[here])


def roots(
    stream: Stream, where: Literal["head", "spread"], count: int, batches: int, nodes: int
) -> list[tuple[U32, I64]]:
    """Batches of so many events as three roots each: source, target and a random node, at the event's time.

    Args:
        stream: the events.
        where: ``head``: events that follow each other, out of the last 5 %; ``spread``: any of the
            second half.
        count: events of a batch.
        batches: how many.
        nodes: that a random one is drawn from.
    """
    rng = np.random.default_rng(SEED)
    made: list[tuple[U32, I64]] = []
    size = len(stream.time)
    for _ in range(batches):
        if where == "head":
            at = rng.integers(size - size // 20, size - count) + np.arange(count)
        else:
            at = rng.integers(size // 2, size, count)
        negative = rng.integers(0, nodes, count).astype(np.uint32)
        node = np.concatenate([stream.source[at], stream.target[at], negative])
        made.append((node, np.tile(stream.time[at], 3)))
    return made


@dataclass(frozen=True, slots=True, eq=False)
class TCSR:
    """Events of each node by time, in both directions: ``indptr [N + 1]``, the others ``[D]``.

    It is built whole; whoever adds events builds it again.
    """

    indptr: I64
    node: U32
    time: I64
    eid: I64
    key: npt.NDArray[np.uint64]
    """Node and time in one number, by which NumPy's search finds a moment."""

    @staticmethod
    def build(stream: Stream, nodes: int) -> TCSR:
        """By one ``lexsort``."""
        eid = np.arange(len(stream.time))
        loop = stream.source == stream.target  # is listed once
        row = np.concatenate([stream.source, stream.target[~loop]])
        other = np.concatenate([stream.target, stream.source[~loop]])
        time, eid = np.concatenate([stream.time, stream.time[~loop]]), np.concatenate([eid, eid[~loop]])
        order = np.lexsort((eid, time, row))
        indptr = np.zeros(nodes + 1, np.int64)
        np.cumsum(np.bincount(row, minlength=nodes), out=indptr[1:])
        time = time[order]
        return TCSR(indptr, other[order], time, eid[order], _key(row[order], time))

    @property
    def nbytes(self) -> int:
        """Bytes of the rows, ids taken as 32 bits wide; without the key."""
        return self.indptr.nbytes + len(self.node) * (4 + 8 + 4)

    def sample(
        self, root: U32, at: I64, fanout: int, how: str, rng: np.random.Generator
    ) -> tuple[Edges, I64]:
        """Events before the times of the roots, the newest or any; and the times of these events.

        Of a root with more than ``fanout`` the uniform ones are drawn with replacement.
        """
        begin = self.indptr[root]
        found = np.searchsorted(self.key, _key(root, at)) - begin
        count = np.minimum(found, fanout)
        row = np.repeat(np.arange(len(root)), count)
        place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        if how == "uniform":
            more = (found > fanout)[row]
            place = np.where(more, (rng.random(len(row)) * found[row]).astype(np.int64), place)
        place = (begin + found)[row] - 1 - place
        time = self.time[place]
        return Edges(row, self.node[place], self.eid[place], at[row] - time), time


def _key(node: U32, time: I64) -> npt.NDArray[np.uint64]:
    return node.astype(np.uint64) << np.uint64(40) | (time + (1 << 20)).astype(np.uint64)
