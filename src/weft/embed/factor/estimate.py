"""How long a factorisation will take, from a moment of each kind of its work.

Shapes: N nodes, R rows tried, E entries tried, K columns.
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from weft.embed.clock import Clock
from weft.embed.estimate import Estimate
from weft.embed.factor.blas import one_blas_thread
from weft.embed.factor.dense import gram, turn
from weft.embed.factor.edges import edge_chunks, out_degrees
from weft.embed.factor.prone import edge_scores
from weft.embed.factor.run import make_sampler
from weft.embed.factor.spectral import elementwise_passes, propagation_products
from weft.embed.factor.svd import products
from weft.kernels.memory import trim, zeros_huge
from weft.kernels.spmm import SparseRows, spmm, spmm_transposed

if TYPE_CHECKING:
    from weft.embed.factor.lightne import Sampler
    from weft.embed.factor.plan import FactorPlan, Request
    from weft.graph import Graph

__all__ = ["factor_estimate"]

F32 = npt.NDArray[np.float32]

_SECONDS = 0.1  # of each kind of work, at least; less for runs of a second
_DRAWING = 0.3  # of sampled strips, and never less than one
_ROWS = 1 << 17  # of dense matrices: at 160 columns 80 MiB, more than caches hold
_ENTRIES = 1 << 20  # of sparse ones


def factor_estimate(graph: Graph, request: Request, plan: FactorPlan) -> Estimate:
    """Work a second or so and reckon what all of it will take.

    Args:
        graph: what will be embedded.
        request: what is asked for.
        plan: of both.
    """
    sampled = request.method == "lightne"
    clock = Clock(min(_SECONDS, (plan.entries + plan.edges) / 1e8))
    seconds = _drawing(graph, request, plan) + _svd(plan, clock, both=sampled and not graph.directed)
    if plan.strip:
        strips = -(-plan.width // plan.strip)
        forth, _ = _product(plan, plan.edges, plan.strip, clock)
        seconds += strips * propagation_products(graph.directed) * forth
        seconds += elementwise_passes(graph.directed) * plan.nodes * plan.width * _element(plan, clock)
        seconds += plan.nodes * _dense_row(plan, plan.width, clock) + _eigen(plan.width)
    graph.drop_pages()
    trim()
    return Estimate(seconds=seconds, pairs=None, bandwidth=None)


def _drawing(graph: Graph, request: Request, plan: FactorPlan) -> float:
    """Seconds of making the sparse matrix."""
    begun = time.perf_counter()
    out_N = out_degrees(graph)
    sampler = make_sampler(graph, out_N, dataclasses.replace(request, samples=plan.samples))
    if sampler is None:
        return time.perf_counter() - begun + _weighing(graph)
    return time.perf_counter() - begun + _sampling(sampler)


def _weighing(graph: Graph) -> float:
    """Of the in-degrees and logarithms of all edges, by those of the first."""
    node_N = np.zeros(graph.num_nodes)
    begun = time.perf_counter()
    chunk = next(edge_chunks(graph))
    np.bincount(chunk.target, chunk.weight * node_N[chunk.source], graph.num_nodes)
    edge_scores(chunk, node_N, node_N)
    return (time.perf_counter() - begun) * graph.num_edges / len(chunk.weight)


def _sampling(sampler: Sampler) -> float:
    """Of all strips of rows, by some from end to end."""
    room_N, work_N, strips = sampler.room_N, sampler.work_N, sampler.strips()
    done, spent = 0, 0.0
    for begin, end in strips[:: max(1, len(strips) // 8)]:
        room = int(room_N[begin:end].sum())
        out = (np.empty(room, np.uint32), np.empty(room, np.float32))
        begun = time.perf_counter()
        sampler.rows(begin, end, out)
        done, spent = done + int(work_N[begin:end].sum()), spent + time.perf_counter() - begun
        if spent > _DRAWING:
            break
    return spent * int(work_N.sum()) / max(1, done)


def _svd(plan: FactorPlan, clock: Clock, *, both: bool) -> float:
    """Of the decomposition; ``both``: each product is one with the matrix and one with its transpose."""
    forth, back = _product(plan, plan.entries, plan.sketch, clock)
    bases = plan.power + 3  # as many Gram matrices, each turned into a basis
    return (
        products(plan.power) * (forth + back) / (1 if both else 2)
        + bases * plan.nodes * _dense_row(plan, plan.sketch, clock)
        + bases * _eigen(plan.sketch)
    )


def _product(plan: FactorPlan, entries: int, columns: int, clock: Clock) -> tuple[float, float]:
    """Of a product with a sparse matrix, and of one with its transpose; its columns are random ones."""
    dense, some = min(plan.nodes, _ROWS), min(max(1, entries), _ENTRIES)
    rows = max(1, min(dense, some * plan.nodes // max(1, entries)))
    column_E = np.random.default_rng(0).integers(0, dense, some).astype(np.uint32)
    indptr = np.linspace(0, some, rows + 1).astype(np.int64)
    matrix = SparseRows(indptr, column_E, np.ones(some, np.float32), dense)
    wide, narrow = (_matrix(size, columns) for size in (dense, rows))

    def forth() -> int:
        spmm(matrix, wide, narrow)
        return some

    def back() -> int:
        spmm_transposed(matrix, narrow, wide)
        return some

    return entries * clock.each(forth), entries * clock.each(back)


def _dense_row(plan: FactorPlan, columns: int, clock: Clock) -> float:
    """Of a row's part in a Gram matrix and in a turn."""
    x_RK = _matrix(min(plan.nodes, _ROWS // 4), columns)
    turn_KK = np.eye(columns)

    def work() -> int:
        gram(x_RK)
        turn(x_RK, turn_KK, x_RK)
        return len(x_RK)

    return clock.each(work)


def _element(plan: FactorPlan, clock: Clock) -> float:
    """Of an element of the vectors in one pass over them."""
    x_RK, out_RK = (_matrix(min(plan.nodes, _ROWS // 4), plan.width) for _ in range(2))

    def work() -> int:
        np.multiply(x_RK, np.float32(0.5), out=out_RK)
        return x_RK.size

    return clock.each(work)


def _eigen(columns: int) -> float:
    """Of eigenvectors, by those of a smaller matrix."""
    tried = min(columns, 256)
    square = np.random.default_rng(0).random((tried, tried))
    begun = time.perf_counter()
    with one_blas_thread():
        np.linalg.eigh(square + square.T)
    return (time.perf_counter() - begun) * (columns / tried) ** 3


def _matrix(rows: int, columns: int) -> F32:
    return zeros_huge((rows, columns), np.float32).view(np.float32)
