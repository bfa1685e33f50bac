"""Pairs of nodes for a model to tell from edges.

Shapes: B positive edges, C negatives for each, N nodes, D negatives still to be drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.kernels import csr
from weft.kernels.philox import philox4x32
from weft.rng import Op, key

if TYPE_CHECKING:
    from weft.graph import Graph

__all__ = ["KINDS", "Kind", "NegativeSampler"]

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Kind = Literal["uniform", "degree", "in-batch"]
KINDS = ("uniform", "degree", "in-batch")

_TRIES = 16  # draws before the nodes that are left to a source are listed
_POWER = 0.75  # of degrees, as word2vec draws words: Mikolov et al., NIPS 2013


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NegativeSampler:
    """Draws negatives for positive edges, again and again, from several threads if need be.

    What is drawn for an edge depends on the seed and the edge's number alone (in a batch, on the batch too).
    Make one with :meth:`of`.

    Attributes:
        kind: how nodes are drawn.
        indptr: int64 ``[N + 1]``, rows of the edges by source.
        indices: ``[E]``, their targets, rising within a row.
        sources: how many nodes edges may come from.
        targets: and lead to.
        weight_N: running sums of what sources and targets weigh; None: all alike.
        strict: no edge is drawn, and no node with itself.
        known: pairs ``source * targets + target`` that are edges too, uint64, rising.
        apart: sources and targets are of different types.
    """

    kind: Kind
    indptr: I64
    indices: npt.NDArray[Any]
    sources: int
    targets: int
    weight_N: tuple[F64, F64] | None
    strict: bool
    known: npt.NDArray[np.uint64]
    apart: bool

    @classmethod
    def of(
        cls,
        graph: Graph,
        kind: Kind = "uniform",
        *,
        strict: bool = False,
        known: tuple[I64, I64] | None = None,
    ) -> NegativeSampler:
        """Prepare a graph.

        Args:
            graph: whose edges are true.
            kind: ``uniform``, by ``degree`` to the power of 0.75, or ``in-batch``: the targets of the other
                positive edges of the batch, uniform where there is none (if strict: none that is no edge).
            strict: draw no edge of the graph, none of ``known``, and no node with itself.
            known: sources and targets of edges that are not in the graph.

        Raises:
            WeftValueError: the kind is none.
        """
        return cls.between(
            graph.indptr,
            graph.indices,
            graph.num_nodes,
            kind,
            strict=strict,
            known=known,
            both=not graph.directed,
        )

    @classmethod
    def between(
        cls,
        indptr: I64,
        indices: npt.NDArray[Any],
        targets: int,
        kind: Kind = "uniform",
        *,
        strict: bool = False,
        known: tuple[I64, I64] | None = None,
        both: bool = False,
        apart: bool = False,
    ) -> NegativeSampler:
        """As :meth:`of`, of rows of edges.

        Args:
            indptr: int64 ``[N + 1]``.
            indices: ``[E]``, rising within a row.
            targets: how many nodes edges may lead to.
            kind: as in :meth:`of`.
            strict: as in :meth:`of`.
            known: as in :meth:`of`.
            both: a known edge is one in both directions.
            apart: sources and targets are of different types.

        Raises:
            WeftValueError: the kind is none.
        """
        if kind not in KINDS:
            raise WeftValueError(f"negatives must be one of {', '.join(map(repr, KINDS))} (got {kind!r})")
        weight_N = None
        if kind == "degree":
            weight_N = _sums(np.diff(indptr)), _sums(csr.in_degrees(indices, targets)[0])
        pairs = np.empty(0, np.uint64)
        if strict and known is not None:
            pairs = known[0].astype(np.uint64) * np.uint64(targets) + known[1].astype(np.uint64)
            turned = known[1].astype(np.uint64) * np.uint64(targets) + known[0].astype(np.uint64)
            pairs = np.unique(np.concatenate([pairs, turned]) if both else pairs)
        return cls(
            kind=kind,
            indptr=indptr,
            indices=indices,
            sources=len(indptr) - 1,
            targets=targets,
            weight_N=weight_N,
            strict=strict,
            known=pairs,
            apart=apart,
        )

    def corrupt(self, source_B: I64, target_B: I64, item_B: I64, count: int, *, seed: int) -> I64:
        """Other targets for the sources of edges.

        Args:
            source_B: int64 ``[B]``.
            target_B: int64 ``[B]``, the true ones.
            item_B: numbers of the edges, 0 or more.
            count: C.
            seed: 0 to 2**64 - 1.

        Returns:
            int64 ``[B, C]``.

        Raises:
            WeftValueError: if strict: a source has edges to all nodes.
        """
        return self._draw(source_B, target_B, item_B, count, seed, free=False)[1]

    def pairs(self, source_B: I64, target_B: I64, item_B: I64, count: int, *, seed: int) -> tuple[I64, I64]:
        """Pairs of nodes, both drawn; in a batch, the source is that of the positive edge.

        Args and errors: as :meth:`corrupt`.

        Returns:
            Sources and targets, int64 ``[B, C]`` each.
        """
        return self._draw(source_B, target_B, item_B, count, seed, free=self.kind != "in-batch")

    def _draw(
        self, source_B: I64, target_B: I64, item_B: I64, count: int, seed: int, *, free: bool
    ) -> tuple[I64, I64]:
        place_D = np.arange(len(source_B) * count)
        source, target = np.repeat(source_B, count), np.full(len(place_D), -1)
        at = place_D
        for attempt in range(_TRIES if self.strict else 1):
            odds_D2 = _odds(item_B[at // count], at % count, attempt, seed)
            if free:
                source[at] = self._node(odds_D2[:, 1], 0)
            target[at] = self._target(odds_D2[:, 0], at // count, target_B)
            at = at[self._wrong(source[at], target[at])] if self.strict else at[:0]
            if len(at) == 0:
                break
        if len(at):
            odds_D2 = _odds(item_B[at // count], at % count, _TRIES, seed)
            target[at] = [
                self._left(int(source[d]), odds) for d, odds in zip(at, odds_D2[:, 0].tolist(), strict=True)
            ]
        shape = (len(source_B), count)
        return source.reshape(shape), target.reshape(shape)

    def _node(self, odds_D: F64, end: int) -> I64:
        """A source (0) or target (1) for each number in 0 .. 1."""
        if self.weight_N is None:
            return (odds_D * (self.sources, self.targets)[end]).astype(np.int64)
        below_N = self.weight_N[end]
        return np.searchsorted(below_N, odds_D * below_N[-1], side="right")

    def _target(self, odds_D: F64, edge_D: I64, target_B: I64) -> I64:
        if self.kind != "in-batch" or len(target_B) < 2:
            return self._node(odds_D, 1)
        step_D = 1 + (odds_D * (len(target_B) - 1)).astype(np.int64)
        return target_B[(edge_D + step_D) % len(target_B)]

    def _wrong(self, source_D: I64, target_D: I64) -> npt.NDArray[np.bool_]:
        wrong_D = csr.has_edges(self.indptr, self.indices, source_D, target_D)
        if not self.apart:
            wrong_D |= source_D == target_D
        if len(self.known):
            pair_D = source_D.astype(np.uint64) * np.uint64(self.targets) + target_D.astype(np.uint64)
            at = np.minimum(np.searchsorted(self.known, pair_D), len(self.known) - 1)
            wrong_D |= self.known[at] == pair_D
        return wrong_D

    def _left(self, source: int, odds: float) -> int:
        """One of the targets that a source linked to almost all has left, by weight if they have any."""
        every = np.arange(self.targets)
        free = every[~self._wrong(np.full(self.targets, source), every)]
        if len(free) == 0:
            raise WeftValueError(
                f"negatives: node {source} has edges to all {self.targets:,} nodes, no strict negative is "
                "left; give strict=False, or leave its edges out"
            )
        weight = np.ones(len(free))
        if self.weight_N is not None:
            weight = np.diff(self.weight_N[1], prepend=0.0)[free]
            weight = weight if weight.any() else np.ones(len(free))
        below = np.cumsum(weight)
        return int(free[min(np.searchsorted(below, odds * below[-1], side="right"), len(free) - 1)])


def _odds(item_D: I64, index_D: I64, lane: int, seed: int) -> F64:
    """Two numbers in [0, 1) of 53 bits for each (item, index) at a lane; float64 ``[D, 2]``.

    A number of 53 bits below 1, times a whole number up to 2**52, is below that number in float64 too.
    """
    counter_D4 = np.empty((len(item_D), 4), np.uint32)
    counter_D4[:, 0] = item_D & 0xFFFFFFFF
    counter_D4[:, 1] = item_D >> 32
    counter_D4[:, 2] = index_D
    counter_D4[:, 3] = lane
    bits_D2 = philox4x32(counter_D4, key(seed, Op.LINK)).view(np.uint64)
    return (bits_D2 >> np.uint64(11)).astype(np.float64) * math.ldexp(1, -53)


def _sums(degree_N: I64 | F64) -> F64:
    return np.cumsum(degree_N.astype(np.float64) ** _POWER, dtype=np.float64)
