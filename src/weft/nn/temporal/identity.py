"""Random columns that tell nodes apart.

Shapes: N nodes, D columns.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from weft import rng
from weft.checks import check_int
from weft.kernels.philox import philox_fill

__all__ = ["Identity", "Rows"]


class Rows(Protocol):
    """Rows ``[N, F]`` by number, as :class:`weft.features.FeatureTable` has them."""

    @property
    def shape(self) -> tuple[int, int]:
        """(N, F)."""
        ...

    def take(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Rows ``[M, F]`` of ids ``[M]``."""
        ...


class Identity:
    """A vector of random signs for every node, of length one.

    What a one-hot column for each node says, in D columns: two nodes have vectors nearly at right angles
    (Johnson, Lindenstrauss, 1984), so that a linear map can find a node in a sum of few. New nodes have
    theirs at once, and nothing need be learned or kept.

    Args:
        dim: D.
        seed: 0 to 2**64 - 1.
    """

    def __init__(self, dim: int, seed: int = 0) -> None:
        self.dim = check_int("identity: dim", dim, 1)
        self._key = rng.key(seed, rng.Op.SKETCH)
        self._rows = torch.empty(0, dim)

    @property
    def rows(self) -> Tensor:
        """Float32 ``[N, D]`` of the nodes seen so far."""
        return self._rows

    def grow(self, nodes: int) -> Tensor:
        """Rows of at least so many nodes."""
        have = len(self._rows)
        if nodes > have:
            more = max(nodes, have + have // 2)
            blocks = -(-self.dim // 128)
            bits = np.stack(
                [philox_fill(more - have, self._key, first=have, index=i) for i in range(blocks)], axis=1
            )
            signs = np.unpackbits(bits.view(np.uint8).reshape(more - have, -1), axis=1)[:, : self.dim]
            made = (signs.astype(np.float32) * 2 - 1) / math.sqrt(self.dim)
            self._rows = torch.cat([self._rows, torch.from_numpy(made)])
        return self._rows

    def take(self, node: npt.NDArray[np.int64]) -> Tensor:
        """Float32 ``[..., D]`` of nodes, int64 ``[...]``."""
        rows = self.grow(int(node.max(initial=-1)) + 1)
        flat = rows.index_select(0, torch.from_numpy(node.reshape(-1)))
        return flat.view(*node.shape, self.dim)
