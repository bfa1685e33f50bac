"""How hot rows are, in classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError

__all__ = ["heat_classes", "hottest"]

_CLASSES = 64


def heat_classes(hotness: npt.NDArray[Any], rows: int) -> npt.NDArray[np.uint8]:
    """Classes of heat, 0 the hottest of 64, two to an octave below the highest hotness.

    Args:
        hotness: numbers ``[N]`` of at least 0, such as degrees, counts of an earlier epoch, or PageRank.
        rows: N.

    Raises:
        WeftValueError: it is not that.
    """
    hotness = checked(hotness, rows)
    highest = float(hotness.max()) if rows else 0.0
    if highest == 0:
        return np.zeros(rows, np.uint8)
    classes = np.full(rows, _CLASSES - 1, np.uint8)
    for begin in range(0, rows, 1 << 20):  # without a copy in float64 of all
        part = np.asarray(hotness[begin : begin + (1 << 20)], np.float64)
        octaves = -2 * np.log2(np.maximum(part, np.finfo(np.float64).tiny) / highest)
        classes[begin : begin + (1 << 20)] = np.clip(octaves, 0, _CLASSES - 1)
    return classes


def hottest(hotness: npt.NDArray[Any], rows: int, count: int) -> npt.NDArray[np.uint32]:
    """The ``count`` rows of the highest hotness, of equal ones the first, in rising order.

    Raises:
        WeftValueError: hotness is not that.
    """
    hotness = checked(hotness, rows)
    if count >= rows:
        return np.arange(rows, dtype=np.uint32)
    # A stable sort of the whole would take 16 bytes a row; the threshold's ties are settled by number.
    threshold = np.partition(hotness, rows - count)[rows - count]
    above = np.flatnonzero(hotness > threshold)
    ties = np.flatnonzero(hotness == threshold)[: count - len(above)]
    return np.sort(np.concatenate([above, ties])).astype(np.uint32)


def checked(hotness: npt.ArrayLike, rows: int) -> npt.NDArray[Any]:
    """The hotness of ``rows`` rows as an array.

    Raises:
        WeftValueError: it is none.
    """
    hotness = np.asarray(hotness)
    if hotness.shape != (rows,) or hotness.dtype.kind not in "fiub":
        raise WeftValueError(
            f"features: hotness must be numbers [{rows}] (got {hotness.dtype} {list(hotness.shape)})"
        )
    if rows and not (np.isfinite(hotness).all() and hotness.min() >= 0):
        raise WeftValueError("features: hotness must be finite and at least 0")
    return hotness
