"""Features of the nodes of several types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from weft.config import show_bytes
from weft.errors import BudgetError, WeftKeyError, WeftTypeError, WeftValueError
from weft.train.inputs import Features, NodesOf, OnNan

if TYPE_CHECKING:
    import os

    import numpy.typing as npt

    from weft.features import FeatureTable
    from weft.graph import HeteroGraph

    Given = str | os.PathLike[str] | npt.ArrayLike | FeatureTable

__all__ = ["features_by_type", "features_of", "open_tables"]


def features_by_type(
    graph: HeteroGraph, given: Mapping[str, Given] | None, on_nan: OnNan
) -> tuple[dict[str, Features], dict[str, int]]:
    """Features of the types that have some; and of the others, if edges join them, how many nodes they have.

    Raises:
        WeftKeyError: features are given for a type there is not.
        WeftTypeError: they are not given by type.
        WeftValueError: they are of other nodes, or broken.
    """
    if given is not None and not isinstance(given, Mapping):
        raise WeftTypeError(
            "train: features of a graph of several types are given by type: --features NAME=FILE (a dict in "
            f"Python; got {type(given).__name__})"
        )
    given = given or {}
    for name in given:
        if name not in graph.nodes:
            raise WeftKeyError(
                f"train: features are given for nodes of type {name!r}; the types are "
                f"{', '.join(graph.node_types)}"
            )
    joined = {name for kind in graph.rows for name in kind[::2]}
    features: dict[str, Features] = {}
    vectors: dict[str, int] = {}
    for name in graph.nodes:
        if name not in joined:
            continue
        if name not in given and name not in graph.features:
            vectors[name] = graph.num_nodes[name]
            continue
        features[name] = features_of(graph, name, given.get(name), on_nan)
    return features, vectors


def features_of(
    graph: HeteroGraph,
    name: str,
    given: Given | None,
    on_nan: OnNan,
    operation: str = "train",
    *,
    known: bool = False,
) -> Features:
    """Those of the nodes of a type; None: what is attached to them.

    Raises:
        WeftValueError: they are missing, of other nodes, or broken.
    """
    try:
        return Features.of(given, NodesOf.type(graph, name), on_nan, operation, known=known)
    except WeftValueError as error:
        raise WeftValueError(f"{error} (nodes of type {name!r})") from None


def open_tables(
    features: Mapping[str, Features], memory: int, graph: HeteroGraph
) -> tuple[dict[str, FeatureTable], list[FeatureTable]]:
    """Tables of all types, each with its share of so many bytes; and those that are ours to close.

    Raises:
        BudgetError: not even a small cache fits.
    """
    shares = _shares({name: one.nbytes for name, one in features.items()}, memory)
    tables: dict[str, FeatureTable] = {}
    ours: list[FeatureTable] = []
    try:
        for name, one in features.items():
            # A node is drawn as often as it has edges to those that draw.
            hotness = np.zeros(graph.num_nodes[name], np.int64)
            for kind, rows in graph.rows.items():
                if kind[0] == name:
                    hotness += np.diff(rows.indptr)
            try:
                tables[name], mine = one.open(shares[name], hotness)
            except BudgetError as error:
                raise BudgetError(
                    f"of the memory of {show_bytes(memory)} for features, those of nodes of type {name!r} "
                    f"have {show_bytes(shares[name])}: {error}"
                ) from None
            if mine:
                ours.append(tables[name])
    except BaseException:
        for table in ours:
            table.close()
        raise
    return tables, ours


def _shares(sizes: Mapping[str, int], memory: int) -> dict[str, int]:
    """Of so many bytes, all that small tables take, and of what is left a share by size for the others."""
    shares: dict[str, int] = {}
    left, rest = memory, sum(sizes.values())
    for number, (name, size) in enumerate(sorted(sizes.items(), key=lambda item: item[1])):
        fair = left // (len(sizes) - number)
        shares[name] = fair if size <= fair else left * size // rest
        left, rest = left - min(size, shares[name]), rest - size
    return shares
