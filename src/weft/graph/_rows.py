"""What a graph of several types consists of: nodes of a type, edges of a type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from weft.graph.ids import Ids
from weft.graph.labels import Labels
from weft.kernels import csr

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EdgeType", "Nodes", "Rows", "edge_name"]

EdgeType: TypeAlias = tuple[str, str, str]
Array = npt.NDArray[Any]
I64 = npt.NDArray[np.int64]


def edge_name(kind: EdgeType) -> str:
    """A type of edges in words."""
    return f"{kind[0]} -{kind[1]}-> {kind[2]}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Nodes:
    """The N nodes of a type.

    Attributes:
        ids: how the ids of the input map to them.
        labels: if attached.
        features: ``[N, F]``, if attached; of a codec, records ``[N]``.
        split: what they are for (train, val, test), as labels, if attached.
    """

    ids: Ids
    labels: Labels | None = None
    features: Array | None = None
    split: Labels | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rows:
    """The E edges of a type: those that leave node i are ``indices[indptr[i]:indptr[i+1]]``, rising.

    Attributes:
        indptr: int64 ``[N+1]``, by sources.
        indices: uint32 ``[E]``, the targets; int64 where a type of the graph has more than 2**32 nodes.
        weight: float32 ``[E]``, or None: every edge weighs 1.
    """

    indptr: I64
    indices: Array
    weight: npt.NDArray[np.float32] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays())

    def arrays(self) -> list[Array]:
        """Those there are."""
        return [self.indptr, self.indices, *([] if self.weight is None else [self.weight])]

    def map(self, change: Callable[[Array], Array]) -> Rows:
        """The rows with every array changed."""
        weight = None if self.weight is None else change(self.weight)
        return Rows(indptr=change(self.indptr), indices=change(self.indices), weight=weight)

    def sources(self) -> I64:
        """The source of each edge; int64 ``[E]``."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))

    def reverse(self, targets: int) -> Rows:
        """Every edge turned round.

        Args:
            targets: how many nodes of the type of the targets there are.

        Raises:
            WeftValueError: the rows are damaged.
        """
        indptr, indices, weight = csr.transpose(self.indptr, self.indices, self.weight, targets)
        return Rows(indptr=indptr, indices=indices, weight=weight)

    def turned(self, targets: int) -> tuple[Rows, Array]:
        """As :meth:`reverse`, and where each edge was; uint32 or int64 ``[E]``."""
        indptr, indices, places = csr.transpose_places(self.indptr, self.indices, targets)
        weight = None if self.weight is None else self.weight[places]
        return Rows(indptr=indptr, indices=indices, weight=weight), places

    @classmethod
    def of(
        cls,
        src: Array,
        dst: Array,
        weight: npt.NDArray[np.float32] | None,
        sources: int,
        targets: int,
        duplicates: Any = "keep",  # noqa: ANN401
    ) -> Rows:
        """Rows from edges between two sets of nodes.

        Args:
            src: int64 or uint32 ``[E]``.
            dst: as ``src``.
            weight: float32 ``[E]``, or None.
            sources: how many nodes there are that edges may leave.
            targets: how many there are that they may lead to.
            duplicates: ``keep``, ``drop`` or ``sum``.
        """
        # The kernel knows one set of nodes: the larger, of which the sources are the first.
        indptr, indices, weight = csr.edges_to_csr(
            src, dst, weight, max(sources, targets), duplicates=duplicates
        )
        if sources < targets:
            indptr = indptr[: sources + 1].copy()
        return cls(indptr=indptr, indices=indices, weight=weight)
