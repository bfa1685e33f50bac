"""A factorisation from the graph to the vectors."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.embed.factor.dense import unit_rows
from weft.embed.factor.edges import out_degrees
from weft.embed.factor.lightne import Sampler
from weft.embed.factor.plan import FactorPlan, Request, check_nodes, make_factor_plan
from weft.embed.factor.prone import edge_matrix
from weft.embed.factor.spectral import check_weights, propagate, propagation_products
from weft.embed.factor.svd import Plain, Symmetric, left_factor, products
from weft.graph._plan import resident
from weft.kernels.memory import trim
from weft.rng import Op, key

if TYPE_CHECKING:
    from collections.abc import Callable

    from weft.embed.factor.svd import Operator
    from weft.graph import Graph

__all__ = ["factor_plan", "factorise", "make_sampler"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


def factor_plan(graph: Graph, request: Request) -> FactorPlan:
    """What :func:`factorise` would take.

    Raises:
        BudgetError: the run does not fit into memory.
        WeftValueError: the graph is damaged, too large, or its weights are all 0 or no size for float32.
    """
    check_nodes(graph, request.method)
    base = resident()
    plan = make_factor_plan(graph, request, make_sampler(graph, _weighed(graph, request), request), base)
    graph.drop_pages()
    return plan


def _weighed(graph: Graph, request: Request) -> F64:
    """The weights of the edges that leave each node, summed, if the run can work with them."""
    out_N = out_degrees(graph)
    if request.propagate:
        check_weights(graph, out_N)
    return out_N


def make_sampler(graph: Graph, out_N: F64, request: Request) -> Sampler | None:
    """What draws the matrix; None: its entries are the edges."""
    if request.method == "prone":
        return None
    return Sampler.of(graph, out_N, window=request.window, samples=request.samples, seed=request.seed)


def factorise(graph: Graph, request: Request, plan: FactorPlan, progress: Callable[[int, int], None]) -> F32:
    """The vectors of all nodes.

    Args:
        graph: at least one edge.
        request: what is asked for.
        plan: what :func:`factor_plan` gave for both.
        progress: called with the steps done and all steps, after each.

    Returns:
        float32 ``[N, dim]``, rows of length 1, or 0 for nodes without out-edges.

    Raises:
        BudgetError: the sampled matrix has more entries than were foretold, and memory is short.
        WeftValueError: the graph is damaged, or its weights are all 0 or no size for float32.
    """
    if request.method == "lightne":
        graph = graph.in_memory()  # walks read at random; prone reads rows in order, from disk as well
    out_N = _weighed(graph, request)
    sampler = make_sampler(graph, out_N, dataclasses.replace(request, samples=plan.samples))
    step = _Steps(graph, plan, sampler, progress)
    matrix = _matrix(graph, out_N, plan, sampler, step)
    del sampler
    axes = min(request.dim, plan.nodes)
    vectors = left_factor(matrix, axes, plan.sketch, plan.power, key(request.seed, Op.SKETCH), step)
    del matrix
    trim()  # what the products of each thread took
    unit_rows(vectors)
    if request.propagate:
        propagate(graph, out_N, vectors, plan.strip, step)
    if plan.width == request.dim:
        return vectors
    out = np.zeros((plan.nodes, request.dim), np.float32)
    out[:, :axes] = vectors[:, :axes]
    return out


def _matrix(
    graph: Graph,
    out_N: F64,
    plan: FactorPlan,
    sampler: Sampler | None,
    step: Callable[[], None],
) -> Operator:
    if sampler is None:
        return Plain(edge_matrix(graph, out_N))
    spare = (plan.limit - plan.bytes) // 8
    drawn = sampler.draw(plan.entries + spare, step)
    return Plain(drawn) if graph.directed else Symmetric(drawn)


class _Steps:
    """Counts what is done."""

    def __init__(
        self, graph: Graph, plan: FactorPlan, sampler: Sampler | None, hook: Callable[[int, int], None]
    ) -> None:
        strips = -(-plan.width // plan.strip) if plan.strip else 0
        drawing = len(sampler.strips()) if sampler is not None else 0
        self._all = drawing + products(plan.power) + strips * propagation_products(graph.directed)
        self._done, self._hook = 0, hook

    def __call__(self) -> None:
        self._done += 1
        self._hook(self._done, self._all)
