"""Neighbours of roots as rectangles, which few large operations can work on.

Shapes: R roots, K events of each at most, S events, D columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

if TYPE_CHECKING:
    from torch import Tensor

    from weft.sampling import TemporalHop

__all__ = ["Near", "rectangle"]

I64 = npt.NDArray[np.int64]


class Near(NamedTuple):
    """Events before each root, the newest first; where there is none, zeros.

    Attributes:
        there: bool ``[R, K]``, whether there is one.
        node: int64 ``[R, K]``, the node at the other end.
        col: int64 ``[R, K]``, its number in the hop's nodes.
        eid: int64 ``[R, K]``.
        delta: float32 ``[R, K]``, how long before the root; taken as int64, then rounded.
    """

    there: Tensor
    node: I64
    col: Tensor
    eid: I64
    delta: Tensor


def rectangle(hop: TemporalHop, roots: int, width: int) -> Near:
    """The events of a hop of so many roots, with at most ``width`` for each."""
    first_R = np.searchsorted(hop.row, np.arange(roots))
    at_S = hop.row * width + np.arange(len(hop.row)) - first_R[hop.row]

    def spread(values: npt.NDArray[Any] | bool, dtype: type) -> npt.NDArray[Any]:
        if roots * width == len(hop.row) and isinstance(values, np.ndarray):  # all rows are full
            return values.astype(dtype).reshape(roots, width)
        out = np.zeros(roots * width, dtype)
        out[at_S] = values
        return out.reshape(roots, width)

    return Near(
        there=torch.from_numpy(spread(True, bool)),
        node=spread(hop.node[hop.col], np.int64),
        col=torch.from_numpy(spread(hop.col, np.int64)),
        eid=spread(hop.eid, np.int64),
        delta=torch.from_numpy(spread(hop.delta, np.float32)),
    )
