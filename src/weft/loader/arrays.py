"""What users give, as the arrays that loaders work on.

Shapes: N nodes, B seeds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import torch

from weft.errors import WeftTypeError, WeftValueError
from weft.features import Decoded, FeatureTable, MemoryTable, codec_of

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["as_array", "as_fanout", "as_labels", "as_nodes", "as_table", "as_tensor"]

I64 = npt.NDArray[np.int64]


def as_array(values: object, what: str) -> npt.NDArray[Any]:
    """A tensor, array or sequence as an array; memory is shared where it can be.

    Raises:
        WeftTypeError: it is none, or a tensor that NumPy has no array for.
    """
    if isinstance(values, torch.Tensor):
        try:
            return values.detach().cpu().numpy()
        except TypeError:
            raise WeftTypeError(
                f"{what}: NumPy knows no {values.dtype}, {values.layout}; give a dense float32 or float16 "
                "tensor"
            ) from None
    if isinstance(values, str | bytes) or hasattr(values, "keys"):
        raise WeftTypeError(f"{what} must be an array or tensor (got {type(values).__name__})")
    try:
        array = np.asarray(values)
    except ValueError:
        raise WeftTypeError(f"{what} must be an array (got lists of different lengths)") from None
    if array.dtype == object:
        raise WeftTypeError(f"{what} must be an array or tensor (got {type(values).__name__})")
    return array


def as_tensor(values: object, what: str) -> torch.Tensor:
    """A tensor; of anything else a copy, since torch has no arrays that cannot be written to.

    Raises:
        WeftTypeError: it is no array, or torch has no such numbers.
    """
    if isinstance(values, torch.Tensor):
        return values
    array = as_array(values, what)
    try:
        return torch.tensor(np.ascontiguousarray(array))
    except TypeError:
        raise WeftTypeError(f"{what}: torch has no tensors of {array.dtype}; give numbers") from None


def as_table(features: object, nodes: int | None, what: str = "features") -> FeatureTable:
    """A table of features; of an array or a tensor, one that reads where it is.

    Args:
        features: what the user gave.
        nodes: rows that it must have; None: any.
        what: its name in messages.

    Raises:
        WeftTypeError: it is no table, array or tensor, or of a dtype that torch does not have.
        WeftValueError: it has not one row for each node.
    """
    table = cast("FeatureTable", features)
    if not (callable(getattr(features, "take", None)) and callable(getattr(features, "submit", None))):
        if hasattr(features, "__fspath__") or isinstance(features, str):
            raise WeftTypeError(
                f"{what}: {features} is a path; give weft.features.open({str(features)!r}, memory=...)"
            )
        rows = np.ascontiguousarray(as_array(features, what))
        table, codec = MemoryTable(rows, copy=False), codec_of(rows)
        if codec in ("bfloat16", "int8"):
            table = Decoded(table, codec)
    try:
        torch.from_numpy(np.empty(0, table.dtype))
    except (TypeError, ValueError):
        raise WeftTypeError(
            f"{what}: torch has no numbers of {table.dtype!r}; store them as float32 (numpy.float32)"
        ) from None
    if nodes is not None and table.shape[0] != nodes:
        raise WeftValueError(
            f"{what} has {table.shape[0]:,} rows, the graph {nodes:,} nodes; there must be a row for each "
            "node, in their order"
        )
    return table


def as_labels(labels: object, nodes: int, what: str = "y") -> torch.Tensor:
    """A value, or a row of them, for each node.

    Raises:
        WeftTypeError: it is no array or tensor.
        WeftValueError: it has not one entry for each node.
    """
    tensor = as_tensor(labels, what)
    if tensor.ndim == 0 or len(tensor) != nodes:
        raise WeftValueError(
            f"{what} has the shape {list(tensor.shape)}, the graph {nodes:,} nodes; there must be an entry "
            "for each node, in their order (seeds are chosen by input_nodes)"
        )
    return tensor


def as_nodes(given: object, nodes: int, what: str = "input_nodes") -> tuple[I64, bool]:
    """Seeds, int64 ``[B]``, and whether they were given as a mask.

    Raises:
        WeftTypeError: they are no array or tensor.
        WeftValueError: one is no node, or there are none.
    """
    array = np.arange(nodes) if given is None else as_array(given, what)
    masked = array.dtype == bool
    if masked and array.shape != (nodes,):
        raise WeftValueError(f"{what}: a mask must have the shape [{nodes}] (got {list(array.shape)})")
    seed_B = np.flatnonzero(array) if masked else array
    if seed_B.ndim != 1 or (seed_B.size and seed_B.dtype.kind not in "iu"):
        raise WeftValueError(
            f"{what} must be integers [B] or a mask [{nodes}] (got {array.dtype} {list(array.shape)})"
        )
    if len(seed_B) == 0:
        raise WeftValueError(f"{what}: there are no seeds" + (", the mask holds none" if masked else ""))
    wrong = np.flatnonzero((seed_B < 0) | (seed_B >= nodes))
    if len(wrong):
        at = int(wrong[0])
        raise WeftValueError(f"{what}: seed {at} is node {seed_B[at]}, there are {nodes:,} nodes")
    return seed_B.astype(np.int64), masked


def as_fanout(num_neighbors: Sequence[int]) -> list[int]:
    """Neighbours at each hop.

    Raises:
        WeftValueError: there are none, or it is no list.
    """
    if isinstance(num_neighbors, str) or not np.iterable(num_neighbors) or len(num_neighbors) == 0:
        raise WeftValueError(
            "num_neighbors must list how many neighbors to sample at each hop, [15, 10] for example "
            f"(got {num_neighbors!r})"
        )
    return list(num_neighbors)
