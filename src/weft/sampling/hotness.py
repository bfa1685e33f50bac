"""How often rows of nodes will be asked for: what a cache may go by before it knows better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.checks import check_int, check_real
from weft.errors import WeftValueError
from weft.kernels.csr import in_degrees
from weft.sampling.checks import check_graph, checked_nodes

if TYPE_CHECKING:
    from weft.graph import Graph
    from weft.sampling.neighbors import NeighborSampler

__all__ = ["reverse_pagerank", "sampled_counts"]

_EDGES = 1 << 22  # looked at together


def reverse_pagerank(
    graph: Graph, seeds: npt.NDArray[Any] | None = None, *, damping: float = 0.85, steps: int = 20
) -> npt.NDArray[np.float64]:
    """PageRank against the edges: how often a walk that goes the way of sampling is at each node.

    It begins at a seed and goes on, with odds of ``damping``, to the source of one of the edges that come in,
    each as likely: one neighbour a hop. As GIDS (Park et al., VLDB 2024) has it.

    Args:
        graph: an undirected one is its own reverse.
        seeds: nodes ``[B]`` that are trained on; None: all.
        damping: 0 to below 1.
        steps: of the iteration.

    Returns:
        float64 ``[N]``, of sum 1 where every node has an edge that comes in.

    Raises:
        WeftValueError: a number is out of range.
    """
    check_graph("reverse_pagerank", graph)
    check_real("reverse_pagerank: damping", damping)
    check_int("reverse_pagerank: steps", steps, -1)
    if not 0 <= damping < 1 or steps < 0:
        raise WeftValueError(
            f"reverse_pagerank: damping lies within 0 .. 1, steps are not negative (got {damping}, {steps})"
        )
    nodes = graph.num_nodes
    start = np.full(nodes, 1 / max(1, nodes))
    if seeds is not None:
        seeds = checked_nodes("reverse_pagerank: seeds", seeds)
        if len(seeds) and int(seeds.min()) < 0:
            raise WeftValueError(f"reverse_pagerank: node {int(seeds.min())} is none of {nodes:,}")
        counts = np.bincount(seeds, minlength=nodes)
        if len(counts) > nodes or not len(seeds):
            raise WeftValueError(f"reverse_pagerank: seeds must be some of {nodes:,} nodes")
        start = counts / len(seeds)
    rank, into = start, np.maximum(in_degrees(graph.indices, nodes)[0], 1)
    for _ in range(steps):
        share = rank / into
        rank = (1 - damping) * start + damping * _sums(graph, share)
    return rank


def _sums(graph: Graph, share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of each node, the shares of those that its edges lead to."""
    out, row = np.zeros(graph.num_nodes), 0
    while row < graph.num_nodes:
        begin = graph.indptr[row]
        end = max(row + 1, int(np.searchsorted(graph.indptr, begin + _EDGES, "right")) - 1)
        degree = np.diff(graph.indptr[row : end + 1])
        some = np.flatnonzero(degree)
        if len(some):
            parts = share[graph.indices[begin : graph.indptr[end]]]
            out[row + some] = np.add.reduceat(parts, graph.indptr[row + some] - begin)
        row = end
    return out


def sampled_counts(
    sampler: NeighborSampler,
    seeds: npt.NDArray[Any],
    batch_size: int,
    *,
    batches: int | None = None,
    seed: int = 0,
) -> npt.NDArray[np.int64]:
    """In how many batches of a trial each node is. As GNNLab (Yang et al., EuroSys 2022) has it.

    Args:
        sampler: as it will be used.
        seeds: nodes ``[B]`` that will be trained on.
        batch_size: seeds of a batch.
        batches: that are tried, of seeds in a random order; None: a tenth of an epoch.
        seed: of order and draws.

    Returns:
        int64 ``[N]``.

    Raises:
        WeftValueError: a seed is not a node, or a number is out of range.
    """
    if batch_size < 1 or (batches is not None and batches < 1):
        raise WeftValueError(f"sampled_counts: batches of at least one seed (got {batches} of {batch_size})")
    whole = -(-len(seeds) // batch_size)
    order = np.random.default_rng(seed).permutation(np.asarray(seeds))
    counts = np.zeros(sampler.relation.nodes, np.int64)
    for number in range(min(whole, -(-whole // 10) if batches is None else batches)):
        part = order[number * batch_size : (number + 1) * batch_size]
        counts[np.unique(sampler.sample(part, seed=seed, batch=number).n_id)] += 1
    return counts
