"""What paths are drawn on, and how. Shapes: N nodes, E edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["UNIT", "PathGraph", "PathSampling"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]

UNIT = 2.0**36  # shares of a row are counted in whole multiples of 1 / UNIT: their sums are exact
_NO_WEIGHT = np.zeros(0, np.float32)
_NO_ALIAS = np.zeros(0, np.uint64)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PathGraph:
    """What is walked on.

    Attributes:
        indptr: int64 ``[N+1]``.
        indices: uint32 ``[E]``.
        out_degree: float64 ``[N]``, the weights of the edges that leave a node, summed.
        in_degree: float64 ``[N]``, of those that reach it.
        weight: float32 ``[E]``, or None: every edge weighs 1.
        alias: uint64 ``[E]`` from :func:`weft.kernels.alias.alias_tables`; None: every edge alike.
    """

    indptr: I64
    indices: U32
    out_degree: F64
    in_degree: F64
    weight: F32 | None = None
    alias: npt.NDArray[np.uint64] | None = None

    def arrays(self) -> tuple[I64, U32, F32, npt.NDArray[np.uint64], F64, F64]:
        """As the core takes them."""
        weight = _NO_WEIGHT if self.weight is None else self.weight
        return (
            self.indptr,
            self.indices,
            weight,
            _NO_ALIAS if self.alias is None else self.alias,
            self.out_degree,
            self.in_degree,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSampling:
    """How paths are drawn.

    Attributes:
        samples: walks over an edge that is not down-sampled, on average.
        keep: an edge of weight w from u to v is walked over with probability
            ``min(1, keep * w * (1 / out_degree[u] + 1 / in_degree[v]))``; at least 1.
        window: steps of a walk, the edge itself being the first.
        key: ``weft.rng.key(seed, Op.PATH)``.
    """

    samples: float
    keep: float
    window: int
    key: int

    @property
    def unit(self) -> float:
        """Units of a whole row: what its entries sum to, on average, where no walk ends early."""
        return self.samples * self.window * UNIT
