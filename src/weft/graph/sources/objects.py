"""Edges from objects of other libraries, known by their attributes: no library is imported for it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from weft.errors import ParseError, WeftTypeError
from weft.graph.ids import Strings
from weft.graph.sources._columns import pick_ends, pick_weight
from weft.graph.sources._messages import listed
from weft.graph.sources.arrays import ArraySource
from weft.graph.sources.matrices import matrix_source

if TYPE_CHECKING:
    from weft.graph.sources._columns import Column

__all__ = ["from_object"]


def from_object(
    graph: Any,  # noqa: ANN401
    *,
    columns: tuple[Column, Column] | None = None,
    weight: Column | Literal[False] | None = None,
) -> ArraySource:
    """Edges of an object.

    Args:
        graph: ``(src, dst)`` or ``(src, dst, weight)``; an array ``[2, E]`` or ``[E, 2]``; a PyG ``Data``; a
            NetworkX graph; a SciPy sparse matrix; a Polars or pandas frame.
        columns: source and target in a frame; None: those called so, else the first two.
        weight: the column of weights in a frame; elsewhere any name demands weights. False leaves weights
            out; None: those there are, in a frame a column called weight.

    Raises:
        ParseError: weights or columns are demanded that are not there.
        WeftTypeError: the object is of another kind.
    """
    weighted = None if weight is None else weight is not False
    if _is_frame(graph):
        return _from_frame(graph, columns, weight)
    if columns is not None:
        raise WeftTypeError(f"columns are for tables, and {type(graph).__name__} has none")
    if hasattr(graph, "edge_index"):
        source = _from_pyg(graph)
    elif hasattr(graph, "tocoo") and hasattr(graph, "shape"):
        matrix = graph.tocoo()
        row, col = matrix.row, matrix.col
        return matrix_source("SciPy matrix", row, col, matrix.data, matrix.shape, weighted=weighted)
    elif hasattr(graph, "is_directed") and hasattr(graph, "edges") and hasattr(graph, "nodes"):
        source = _from_networkx(graph)
    elif isinstance(graph, tuple) and len(graph) in (2, 3):
        source = ArraySource(*(_numpy(part) for part in graph))
    elif hasattr(graph, "shape") and len(graph.shape) == 2 and 2 in tuple(graph.shape):
        pairs = _numpy(graph)
        pairs = pairs if pairs.shape[0] == 2 else pairs.T
        source = ArraySource(pairs[0], pairs[1], name="array")
    else:
        raise WeftTypeError(
            f"cannot read edges from {type(graph).__name__}: expected a path, (src, dst[, weight]) arrays, "
            "an array [2, E], or an object of PyG, NetworkX, SciPy, Polars or pandas"
        )
    return _weights(source, weighted)


def _is_frame(graph: Any) -> bool:  # noqa: ANN401
    return hasattr(graph, "columns") and hasattr(graph, "__getitem__")


def _weights(source: ArraySource, weighted: bool | None) -> ArraySource:
    if weighted and not source.weighted:
        raise ParseError(f"{source.name} has no weights")
    return source.without_weights() if weighted is False else source


def _numpy(values: Any) -> Any:  # noqa: ANN401
    """Tensors, also of a GPU, as arrays; anything else as it is."""
    return values.detach().cpu().numpy() if hasattr(values, "detach") else values


def _from_pyg(data: Any) -> ArraySource:  # noqa: ANN401
    index = _numpy(data.edge_index)
    if index is None or isinstance(index, dict) or len(index) != 2:
        raise WeftTypeError("PyG data needs an edge_index [2, E]; of a HeteroData give data[edge_type]")
    weight = _numpy(getattr(data, "edge_weight", None))
    if weight is None:
        attr = _numpy(getattr(data, "edge_attr", None))
        if attr is not None and (attr.ndim == 1 or (attr.ndim == 2 and attr.shape[1] == 1)):
            weight = attr.reshape(-1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # without features PyG counts up to the highest index
        nodes = getattr(data, "num_nodes", None)
    return ArraySource(
        index[0], index[1], weight, name="PyG data", num_nodes=None if nodes is None else int(nodes)
    )


def _from_networkx(graph: Any) -> ArraySource:  # noqa: ANN401
    nodes = list(graph.nodes)
    whole = all(
        isinstance(node, (int, np.integer)) and not isinstance(node, bool) and -(2**63) <= node < 2**63
        for node in nodes
    )
    if not whole and len({str(node) for node in nodes}) < len(nodes):
        raise ParseError("NetworkX graph: two nodes have the same name as text; relabel them")
    edges = list(graph.edges(data="weight"))
    lonely = [node for node, degree in graph.degree() if degree == 0]
    weight = None
    if any(w is not None for _, _, w in edges):
        weight = [1.0 if w is None else _number(a, b, w) for a, b, w in edges]

    def ids(values: list[Any]) -> Any:  # noqa: ANN401
        return np.array(values, np.int64) if whole else Strings.of([str(v) for v in values])

    return ArraySource(
        ids([a for a, _, _ in edges]),
        ids([b for _, b, _ in edges]),
        weight,
        name="NetworkX graph",
        isolated=ids(lonely) if lonely else None,
    )


def _number(a: object, b: object, weight: Any) -> float:  # noqa: ANN401
    try:
        return float(weight)
    except (TypeError, ValueError):
        raise ParseError(
            f"NetworkX graph: edge ({a!r}, {b!r}) has the weight {weight!r}, expected a number"
        ) from None


def _from_frame(
    frame: Any,  # noqa: ANN401
    columns: tuple[Column, Column] | None,
    weight: Column | Literal[False] | None,
) -> ArraySource:
    names = [str(name) for name in frame.columns]
    if len(names) < 2:
        raise ParseError(f"the frame has {len(names)} column, expected at least 2 (source, target)")
    ends = pick_ends("the frame", names, columns)
    at = pick_weight("the frame", names, weight, ends)
    chosen = (*ends, *([] if at is None else [at]))
    if max(chosen) >= len(names):
        raise ParseError(f"the frame has no column {max(chosen)}; it has {listed(names)}")
    series = [frame[frame.columns[i]] for i in chosen]
    for i, column in zip(ends, series, strict=False):
        empty = column.is_null() if hasattr(column, "is_null") else column.isna()
        if empty.any():
            row = int(empty.to_numpy().argmax())
            raise ParseError(f"the frame has no value in the column {names[i]!r} of row {row:,}")
    return ArraySource(*(column.to_numpy() for column in series), name="frame")
