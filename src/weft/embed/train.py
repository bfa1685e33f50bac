"""The run behind an estimator: pools of walks, pairs in blocks, rounds of orthogonal blocks.

Shapes: N nodes, D floats in a row of the tables, B pairs, S pools, P parts of R rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.embed.plan import deal
from weft.errors import WeftValueError
from weft.kernels.alias import alias_tables
from weft.kernels.memory import zeros_huge
from weft.kernels.pairs import bucket_pairs
from weft.kernels.philox import philox_fill
from weft.kernels.sgns import sgns_train
from weft.rng import Op, key
from weft.sampling.pairs import PairPools

if TYPE_CHECKING:
    from collections.abc import Callable

    from weft.embed.plan import Plan
    from weft.graph import Graph

__all__ = ["Trained", "initial_vectors", "train"]

F32 = npt.NDArray[np.float32]

_EDGES = 1 << 24  # counted at a time
_INIT_NODES = 1 << 14  # initialised at a time: a few MB of random words


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a run leaves.

    Attributes:
        vertex: float32 ``[N, dim]``, in graph order.
        context: float32 ``[N, dim]``.
        history: float64 ``[S, 2]``: pairs trained so far, and the mean loss of the last pool.
    """

    vertex: F32
    context: F32
    history: npt.NDArray[np.float64]


def initial_vectors(first: int, count: int, dim: int, seed: int) -> F32:
    """Vectors of nodes ``first .. first + count`` before training: uniform in ``(-1/2, 1/2) / dim``."""
    blocks = -(-dim // 4)
    words = philox_fill(count * blocks, key(seed, Op.INIT), first * blocks).reshape(count, -1)[:, :dim]
    # 24 bits: every value is a float32, and the middle of its interval, so that none is the bound itself.
    return (((words >> np.uint32(8)) + np.float32(0.5)) * np.float32(2**-24) - np.float32(0.5)) / np.float32(
        dim
    )


def train(
    graph: Graph,
    plan: Plan,
    *,
    dim: int,
    num_negatives: int,
    negative_weight: float,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    on_pool: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train both tables.

    Args:
        graph: in memory, with at least one edge.
        plan: its sizes.
        dim: of the vectors.
        num_negatives: of each pair.
        negative_weight: of all negatives of a pair together.
        learning_rate: at the beginning.
        weight_decay: 0 for none.
        seed: of everything that is drawn.
        on_pool: called after each pool with its pairs and their mean loss.

    Raises:
        WeftValueError: the loss is not finite any more.
    """
    row_N, negatives_R = _place(graph, plan)
    vertex_RD, context_RD = _tables(plan, row_N, dim, seed)
    pools = PairPools(graph, row_N, length=plan.length, window=plan.window, walks=plan.walks, seed=seed)
    scratch = np.empty(pools.capacity, np.uint64)
    history: list[tuple[int, float]] = []
    done = 0
    for pair_B in pools.draw(plan.pairs):
        offset = bucket_pairs(pair_B, plan.rows, plan.parts, scratch=scratch)
        losses = sgns_train(
            vertex_RD,
            context_RD,
            pair_B,
            offset,
            negatives_R,
            key=key(seed, Op.NEGATIVE),
            first=done,
            total=plan.pairs,
            negatives=num_negatives,
            negative_weight=negative_weight / max(1, num_negatives),
            learning_rate=learning_rate,
            weight_decay=weight_decay,
        )
        done += len(pair_B)
        loss = float(losses.sum()) / len(pair_B)
        if not np.isfinite(loss):
            raise WeftValueError(
                f"embed: training diverged within {done:,} pairs (the loss is {loss}) at "
                f"learning_rate={learning_rate:g}; try learning_rate={learning_rate / 10:g}"
            )
        history.append((done, loss))
        if on_pool is not None:
            on_pool(len(pair_B), loss)
    del pools, scratch
    vertex = vertex_RD[row_N, :dim]
    del vertex_RD
    return Trained(vertex=vertex, context=context_RD[row_N, :dim], history=np.array(history).reshape(-1, 2))


def _place(graph: Graph, plan: Plan) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint64]]:
    """The row of each node, and for each part an alias table of the nodes' (weighted in-degree)^0.75."""
    count_N, weight_N = np.zeros((2, plan.nodes))
    for begin in range(0, graph.num_edges, _EDGES):  # whole, bincount would copy all edges as int64
        indices = graph.indices[begin : begin + _EDGES]
        if (most := int(indices.max())) >= plan.nodes:
            raise WeftValueError(
                f"embed: the graph is damaged: indices hold node {most} of {plan.nodes}; "
                "import the graph again"
            )
        weight = None if graph.weight is None else graph.weight[begin : begin + _EDGES]
        count_N += np.bincount(indices, minlength=plan.nodes)
        weight_N += 0 if weight is None else np.bincount(indices, weight, minlength=plan.nodes)
    row_N = deal(graph.degree() + count_N.astype(np.int64), plan.parts)
    weight_PR = np.zeros((plan.parts, plan.rows))
    weight_PR.reshape(-1)[row_N] = (count_N if graph.weight is None else weight_N) ** 0.75
    # No edge leads into such a part, so none of its pairs will ask for negatives; a table must exist.
    weight_PR[weight_PR.sum(axis=1) == 0] = 1
    begins = np.arange(plan.parts + 1, dtype=np.int64) * plan.rows
    return row_N, alias_tables(begins, weight_PR.reshape(-1))


def _tables(plan: Plan, row_N: npt.NDArray[np.uint32], dim: int, seed: int) -> tuple[F32, F32]:
    """Vertex rows at their initial vectors, context rows at zero, on huge pages."""
    shape = (plan.parts * plan.rows, plan.width)
    vertex_RD = zeros_huge(shape, np.float32).view(np.float32)
    context_RD = zeros_huge(shape, np.float32).view(np.float32)
    for begin in range(0, plan.nodes, _INIT_NODES):
        rows = row_N[begin : begin + _INIT_NODES]
        vertex_RD[rows, :dim] = initial_vectors(begin, len(rows), dim, seed)
    return vertex_RD, context_RD
