"""What a source of edges is: the one interface between reading and building a graph.

Shapes: B edges of a chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from weft.graph.ids import Strings

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EdgeChunk", "EdgeSource", "IdArray", "IdKind", "ReadReport"]

IdKind = Literal["int", "string"]


IdArray = npt.NDArray[np.int64] | Strings


@dataclass(frozen=True, slots=True, eq=False)
class EdgeChunk:
    """B edges in the order of the input; both ends are of the kind the source says.

    Attributes:
        src: int64 ``[B]``, or B strings.
        dst: as ``src``.
        weight: float32 ``[B]``, finite and not negative; None when the source is not weighted.
    """

    src: IdArray
    dst: IdArray
    weight: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.src)


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What a user should know about a reading, complete once its chunks are exhausted.

    Attributes:
        skipped: lines left out because they could not be read (``on_error="skip"``).
        messages: what was wrong with the first of them.
        notes: decisions made while reading, such as columns that were ignored.
    """

    skipped: int = 0
    messages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class EdgeSource(Protocol):
    """Edges that can be read from the start, again and again, in chunks of bounded size."""

    @property
    def name(self) -> str:
        """What messages call it: usually the path."""
        ...

    @property
    def id_kind(self) -> IdKind:
        """What the ids of every chunk are."""
        ...

    @property
    def weighted(self) -> bool:
        """Whether every chunk has weights."""
        ...

    @property
    def rereadable(self) -> bool:
        """Whether a second reading is cheap (arrays, Parquet) rather than a second parsing."""
        ...

    @property
    def num_nodes(self) -> int | None:
        """How many nodes a source has whose ids are 0 .. num_nodes - 1 (a matrix); else None."""
        ...

    @property
    def num_edges(self) -> int | None:
        """How many edges there are, when that is known before reading."""
        ...

    @property
    def isolated(self) -> IdArray | None:
        """Ids of nodes that belong to the graph though no edge may name them; None for none."""
        ...

    @property
    def position(self) -> int:
        """How much of :meth:`size_hint` the reading in progress has passed."""
        ...

    def size_hint(self) -> int:
        """The size of the input in bytes as stored, compressed or not; what progress is out of."""
        ...

    def chunks(self) -> Iterator[EdgeChunk]:
        """Read from the start. One reading at a time.

        Raises:
            ParseError: something cannot be read as an edge.
            IdRangeError: an integer id does not fit into int64, and nobody asked for integers: read
                again from :meth:`as_strings`.
            StorageError: the system refused a read.
        """
        ...

    def as_strings(self) -> EdgeSource:
        """The same source with string ids."""
        ...

    def report(self) -> ReadReport:
        """What there is to say about the last reading."""
        ...
