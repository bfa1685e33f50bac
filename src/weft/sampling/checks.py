"""Checks of what samplers are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from weft.errors import WeftTypeError, WeftValueError
from weft.graph import Graph

__all__ = ["check_graph", "checked_nodes"]


def check_graph(operation: str, graph: object) -> None:
    """Refuse what is no graph of one type.

    Raises:
        WeftTypeError: it is none.
    """
    if not isinstance(graph, Graph):
        raise WeftTypeError(
            f"{operation}: graph must be a weft.Graph (got {type(graph).__name__}); weft.Graph.open(DIR) "
            "opens one"
        )


def checked_nodes(what: str, nodes: object) -> npt.NDArray[Any]:
    """Nodes as an array of integers ``[B]``.

    Raises:
        WeftValueError: they are none.
    """
    try:
        array = np.asarray(nodes)
    except ValueError:
        array = np.empty(0, object)
    if array.ndim != 1 or array.dtype == object or (array.size and array.dtype.kind not in "iu"):
        raise WeftValueError(f"{what} must be integers [B] (got {nodes!r})")
    return array if array.size else np.empty(0, np.int64)
