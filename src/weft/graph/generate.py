"""Synthetic graphs, edge by edge: an edge depends on its number and the seed alone.

A generated graph is an edge source, so it can be imported as it is; or it is written to a table first.
Shapes: B edges, N nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from weft import rng
from weft.errors import WeftValueError
from weft.graph.ids import Strings
from weft.graph.sources.base import EdgeChunk, ReadReport
from weft.kernels.philox import philox_fill
from weft.kernels.philox.reference import bounded
from weft.kernels.rmat import rmat_edges

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Generated", "planted_partition", "rmat"]

I64 = npt.NDArray[np.int64]
_CHUNK = 1 << 20
_EDGE_LANE, _ORDER_LANE = 0, 1


class _Model(Protocol):
    @property
    def num_nodes(self) -> int: ...
    def edges(self, first: int, count: int) -> tuple[I64, I64]: ...


@dataclass(kw_only=True, eq=False)
class Generated:
    """A synthetic graph as an edge source.

    Attributes:
        name: model and parameters.
        model: makes the edges.
        num_edges: how many edges are drawn; some may be drawn twice.
        labels: the community of each node, int64 ``[N]``, where the model has communities.
    """

    name: str
    model: _Model
    num_edges: int
    labels: I64 | None = None
    id_kind: Literal["int", "string"] = "int"
    position: int = 0
    weighted: bool = False
    rereadable: bool = True
    isolated: None = None

    @property
    def num_nodes(self) -> int | None:
        """N; nodes may be isolated."""
        return self.model.num_nodes if self.id_kind == "int" else None

    def edges(self, first: int = 0, count: int | None = None) -> tuple[I64, I64]:
        """Edges ``first .. first + count``, by default all from ``first`` on; int64 ``[B]`` twice."""
        return self.model.edges(first, self.num_edges - first if count is None else count)

    def size_hint(self) -> int:
        """16 bytes an edge."""
        return 16 * self.num_edges

    def chunks(self) -> Iterator[EdgeChunk]:
        """All edges in their order."""
        for first in range(0, self.num_edges, _CHUNK):
            src, dst = self.edges(first, min(_CHUNK, self.num_edges - first))
            self.position = 16 * (first + len(src))
            if self.id_kind == "string":
                yield EdgeChunk(Strings.of(map(str, src)), Strings.of(map(str, dst)))
            else:
                yield EdgeChunk(src, dst)

    def as_strings(self) -> Generated:
        """The same edges with ids as text."""
        return replace(self, id_kind="string", position=0)

    def report(self) -> ReadReport:
        """Nothing to say."""
        return ReadReport()


def rmat(
    scale: int, edge_factor: int = 16, *, a: float = 0.57, b: float = 0.19, c: float = 0.19, seed: int = 0
) -> Generated:
    """A graph with skewed degrees (Chakrabarti, Zhan, Faloutsos: "R-MAT", SDM 2004).

    Args:
        scale: there are ``2**scale`` nodes, many of them isolated; 1 to 32.
        edge_factor: edges drawn for each node.
        a: probability of the quadrant (0, 0) at each level of the recursion; the defaults are Graph500's.
        b: of (0, 1).
        c: of (1, 0).
        seed: 0 to 2**64 - 1.

    Raises:
        WeftValueError: a parameter is out of range.
    """
    if edge_factor < 0:
        raise WeftValueError(f"rmat: edge_factor must not be negative (got {edge_factor})")
    model = _Rmat(scale, a, b, c, rng.key(seed, rng.Op.RMAT))
    model.edges(0, 0)  # checks the parameters
    return Generated(name=f"rmat scale {scale} seed {seed}", model=model, num_edges=edge_factor << scale)


@dataclass(frozen=True)
class _Rmat:
    scale: int
    a: float
    b: float
    c: float
    key: int

    @property
    def num_nodes(self) -> int:
        return 1 << self.scale

    def edges(self, first: int, count: int) -> tuple[I64, I64]:
        src, dst = rmat_edges(self.scale, count, self.key, first, self.a, self.b, self.c)
        return src.astype(np.int64), dst.astype(np.int64)


def planted_partition(
    num_nodes: int, num_communities: int, degree: float = 20, mixing: float = 0.1, *, seed: int = 0
) -> Generated:
    """A graph of equal communities, each node's known.

    Of the edges of a node, the share ``mixing`` leads to other communities.

    Args:
        num_nodes: N, at most 2**32.
        num_communities: of sizes that differ by at most one.
        degree: average number of edges at a node, as drawn.
        mixing: 0 to 1.
        seed: 0 to 2**64 - 1.

    Raises:
        WeftValueError: a parameter is out of range.
    """
    if not 1 <= num_nodes <= 1 << 32:
        raise WeftValueError(f"planted_partition: num_nodes must be 1 to 2**32 (got {num_nodes})")
    if not 1 <= num_communities <= num_nodes:
        raise WeftValueError(
            f"planted_partition: num_communities must be 1 to {num_nodes} (got {num_communities})"
        )
    if not 0 <= mixing <= 1 or degree < 0:
        raise WeftValueError(
            f"planted_partition: mixing must be 0 to 1 and degree at least 0 (got {mixing} and {degree})"
        )
    if mixing < 1 and num_nodes // num_communities < 2:
        raise WeftValueError(
            f"planted_partition: {num_communities} communities of {num_nodes} nodes leave some with one "
            "node, which has no neighbour inside; give fewer communities"
        )
    if mixing > 0 and num_communities == 1:
        raise WeftValueError(f"planted_partition: with one community mixing must be 0 (got {mixing})")
    model = _Planted(num_nodes, num_communities, mixing, rng.key(seed, rng.Op.PARTITION))
    return Generated(
        name=f"planted partition of {num_nodes} nodes, seed {seed}",
        model=model,
        num_edges=round(num_nodes * degree / 2),
        labels=model.labels(),
    )


@dataclass(frozen=True)
class _Planted:
    """Communities are ranges of places; a permutation gives every place its node."""

    num_nodes: int
    communities: int
    mixing: float
    key: int

    @cached_property
    def node_at(self) -> I64:
        words = philox_fill(self.num_nodes, self.key, lane=_ORDER_LANE).astype(np.uint64)
        return np.argsort(words[:, 0] << np.uint64(32) | words[:, 1], kind="stable")

    def labels(self) -> I64:
        out = np.empty(self.num_nodes, np.int64)
        out[self.node_at] = self._community(np.arange(self.num_nodes))
        return out

    def _community(self, place: I64) -> I64:
        return ((place + 1) * self.communities - 1) // self.num_nodes

    def edges(self, first: int, count: int) -> tuple[I64, I64]:
        words = philox_fill(count, self.key, first, lane=_EDGE_LANE)
        place = bounded(words[:, 0], self.num_nodes)
        community = self._community(place)
        begin = community * self.num_nodes // self.communities
        size = (community + 1) * self.num_nodes // self.communities - begin
        outside = words[:, 1] < self.mixing * 2**32
        # Inside: any other place of the community. Outside: any place of the others.
        other = bounded(words[:, 2], np.where(outside, self.num_nodes - size, size - 1))
        skipped = np.where(outside, begin, place)
        width = np.where(outside, size, 1)
        partner = np.where(outside, other, begin + other)
        partner = np.where(partner >= skipped, partner + width, partner)
        return self.node_at[place], self.node_at[partner]
