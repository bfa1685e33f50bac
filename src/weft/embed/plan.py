"""What a training run will take, worked out before it starts. Pure functions of sizes.

Shapes: N nodes, P parts, R rows of a part.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from weft.config import show_bytes
from weft.errors import BudgetError, WeftValueError
from weft.kernels.pairs import pairs_per_walk
from weft.kernels.sgns import LANES
from weft.kernels.threads import num_threads
from weft.sampling.pairs import walks_at_once

if TYPE_CHECKING:
    from weft.graph import Graph

__all__ = ["Plan", "auto_window", "make_plan"]

_PART_BYTES = (
    4 << 20
)  # a million nodes at d=128: 4 MiB trains as fast as 8 MiB and its pairs are sorted in cache
_PART_NODES = 512  # with fewer, the negatives of a part are too few to stand for all nodes
_MAX_PARTS = 256  # P * P blocks: more, and a pool leaves each too few pairs to be worth its turn
_POOL = 1 << 27  # pairs at most: 1 GiB
_SMALLEST_POOL = 1 << 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes of a training run. All but ``bytes`` and ``limit`` decide the result; memory decides none.

    Attributes:
        nodes: N.
        pairs: positive pairs of the whole run.
        parts: P; blocks of one round share no row, so at most P threads work.
        rows: R; the tables have ``P * R >= N`` rows.
        width: floats in a row: ``dim`` rounded up to whole vectors.
        length: steps of a walk.
        window: how far apart in a walk the two nodes of a pair may be.
        walks: of one pool.
        pool: pairs of one pool, sorted into blocks and trained together.
        bytes: memory at the peak, the graph included.
        limit: memory that may be used.
    """

    nodes: int
    pairs: int
    parts: int
    rows: int
    width: int
    length: int
    window: int
    walks: int
    pool: int
    bytes: int
    limit: int


def auto_window(nodes: int, edges: int) -> int:
    """GraphVite's augmentation step, ``ln 1600 / ln(edges / nodes)``, rounded up and kept within 1 .. 10.

    The denser the graph, the fewer steps reach many nodes. GraphVite rounds down; one step more was better on
    BlogCatalog (3: micro-F1 36.3/41.8/43.4 at 10/50/90 %, 2: 35.8/40.9/42.5, 330 and 300 M pairs) and on
    Facebook pages (4: .846/.863 at 5/20 %, 3: .837/.856, 171 M pairs). With fewer edges than twice the nodes
    the formula runs away or turns negative; 10 is then DeepWalk's window.
    """
    density = edges / max(1, nodes)
    return 10 if density < 2 else max(1, min(10, math.ceil(math.log(1600) / math.log(density))))


def make_plan(
    graph: Graph,
    *,
    dim: int,
    pairs: int,
    length: int,
    window: int,
    parts: int | None = None,
    memory: int | None = None,
) -> Plan:
    """The sizes of a run, which decide the result, and the memory they take, which does not.

    Args:
        graph: what will be embedded.
        dim: of the vectors.
        pairs: of the whole run.
        length: steps of a walk.
        window: of the pairs.
        parts: P; None: by the size of the tables.
        memory: bytes that may be used; None: what the machine has.

    Raises:
        BudgetError: the tables and a pool do not fit.
        WeftValueError: the graph has too many nodes for the tables, or fewer than ``parts``.
    """
    nodes = graph.num_nodes
    width = -(-dim // LANES) * LANES
    parts = _parts(nodes, nodes * width * 4) if parts is None else parts
    if parts > nodes:
        raise WeftValueError(f"embed: parts={parts:,} of {nodes:,} nodes would be empty; give fewer parts")
    rows = -(-nodes // parts)
    if rows * parts >= 1 << 32:
        raise WeftValueError(f"embed: {nodes:,} nodes; the tables hold at most {(1 << 32) - 1:,} rows")
    per_walk = pairs_per_walk(length, window)
    # A small pool turns the tables over more often for each pair sorted; a large one repeats a head many
    # times in a row. 200 pairs a node keep both costs small.
    walks = -(-min(_POOL, max(_SMALLEST_POOL, 200 * nodes), pairs) // per_walk)
    limit = memory or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    tables = 2 * rows * parts * width * 4
    # A walk has its nodes, and once more with 64 bytes while its start is drawn; a pair is there twice while
    # its part of the heads is sorted, one part on each thread.
    drawn = walks_at_once(walks, length, window) * ((length + 1) * graph.indices.itemsize + 64)
    sorting = min(num_threads(), parts) / parts
    pool = math.ceil(walks * per_walk * 8 * (1 + sorting)) + walks * (length + 1) * 4 + drawn
    finish = nodes * dim * 4  # one result in graph order beside both tables, the pool being gone
    need = tables + 8 * rows * parts + _graph_bytes(graph) + 12 * nodes + max(pool, finish)
    if need > limit:
        raise BudgetError(
            f"embed: {nodes:,} nodes at dim={dim} need {show_bytes(need)}, of which the tables are "
            f"{show_bytes(tables)}; memory allows {show_bytes(limit)}. Give more memory or lower dim"
        )
    return Plan(
        nodes=nodes,
        pairs=pairs,
        parts=parts,
        rows=rows,
        width=width,
        length=length,
        window=window,
        walks=walks,
        pool=walks * per_walk,
        bytes=need,
        limit=limit,
    )


def _parts(nodes: int, table: int) -> int:
    """Parts as large as caches serve well, and smaller where that lets more threads work."""
    wanted = max(8, min(64, nodes // (4 * _PART_NODES)), table // _PART_BYTES)
    return max(1, min(wanted, nodes // _PART_NODES, _MAX_PARTS))


def _graph_bytes(graph: Graph) -> int:
    """The rows in memory, and the alias tables of weighted ones."""
    return graph.nbytes + (0 if graph.weight is None else 8 * graph.num_edges)
