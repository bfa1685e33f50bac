"""The vectors a run begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from weft.kernels.philox import philox_fill
from weft.rng import Op, key

__all__ = ["INITIALISED", "RandomStart", "Start", "at_once", "initial_vectors"]

F32 = npt.NDArray[np.float32]

INITIALISED = 1 << 19
"""Numbers asked for at a time: some MB, as random words and as what is made of them."""


def at_once(dim: int) -> int:
    """How many vectors of ``dim`` numbers to ask for at a time."""
    return max(1, INITIALISED // dim)


class Start(Protocol):
    """Gives both tables' vectors in graph order, a range of nodes at a time."""

    def vectors(self, first: int, count: int) -> tuple[F32, F32]:
        """Of the nodes ``first .. first + count``: vertex and context vectors, ``[count, dim]`` each."""
        ...


@dataclass(frozen=True, slots=True)
class RandomStart:
    """Vertex vectors uniform in ``(-1/2, 1/2) / dim``, context vectors zero.

    Attributes:
        dim: of the vectors.
        seed: of the numbers.
    """

    dim: int
    seed: int

    def vectors(self, first: int, count: int) -> tuple[F32, F32]:
        """As in :class:`Start`."""
        vertex = initial_vectors(first, count, self.dim, self.seed)
        return vertex, np.zeros_like(vertex)


def initial_vectors(first: int, count: int, dim: int, seed: int) -> F32:
    """Vectors of nodes ``first .. first + count`` before training: uniform in ``(-1/2, 1/2) / dim``."""
    blocks = -(-dim // 4)
    words = philox_fill(count * blocks, key(seed, Op.INIT), first * blocks).reshape(count, -1)[:, :dim]
    # 24 bits: every value is a float32, and the middle of its interval, so that none is the bound itself.
    return (((words >> np.uint32(8)) + np.float32(0.5)) * np.float32(2**-24) - np.float32(0.5)) / np.float32(
        dim
    )
