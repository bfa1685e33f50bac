"""What both forms of the op take and give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Drawn", "checked"]


class Drawn(NamedTuple):
    """Events of roots, root after root; S of them.

    Attributes:
        row: int64 ``[S]``, the number of the root.
        node: uint32 ``[S]``, at the other end.
        number: uint32 ``[S]``, of the event.
        time: int64 ``[S]``, of the event.
    """

    row: npt.NDArray[np.int64]
    node: npt.NDArray[np.uint32]
    number: npt.NDArray[np.uint32]
    time: npt.NDArray[np.int64]


def checked(what: str, arrays: Sequence[npt.ArrayLike], dtypes: Sequence[type]) -> list[npt.NDArray[Any]]:
    """Arrays of one length and these dtypes, from what loses nothing by it.

    Raises:
        WeftValueError: they are of several lengths, have more than one dimension, hold no integers, or a
            number that does not fit.
    """
    made: list[npt.NDArray[Any]] = []
    for given, dtype in zip(map(np.asarray, arrays), dtypes, strict=True):
        if given.ndim != 1 or (given.dtype.kind not in "iu" and given.size):
            raise WeftValueError(f"{what}: give integers [N] (got {given.dtype} {list(given.shape)})")
        if given.dtype != dtype and given.size:
            bounds = np.iinfo(dtype)
            low, high = int(given.min()), int(given.max())
            if low < bounds.min or high > bounds.max:
                worst = low if low < bounds.min else high
                raise WeftValueError(f"{what}: {worst} does not fit into {np.dtype(dtype)}")
        made.append(np.ascontiguousarray(given, dtype))
    if len({len(array) for array in made}) > 1:
        lengths = ", ".join(str(len(array)) for array in made)
        raise WeftValueError(f"{what}: arrays differ in length ({lengths})")
    return made
