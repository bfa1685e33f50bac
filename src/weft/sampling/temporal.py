"""Neighbours of nodes at moments, hop by hop.

Shapes: R roots as given, U pairs of a node and a time, S events, M pairs of the next hop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from weft.checks import check_choice, check_flag, check_int
from weft.errors import WeftTypeError, WeftValueError
from weft.graph.temporal import TemporalGraph, TemporalSnapshot, as_times
from weft.kernels.temporal.form import checked

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TemporalHop", "TemporalNeighborSampler", "TemporalSampled"]

I64 = npt.NDArray[np.int64]
How = Literal["recent", "uniform"]
_31, _63 = (1 << 31) - 1, (1 << 63) - 1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TemporalHop:
    """Events of one hop, root after root; and the roots of the next hop.

    Attributes:
        row: int64 ``[S]``, the number of the root, in this hop's roots.
        col: int64 ``[S]``, the number of the node at the other end, in ``node``.
        eid: int64 ``[S]``, ids of the events.
        delta: int64 ``[S]``, time of the root less that of the event, never negative.
        node: int64 ``[M]``, nodes that were found.
        time: int64 ``[M]``, the time of each: of the event over which it was found.
    """

    row: I64
    col: I64
    eid: I64
    delta: I64
    node: I64
    time: I64


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TemporalSampled:
    """What was found from roots.

    Attributes:
        node: int64 ``[U]``, roots of the first hop.
        time: int64 ``[U]``, their times.
        of: int64 ``[R]``, the number in ``node`` of each root that was given.
        snapshots: hops of every window of time, the oldest window first.
    """

    node: I64
    time: I64
    of: I64
    snapshots: list[list[TemporalHop]]

    @property
    def hops(self) -> list[TemporalHop]:
        """Those of the newest window, or of the only one."""
        return self.snapshots[-1]


class TemporalNeighborSampler:
    """Samples events before each root's own time, the events of those found before theirs, and so on.

    What is drawn for a node and a time depends on the seed, the hop, the window, and the events that there
    are to draw from: not on the other roots, their order, how they are cut into batches, or threads. The
    same node at the same time is given the same events, whether ``dedup`` makes them one root or not; another
    seed for each epoch draws others.

    Several windows (``snapshots``) follow each other without a gap, as DySAT has them (Sankar et al., WSDM
    2020): window k of S ends ``(S - 1 - k) * window`` before the root's time.

    Args:
        graph: a graph, or a snapshot of one: to be preferred where another thread changes the graph, as the
            hops of one call may otherwise see different moments.
        num_neighbors: events of a root at most, for each hop.
        how: ``recent``: the newest; ``uniform``: any.
        window: no event older than so much before the end of its window; None: all. A time difference, in
            the unit of the graph's times.
        snapshots: how many windows.
        inclusive: events at the very time of the root too, in the newest window.
        replace: ``uniform``: an event may be drawn twice.
        dedup: a pair of a node and a time is a root once; else every event drawn has a root of its own.
        prop_time: nodes that were found have the time of the root they were found from, and its window (as
            TGL has it for DySAT), instead of the time of the event.

    Raises:
        WeftTypeError: the graph is none, or an argument has another type.
        WeftValueError: an argument is out of range, or several windows have no length.
    """

    def __init__(
        self,
        graph: TemporalGraph | TemporalSnapshot,
        num_neighbors: Sequence[int],
        *,
        how: How = "recent",
        window: int | None = None,
        snapshots: int = 1,
        inclusive: bool = False,
        replace: bool = False,
        dedup: bool = True,
        prop_time: bool = False,
    ) -> None:
        if not isinstance(graph, TemporalGraph | TemporalSnapshot):
            raise WeftTypeError(
                "temporal neighbours: graph must be a weft.graph.TemporalGraph, or a snapshot of one (got "
                f"{type(graph).__name__})"
            )
        if isinstance(num_neighbors, str) or not np.iterable(num_neighbors) or not len(num_neighbors):
            raise WeftValueError(
                "temporal neighbours: num_neighbors takes a number for each hop, as [10, 10] (got "
                f"{num_neighbors!r})"
            )
        self.graph = graph
        self.num_neighbors = tuple(
            check_int("temporal neighbours: num_neighbors", k, 0, _31) for k in num_neighbors
        )
        check_choice("temporal neighbours: how", how, ("recent", "uniform"))
        self.how: How = how
        self.snapshots = check_int("temporal neighbours: snapshots", snapshots, 1, 1 << 16)
        if window is None and snapshots > 1:
            raise WeftValueError(
                f"temporal neighbours: {snapshots} snapshots need the length of a window (got window=None)"
            )
        self.window = (
            0
            if window is None
            else check_int("temporal neighbours: window", window, 1, _63 // self.snapshots)
        )
        self.inclusive = check_flag("temporal neighbours: inclusive", inclusive)
        self.replace = check_flag("temporal neighbours: replace", replace)
        self.dedup = check_flag("temporal neighbours: dedup", dedup)
        self.prop_time = check_flag("temporal neighbours: prop_time", prop_time)

    def sample(self, node: npt.ArrayLike, time: npt.ArrayLike, *, seed: int = 0) -> TemporalSampled:
        """Sample for nodes at times.

        Args:
            node: integers ``[R]``.
            time: of each, integers ``[R]``, or what :meth:`weft.graph.TemporalGraph.append` takes.
            seed: 0 to 2**64 - 1; of ``recent`` without meaning.

        Returns:
            With ``dedup`` roots and the nodes of each hop by time, of one time by node; else in the order in
            which they were given or found.

        Raises:
            WeftValueError: one is no node of the graph, arrays do not fit, or a time difference does not fit
                into int64.
        """
        given = checked("temporal neighbours", (node, as_times(time)), (np.int64, np.int64))
        root, at, of = self._roots(given[0], given[1])
        windows = [self._hops(root, at, k, seed) for k in range(self.snapshots)]
        return TemporalSampled(node=root, time=at, of=of, snapshots=windows)

    def _roots(self, node: I64, time: I64) -> tuple[I64, I64, I64]:
        return unique_pairs(node, time) if self.dedup else (node, time, np.arange(len(node)))

    def _hops(self, node: I64, time: I64, window: int, seed: int) -> list[TemporalHop]:
        hops: list[TemporalHop] = []
        before = (self.snapshots - 1 - window) * self.window  # the end of this window before the root's time
        for number, fanout in enumerate(self.num_neighbors):
            # Where the end would lie before all times, there is nothing.
            end = np.maximum(time, -_63 - 1 + before) - before if before else time
            drawn = self.graph.rows.sample(
                node,
                end,
                fanout,
                how=self.how,
                seed=seed,
                hop=number * self.snapshots + window,
                item=_items(node, time) if self.how == "uniform" else None,
                replace=self.replace,
                inclusive=self.inclusive and not before,
                window=self.window,
            )
            at = time[drawn.row]
            delta = at - drawn.time
            if len(delta) and delta.min() < 0:
                raise WeftValueError(
                    f"temporal neighbours: from {int(drawn.time[delta.argmin()])} to "
                    f"{int(at[delta.argmin()])} is more than int64 holds; take a coarser unit of time"
                )
            found = self._roots(drawn.node.astype(np.int64), at if self.prop_time else drawn.time)
            node, time, col = found
            eid = self.graph.eids(drawn.number)
            hops.append(TemporalHop(row=drawn.row, col=col, eid=eid, delta=delta, node=node, time=time))
        return hops


def unique_pairs(node: I64, time: I64) -> tuple[I64, I64, I64]:
    """Different pairs of a node and a time, by time and then by node, and which of them each one given is.

    Args:
        node: int64 ``[R]``, below 2**32.
        time: int64 ``[R]``.

    Returns:
        Nodes ``[U]``, times ``[U]`` and numbers ``[R]``, all int64.
    """
    if not len(node):
        return node, time, np.empty(0, np.int64)
    first, span = int(time.min()), int(time.max()) - int(time.min())
    width = int(node.max()) + 1
    if node.min() >= 0 and span < _63 // width:  # a single key is sorted several times faster than two
        keys, of = np.unique((time - first) * width + node, return_inverse=True)
        return keys % width, keys // width + first, of
    order = np.lexsort((node, time))
    node_R, time_R = node[order], time[order]
    new = np.ones(len(node), bool)
    new[1:] = (node_R[1:] != node_R[:-1]) | (time_R[1:] != time_R[:-1])
    of = np.empty(len(node), np.int64)
    of[order] = np.cumsum(new) - 1
    return node_R[new], time_R[new], of


def _items(node: I64, time: I64) -> npt.NDArray[Any]:
    """The number of a pair, by which its draws are counted: uint64 ``[R]``.

    The time goes through the finaliser of SplitMix64, a bijection, and the node is added.
    """
    z = time.view(np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) + node.view(np.uint64)
