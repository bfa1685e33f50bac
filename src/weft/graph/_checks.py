"""What is asked of the arrays that a graph is made from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.kernels.codec import said_by

__all__ = ["integers", "shape_of", "weights"]


def shape_of(features: npt.NDArray[Any]) -> str:
    """The shape of features in words, ``[N, F]``, and their codec where the dtype is none of NumPy's."""
    said = said_by(features.dtype)
    return str(list(features.shape)) if said is None else f"{[len(features), said[1]]} {said[0]}"


def integers(name: str, values: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Values as contiguous int64.

    Raises:
        WeftValueError: they are no integers in one dimension, or do not fit.
    """
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise WeftValueError(
            f"{name} must be a 1-D array of integers (got {array.dtype} {list(array.shape)})"
        )
    if array.dtype.kind == "u" and array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise WeftValueError(
            f"{name} holds {int(array.max())}, past 2**63-1; pass such ids as strings to an import"
        )
    return np.ascontiguousarray(array, np.int64)


def weights(values: npt.ArrayLike, edges: int) -> npt.NDArray[np.float32]:
    """Weights as contiguous float32, one an edge.

    Raises:
        WeftValueError: there are not as many, or one is negative, infinite or NaN.
    """
    try:
        with np.errstate(over="ignore"):  # what does not fit becomes infinite and is refused below
            weight_E = np.ascontiguousarray(values, np.float32)
    except (TypeError, ValueError):
        raise WeftValueError(f"weight must be numbers [{edges}], one an edge (got {values!r})") from None
    if weight_E.shape != (edges,):
        raise WeftValueError(
            f"weight must have the shape [{edges}] of the edges (got {list(weight_E.shape)})"
        )
    bad = ~(weight_E >= 0) | np.isinf(weight_E)
    if bad.any():
        at = int(bad.argmax())
        raise WeftValueError(f"weight[{at}] is {weight_E[at]}; weights must be finite and not negative")
    return weight_E
