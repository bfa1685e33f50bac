"""A sparse matrix in compressed rows. Shapes: [R, C] with E entries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["SparseRows"]


@dataclass(frozen=True, slots=True, eq=False)
class SparseRows:
    """A sparse matrix in compressed rows.

    Attributes:
        indptr: int64 ``[R+1]``.
        indices: uint32 ``[E]``, columns.
        value: float32 ``[E]``, or None: every entry is 1.
        columns: C.
    """

    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.uint32]
    value: npt.NDArray[np.float32] | None
    columns: int

    @property
    def rows(self) -> int:
        """R."""
        return len(self.indptr) - 1
