"""What a factorisation will take, worked out before it starts. Shapes: N nodes, E edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from weft.config import show_bytes, show_count, show_rows
from weft.embed.factor.dense import dense_bytes
from weft.embed.factor.edges import EDGES
from weft.embed.factor.lightne import ENTRY_BYTES, STRIP
from weft.errors import BudgetError, WeftValueError
from weft.graph._plan import free_memory
from weft.kernels.paths import TASK_WORK, path_scratch
from weft.kernels.spmm import LANES
from weft.kernels.threads import num_threads

if TYPE_CHECKING:
    from weft.embed.factor.lightne import Sampler
    from weft.graph import Graph

__all__ = ["FactorPlan", "Request", "check_nodes", "make_factor_plan", "vector_width"]

_REST = 20 << 20  # modules loaded on the way, buffers of BLAS, stacks of threads, huge pages not used up
_MARGIN = 1.05  # what is foretold from 512 rows was off by 3 % at most
OVERSAMPLING = 32  # columns of the sketch beyond dim
# Steps of subspace iteration. Micro-F1 at 5/20 % of Facebook pages after 1, 2, 3, 4, 6: prone 74.2/78.1,
# 79.4/82.2, 82.0/84.5, 82.9/85.6, 83.3/85.5; lightne 87.1/89.5, 87.4/89.5, 87.5/89.5, 87.5/89.6, 87.5/89.7
POWER = {"prone": 5, "lightne": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for.

    Attributes:
        method: ``prone`` or ``lightne``.
        dim: of the vectors.
        window: steps of a walk (lightne).
        samples: walks over an edge (lightne); None: chosen by the graph.
        propagate: whether vectors are sent through the graph afterwards.
        seed: of what is drawn.
        memory: bytes the process may have resident; None: nine tenths of what the machine has left.
    """

    method: Literal["prone", "lightne"]
    dim: int
    window: int
    samples: float | None
    propagate: bool
    seed: int
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorPlan:
    """Sizes of a factorisation. Memory decides ``strip`` alone, and no result.

    Attributes:
        nodes: N.
        edges: E, stored.
        dim: of the vectors.
        width: columns that are computed: :func:`vector_width`.
        sketch: columns of the dense matrices of the SVD.
        power: steps of subspace iteration.
        window: steps of a walk; 1 where edges are factored.
        samples: walks over an edge, before down-sampling; 0 where none is drawn.
        walks: of all edges.
        entries: of the sparse matrix; where it is sampled, at most, as foretold from some rows.
        strip: columns that are sent through the graph at a time; 0: they are not.
        bytes: memory of the process at the peak, the graph and what is in use already included.
        limit: memory that may be used.
    """

    nodes: int
    edges: int
    dim: int
    width: int
    sketch: int
    power: int
    window: int
    samples: float
    walks: int
    entries: int
    strip: int
    bytes: int
    limit: int

    def facts(self, *, at_most: bool = False) -> dict[str, str]:
        """What a user wants to know, by name; a factorisation is never over early."""
        samples = f"{self.samples:,.0f}" if self.samples >= 100 else f"{self.samples:.3g}"
        facts = {
            "walks": f"{self.walks:,} of {show_count(self.window, 'step')}, {samples} over an edge",
            "matrix": f"{'at most ' if self.walks else ''}{self.entries:,} entries",
            "vectors": f"{self.nodes:,} axes, one for each node: the other columns of {self.dim} are 0",
            "svd": f"{self.sketch} columns, {self.power} power iterations",
            "filter": f"{self.strip} columns at a time",
            "memory": f"{show_bytes(self.bytes)} of {show_bytes(self.limit)}",
        }
        left_out = {"walks": self.samples == 0, "filter": self.strip == 0, "vectors": self.dim <= self.width}
        return {name: text for name, text in facts.items() if not left_out.get(name)}

    def __str__(self) -> str:
        """The facts, a line each."""
        return show_rows({"nodes": f"{self.nodes:,}", **self.facts()}).removesuffix("\n")


