"""What a training run will take, worked out before it starts. Pure functions of sizes.

Shapes: N nodes, P parts, R rows of a part.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from weft.config import show_bytes, show_count, show_rows
from weft.embed.footprint import Footprint, fit_into
from weft.embed.swap.schedule import Swap
from weft.errors import WeftValueError
from weft.graph._plan import free_memory, resident
from weft.kernels.csr import in_degrees
from weft.kernels.memory import trim
from weft.kernels.pairs import pairs_per_walk
from weft.kernels.sgns import LANES
from weft.kernels.threads import num_threads
from weft.sampling.pairs import walks_at_once

if TYPE_CHECKING:
    from weft.graph import Graph

__all__ = ["Plan", "auto_window", "make_plan", "row_width"]

_PART_BYTES = (
    4 << 20
)  # a million nodes at d=128: 4 MiB trains as fast as 8 MiB and its pairs are sorted in cache
_PART_NODES = 512  # with fewer, the negatives of a part are too few to stand for all nodes
_MAX_PARTS = 256  # P * P blocks: more, and a pool leaves each too few pairs to be worth its turn
_POOL = 1 << 27  # pairs at most: 1 GiB
_SMALLEST_POOL = 1 << 12
_EDGES = 1 << 20  # looked at at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes of a training run. Those up to ``pool`` decide the result; the others follow from the memory.

    Attributes:
        nodes: N.
        pairs: positive pairs of the whole run.
        parts: P; blocks of one round share no row, so at most P threads work.
        rows: R; the tables have ``P * R >= N`` rows.
        width: floats in a row: ``dim`` rounded up to whole vectors, or half of it for both orders.
        tables: two, one where it is both (LINE's first order), three for both orders.
        length: steps of a walk.
        window: how far apart in a walk the two nodes of a pair may be.
        walks: of one pool.
        pool: pairs of one pool, sorted into blocks and trained together.
        swap: what is on disk, and how it passes through memory; None: nothing is.
        disk: bytes on disk at the peak.
        bytes: memory of the process at the peak, the graph and what is in use already included.
        limit: memory that may be used.
    """

    nodes: int
    pairs: int
    parts: int
    rows: int
    width: int
    tables: int
    length: int
    window: int
    walks: int
    pool: int
    swap: Swap | None
    disk: int
    bytes: int
    limit: int

    @property
    def part(self) -> int:
        """Bytes of a part of one table."""
        return self.rows * self.width * 4

    def facts(self, *, at_most: bool = False) -> dict[str, str]:
        """What a user wants to know, by name.

        Args:
            at_most: the run may be over before all pairs are trained.
        """
        most = "at most " if at_most else ""
        facts = {
            "pairs": f"{most}{self.pairs:,} of "
            + ("edges" if self.length == 1 else f"walks of length {self.length}, window {self.window}"),
            "parts": f"{self.parts} of {show_count(self.rows, 'node')}, "
            f"threads: {min(num_threads(), self.parts)}",
            "pools": f"{-(-self.pairs // self.pool):,} of {show_count(self.pool, 'pair')}",
            "memory": f"{show_bytes(self.bytes)} of {show_bytes(self.limit)}",
        }
        if self.swap is not None:
            facts["disk"] = f"{show_bytes(self.disk)}: {self.swap.describe(self.part)}"
        return facts

    def __str__(self) -> str:
        """The facts, a line each."""
        return show_rows({"nodes": f"{self.nodes:,}", **self.facts()}).removesuffix("\n")


def auto_window(nodes: int, edges: int) -> int:
    """GraphVite's augmentation step, ``ln 1600 / ln(edges / nodes)``, rounded up and kept within 1 .. 10.

    The denser the graph, the fewer steps reach many nodes. GraphVite rounds down; one step more was better on
    BlogCatalog (3: micro-F1 36.3/41.8/43.4 at 10/50/90 %, 2: 35.8/40.9/42.5, 330 and 300 M pairs) and on
    Facebook pages (4: .846/.863 at 5/20 %, 3: .837/.856, 171 M pairs). With fewer edges than twice the nodes
    the formula runs away or turns negative; 10 is then DeepWalk's window.
    """
    density = edges / max(1, nodes)
    return 10 if density < 2 else max(1, min(10, math.ceil(math.log(1600) / math.log(density))))


