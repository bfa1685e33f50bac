"""Neighbour sampling in the native core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft import _core, rng
from weft.errors import WeftValueError
from weft.kernels.neighbor.form import Neighborhood, Relation, check

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["neighbor"]


def neighbor(
    relations: Sequence[Relation],
    seeds: Sequence[npt.NDArray[Any]],
    seed: int,
    *,
    batch: int = 0,
    replace: bool = False,
    disjoint: bool = False,
) -> Neighborhood:
    """Sample neighbours of seeds, neighbours of these, and so on.

    What is drawn depends on the seed, the number of the batch and its seeds alone. Batches may be sampled by
    several threads at once; the GIL is released.

    Args:
        relations: what is sampled along, at every hop in this order. All indices are of one dtype.
        seeds: nodes of each type, ``[B]`` of any integer dtype. One that comes twice is sampled for twice.
        seed: 0 to 2**64 - 1.
        batch: its number, below 2**32; other batches draw other neighbours.
        replace: an edge may be drawn twice; a node with any edge then gets all that are asked for.
        disjoint: each seed has a tree of its own; a node that is found from two seeds is two nodes.

    Returns:
        What was found. Without ``replace``, of a node with no more edges than asked for all that do not weigh
        zero are taken, in order.

    Raises:
        WeftValueError: a seed is not a node, an array does not fit, or the graph is damaged.
    """
    dtype = check(relations, seeds, batch)
    no_weight, no_alias = np.empty(0, np.float32), np.empty(0, np.uint64)
    given = [
        (
            r.indptr,
            r.indices,
            no_weight if r.weight is None else r.weight,
            no_alias if r.alias is None else r.alias,
            r.source,
            r.target,
            r.nodes,
            np.array(r.fanout, np.int64),
        )
        for r in relations
    ]
    nodes = [np.ascontiguousarray(some, dtype) for some in seeds]
    sample = _core.neighbor if dtype == np.uint32 else _core.neighbor_wide
    try:
        types, edges = sample(given, nodes, rng.key(seed, rng.Op.NEIGHBOR), batch, replace, disjoint)
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return Neighborhood(
        node=[t[0] for t in types],
        tree=[t[1] for t in types],
        row=[e[0] for e in edges],
        col=[e[1] for e in edges],
        edge=[e[2] for e in edges],
        nodes_of_hop=[t[2] for t in types],
        edges_of_hop=[e[3] for e in edges],
    )