def make_factor_plan(graph: Graph, request: Request, sampler: Sampler | None, base: int) -> FactorPlan:
    """The sizes of a run and the memory they take.

    Args:
        graph: what will be embedded.
        request: what is asked for.
        sampler: of the matrix; None: its entries are the edges.
        base: bytes that the process has already.

    Raises:
        BudgetError: the run does not fit into memory.
    """
    nodes, edges = graph.num_nodes, graph.num_edges
    width = vector_width(request.dim, nodes)
    sketch = min(_whole(request.dim + OVERSAMPLING), _whole(nodes))
    limit = base + free_memory() * 9 // 10 if request.memory is None else request.memory
    entries = edges if sampler is None else math.ceil(_MARGIN * sampler.foretell())
    lasting, drawing = _graph_bytes(graph, sampler)
    fixed = base + _REST + lasting
    pieces = dense_bytes(nodes, sketch)
    # An edge's columns are the graph's own; a sampled entry has its own.
    matrix = entries * (4 if sampler is None else ENTRY_BYTES)
    vectors = 4 * nodes * width
    svd = fixed + matrix + 8 * nodes * sketch + pieces
    strip = 0
    if request.propagate:
        # All columns at once are quickest; fewer where they would be the peak and memory is short.
        room = (max(svd, limit) - fixed - vectors - pieces) // (16 * nodes)
        strip = min(width, max(LANES, room // LANES * LANES))
    phases = (
        {"the matrix": matrix, "drawing it": drawing},
        {"the matrix": matrix, "dense ones": 8 * nodes * sketch, "products": pieces},
        # Every thread's allocator keeps the pieces of products that it worked on.
        {"vectors": vectors, "their filter": 16 * nodes * strip, "products": pieces},
        {"vectors": vectors, "a copy of them": 0 if width == request.dim else 4 * nodes * request.dim},
    )
    most = max(phases, key=lambda phase: sum(phase.values()))
    need = fixed + sum(most.values())
    if need > limit:
        remedies = ["more memory"]
        if sampler is not None and "the matrix" in most:
            remedies.append(f"fewer samples than {sampler.how.samples:g}")
        if "drawing it" not in most:
            remedies.append("a lower dim")
        parts = {"in use already": base, "modules and buffers": _REST, "the graph": lasting, **most}
        listed = ", ".join(f"{name} {show_bytes(size)}" for name, size in parts.items() if size)
        raise BudgetError(
            f"embed: {nodes:,} nodes at dim={request.dim} by {request.method} need {show_bytes(need)}; "
            f"memory allows {show_bytes(limit)}. They are: {listed}; the matrix has {entries:,} entries. "
            f"Give {', or '.join(remedies)}"
        )
    return FactorPlan(
        nodes=nodes,
        edges=edges,
        dim=request.dim,
        width=width,
        sketch=sketch,
        power=POWER[request.method],
        window=1 if sampler is None else request.window,
        samples=0.0 if sampler is None else sampler.how.samples,
        walks=0 if sampler is None else int(sampler.walks_N.sum()),
        entries=entries,
        strip=strip,
        bytes=need,
        limit=limit,
    )


def check_nodes(graph: Graph, method: str) -> None:
    """The kernels name nodes by 32 bits.

    Raises:
        WeftValueError: there are too many.
    """
    if graph.num_nodes >= 1 << 32:
        raise WeftValueError(f"embed: {graph.num_nodes:,} nodes; {method} takes at most {(1 << 32) - 1:,}")


def vector_width(dim: int, nodes: int) -> int:
    """Columns that are computed: in whole vectors of the processor, and no more than there could be axes."""
    return _whole(min(dim, nodes))


def _whole(columns: int) -> int:
    return -(-columns // LANES) * LANES


def _graph_bytes(graph: Graph, sampler: Sampler | None) -> tuple[int, int]:
    """What lasts: the graph and its degrees; and what drawing the matrix takes beside the result."""
    nodes = graph.num_nodes
    chunk = 48 * min(EDGES, graph.num_edges)
    if sampler is None:
        return graph.nbytes + 16 * nodes, chunk
    alias = 0 if graph.weight is None else 8 * graph.num_edges
    room_N = sampler.room_N
    busy = min(num_threads(), 1 + (graph.num_edges + int(sampler.walks_N.sum())) // TASK_WORK)
    scratch = busy * path_scratch(sampler.how, nodes, int(room_N.max(initial=0)))
    strip = ENTRY_BYTES * min(STRIP, int(room_N.sum()))
    return graph.nbytes + 16 * nodes, alias + 40 * nodes + scratch + max(strip, chunk)