def row_width(dim: int, tables: int) -> int:
    """Floats in a row of each of so many tables: see :class:`Plan`."""
    return -(-(-(-dim // 2) if tables == 3 else dim) // LANES) * LANES


def make_plan(
    graph: Graph,
    *,
    dim: int,
    pairs: int,
    length: int,
    window: int,
    tables: int = 2,
    parts: int | None = None,
    memory: int | None = None,
    base: int | None = None,
    walker: int = 0,
) -> Plan:
    """The sizes of a run, which decide the result, and the memory they take, which does not.

    Args:
        graph: what will be embedded.
        dim: of the vectors.
        pairs: of the whole run.
        length: steps of a walk.
        window: of the pairs.
        tables: how many, see :class:`Plan`.
        parts: P; None: by the size of the tables.
        memory: bytes the process may have resident; None: nine tenths of what the machine has left.
        base: bytes it has already; None: measured.
        walker: bytes that walks take beside the graph and its alias tables.

    Raises:
        BudgetError: the run does not fit, even with its tables on disk.
        WeftValueError: the graph has too many nodes for the tables, or fewer than ``parts``; or there are too
            many pairs.
    """
    nodes = graph.num_nodes
    if pairs >= 1 << 62:
        raise WeftValueError(
            f"embed: epochs make {pairs:.3g} pairs, and no run counts beyond {1 << 62:.3g}; give fewer epochs"
        )
    width = row_width(dim, tables)
    parts = _parts(nodes, nodes * width * 4) if parts is None else parts
    if parts > nodes:
        raise WeftValueError(f"embed: parts={parts:,} of {nodes:,} nodes would be empty; give fewer parts")
    rows = -(-nodes // parts)
    if rows * parts >= 1 << 32:
        raise WeftValueError(f"embed: {nodes:,} nodes; the tables hold at most {(1 << 32) - 1:,} rows")
    per_walk = pairs_per_walk(length, window)
    # A small pool turns the tables over more often for each pair sorted; a large one repeats a head many
    # times in a row. 200 pairs a node keep both costs small; from a million nodes on it is 128, for tables on
    # disk are read and written several times for each pool: 6 KB a node where a quarter fits into memory.
    # With one table for both ends, the nodes are dealt to the parts anew for each pool: often enough.
    pool = max(_SMALLEST_POOL, (200 if tables == 2 else 20) * nodes)
    walks = -(-min(max(_POOL, 128 * nodes), pool, pairs) // per_walk)
    base = resident() if base is None else base
    limit = base + free_memory() * 9 // 10 if memory is None else memory
    sizes = Footprint(
        base=base,
        graph=graph.nbytes + (0 if graph.weight is None else 8 * graph.num_edges) + walker,
        nodes=nodes,
        parts=parts,
        rows=rows,
        width=width,
        dim=dim,
        pool=walks * per_walk,
        walk=(length + 1) * 4 / per_walk,
        # Drawing a walk takes its nodes, and 64 bytes for its start.
        draw=walks_at_once(walks, length, window) * ((length + 1) * graph.indices.itemsize + 64),
        threads=num_threads(),
        hub=0.0,
        back=0.0,
        count=tables,
    )
    if sizes.peak(None) <= limit:
        swap = None
    else:
        hub, back = crowding(graph, window)
        sizes = dataclasses.replace(sizes, hub=hub, back=back)
        trim()  # what looking at the edges took must not be there beside the run
        swap = fit_into(limit, sizes)
    return Plan(
        nodes=nodes,
        pairs=pairs,
        parts=parts,
        rows=rows,
        width=width,
        tables=tables,
        length=length,
        window=window,
        walks=walks,
        pool=walks * per_walk,
        swap=swap,
        disk=sizes.disk(swap),
        bytes=sizes.peak(swap),
        limit=limit,
    )


def crowding(graph: Graph, window: int) -> tuple[float, float]:
    """How unevenly pairs lie in blocks.

    Returns:
        The share of the edges that lead from or to one node, at most; and about the share of the pairs that
        are a node with itself. In an undirected graph, a walk is back after two steps with the probability
        ``sum over edges (u, v) of weight^2 / weight of all of v's``, over the sum of weights, and after any
        other even number of steps with a smaller one.
    """
    into_N = np.maximum(in_degrees(graph.indices, graph.num_nodes, graph.weight)[1], 1e-300)
    back = 0.0
    for begin in range(0, graph.num_edges, _EDGES):
        edges = slice(begin, begin + _EDGES)
        weight = 1.0 if graph.weight is None else graph.weight[edges].astype(np.float64) ** 2
        back += float((weight / into_N[graph.indices[edges]]).sum())
    hub, total = float(into_N.max()), float(into_N.sum())
    if graph.directed:
        hub = max(hub, int(graph.degree().max()) / graph.num_edges * total)
    return min(1.0, hub / total), min(1.0, back / total) * (window // 2) / window


def _parts(nodes: int, table: int) -> int:
    """Parts as large as caches serve well, and smaller where that lets more threads work."""
    wanted = max(8, min(64, nodes // (4 * _PART_NODES)), table // _PART_BYTES)
    return max(1, min(wanted, nodes // _PART_NODES, _MAX_PARTS))
