"""What every form of the op takes and gives.

Shapes: E edges of a relation, H hops, M nodes found of a type, S edges sampled of a relation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError

__all__ = ["Neighborhood", "Relation", "check"]

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Relation:
    """Edges between two types of nodes, in rows by the node that they are sampled for.

    Attributes:
        indptr: int64 ``[rows + 1]``.
        indices: uint32 or int64 ``[E]``, the nodes that are sampled.
        fanout: H numbers, edges for a node at each hop; below 0: all of them.
        source: the type of the nodes that are sampled.
        target: the type of the nodes that they are sampled for.
        nodes: how many of type ``source`` there are.
        weight: float32 ``[E]``, 0 or more: edges are drawn in proportion; None: all alike.
        alias: uint64 ``[E]`` from :func:`weft.kernels.alias.alias_tables`, with ``weight``.
    """

    indptr: I64
    indices: npt.NDArray[Any]
    fanout: Sequence[int]
    nodes: int
    source: int = 0
    target: int = 0
    weight: npt.NDArray[np.float32] | None = None
    alias: npt.NDArray[np.uint64] | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Neighborhood:
    """The nodes and edges of a batch, by type and by relation.

    Nodes of a type are numbered in the order of ``node``: the seeds, then others as they were found.

    Attributes:
        node: of each type, ``[M]`` of the dtype of indices.
        tree: of each type, int64 ``[M]``: the number of the seed that the node was found from, seeds counted
            over all types; ``[0]`` if not disjoint.
        row: of each relation, int64 ``[S]``: numbers of nodes that were sampled.
        col: of each relation, int64 ``[S]``: numbers of the nodes they were sampled for.
        edge: of each relation, int64 ``[S]``: where in ``indices``.
        nodes_of_hop: of each type, H + 1 numbers: how many were found, the seeds first.
        edges_of_hop: of each relation, H numbers: how many were sampled.
    """

    node: list[npt.NDArray[Any]]
    tree: list[I64]
    row: list[I64]
    col: list[I64]
    edge: list[I64]
    nodes_of_hop: list[list[int]]
    edges_of_hop: list[list[int]]


def check(relations: Sequence[Relation], seeds: Sequence[npt.NDArray[Any]], batch: int) -> np.dtype[Any]:
    """Check what the op is given.

    Returns:
        The dtype of nodes.

    Raises:
        WeftValueError: an array has the wrong dtype or shape, a seed is not a node, or numbers do not fit.
    """
    if not relations:
        raise WeftValueError("sample neighbors: there must be a relation (got 0)")
    if not 0 <= batch < 1 << 32:
        raise WeftValueError(f"sample neighbors: the number of a batch lies below 2**32 (got {batch})")
    dtype = relations[0].indices.dtype
    if dtype not in (np.uint32, np.int64):
        raise WeftValueError(f"sample neighbors: indices must be uint32 or int64 (got {dtype})")
    hops = len(relations[0].fanout)
    for number, relation in enumerate(relations):
        _check_relation(number, relation, dtype, hops, len(seeds))
    for kind, nodes in enumerate(seeds):
        if nodes.ndim != 1 or nodes.dtype.kind not in "iu":
            raise WeftValueError(
                f"sample neighbors: seeds must be integers [B] (got {nodes.dtype} {list(nodes.shape)})"
            )
        size = _size(relations, kind)
        wrong = np.flatnonzero((nodes < 0) | (nodes >= size)) if len(nodes) else nodes
        if len(wrong):
            at = int(wrong[0])
            raise WeftValueError(f"sample neighbors: seed {at} is node {nodes[at]}, there are {size} nodes")
    return dtype


def _size(relations: Sequence[Relation], kind: int) -> int:
    """How many nodes of a type there are; 2**63 if no relation says."""
    sizes = [r.nodes for r in relations if r.source == kind]
    return min(sizes + [len(r.indptr) - 1 for r in relations if r.target == kind], default=1 << 63)


def _check_relation(number: int, r: Relation, dtype: np.dtype[Any], hops: int, types: int) -> None:
    wanted = {"indptr": (r.indptr, np.int64), "indices": (r.indices, dtype)}
    if r.weight is not None or r.alias is not None:
        edges = len(r.indices)
        if r.weight is None or r.alias is None or {len(r.weight), len(r.alias)} != {edges}:
            raise WeftValueError(
                f"sample neighbors: relation {number}: weight and alias come together ({edges} edges)"
            )
        wanted |= {"weight": (r.weight, np.float32), "alias": (r.alias, np.uint64)}
    for name, (array, kind) in wanted.items():
        if array.ndim != 1 or array.dtype != kind or not array.flags.c_contiguous:
            raise WeftValueError(
                f"sample neighbors: relation {number}: {name} must be a contiguous vector of "
                f"{np.dtype(kind)} (got {array.dtype} {list(array.shape)})"
            )
    if len(r.indptr) == 0:
        raise WeftValueError(f"sample neighbors: relation {number}: indptr must hold rows + 1 values (got 0)")
    if not (0 <= r.source < types and 0 <= r.target < types):
        raise WeftValueError(
            f"sample neighbors: relation {number} joins types {r.source} and {r.target}; "
            f"there are seeds of {types}"
        )
    if len(r.fanout) != hops:
        raise WeftValueError(
            f"sample neighbors: relation {number} has {len(r.fanout)} hops, the first has {hops}; "
            "give all the same"
        )
    if any(k >= 1 << 31 for k in r.fanout):
        raise WeftValueError(f"sample neighbors: at most 2**31 - 1 neighbors a node (got {max(r.fanout)})")
