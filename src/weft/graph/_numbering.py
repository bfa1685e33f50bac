"""From the ids of the input to nodes 0 .. N-1. Shapes: B edges of a chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from weft.errors import WeftValueError
from weft.graph.ids import Ids, Strings
from weft.kernels.idmap import IdIndex, IdSet, narrow_ids
from weft.kernels.intern import Interner

if TYPE_CHECKING:
    from weft.graph.sources.base import EdgeChunk, IdArray

__all__ = ["Collecting", "Declared", "Integers", "Numbering", "Texts"]

Array = npt.NDArray[Any]


class Collecting(Protocol):
    """Sees every edge once."""

    def collect(self, chunk: EdgeChunk) -> tuple[Array, Array]:
        """Take note of a chunk's ids; gives both ends as :meth:`Numbering.place` takes them."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes held while collecting, of what takes as much again to finish."""
        ...


class Numbering(Collecting, Protocol):
    """Sees every edge once, unless it knows the ids beforehand; then places them."""

    def note(self, ids: IdArray) -> Array:
        """Take note of ids; gives them as :meth:`place` takes them."""
        ...

    def finish(self) -> Ids:
        """No more ids. Gives those of nodes 0 .. N-1."""
        ...

    def place(self, external: Array, out: Array, edge: int, name: str) -> None:
        """Write the nodes of ids to ``out``; ``edge`` counts the edges before these."""
        ...


class Declared:
    """Ids are 0 .. N-1 and need not all occur: one reading is enough."""

    def __init__(self, num_nodes: int) -> None:
        self._count = num_nodes
        self._index = IdIndex(num_nodes)

    def collect(self, chunk: EdgeChunk) -> tuple[Array, Array]:
        """Nothing to note."""
        return _integers(chunk.src), _integers(chunk.dst)

    def note(self, ids: IdArray) -> Array:
        """Nothing to note."""
        return _integers(ids)

    @property
    def nbytes(self) -> int:
        """None."""
        return 0

    def finish(self) -> Ids:
        """The range."""
        return Ids.range(self._count)

    def place(self, external: Array, out: Array, edge: int, name: str) -> None:
        """Check and copy.

        Raises:
            WeftValueError: an id past the declared count.
        """
        try:
            self._index.map(external, out)
        except WeftValueError:
            at = int(np.flatnonzero((external < 0) | (external >= self._count))[0])
            raise WeftValueError(
                f"{name}: edge {edge + at + 1:,} names node {int(external[at])}, past the declared count: "
                f"with num_nodes={self._count} ids are 0 .. {self._count - 1}; declare more nodes, or none"
            ) from None


class Integers:
    """The distinct integers of the input in rising order.

    Args:
        bitmap: bytes that may be taken to note ids of a compact range.
    """

    def __init__(self, bitmap: int) -> None:
        self._set = IdSet(bitmap)
        self._index: IdIndex | None = None

    def collect(self, chunk: EdgeChunk) -> tuple[Array, Array]:
        """Add the ids; they are passed on in 32 bits where they fit."""
        return self.note(chunk.src), self.note(chunk.dst)

    def note(self, ids: IdArray) -> Array:
        """Add ids."""
        narrow = narrow_ids(_integers(ids))
        self._set.add(narrow)
        return narrow

    @property
    def nbytes(self) -> int:
        """Bytes held while collecting."""
        return self._set.nbytes

    def finish(self) -> Ids:
        """The ids, and the index for :meth:`place`."""
        values = self._set.finish()
        self._index = IdIndex(values)
        return Ids.range(len(values)) if self._index.is_range else Ids.integers(values)

    def place(self, external: Array, out: Array, edge: int, name: str) -> None:
        """Look ids up.

        Raises:
            WeftValueError: an id was not there when ids were collected.
        """
        assert self._index is not None
        try:
            self._index.map(external, out)
        except WeftValueError as error:
            raise WeftValueError(f"{name} changed while it was read: {error}") from None


class Texts:
    """Strings in the order in which they appear, an edge's source before its destination."""

    def __init__(self) -> None:
        self._interner = Interner()

    def collect(self, chunk: EdgeChunk) -> tuple[Array, Array]:
        """Number the strings; the numbers are the nodes."""
        src, dst = _strings(chunk.src), _strings(chunk.dst)
        return self._interner.add_pairs((src.data, src.offsets), (dst.data, dst.offsets))

    def note(self, ids: IdArray) -> Array:
        """Number strings."""
        more = _strings(ids)
        return self._interner.add(more.data, more.offsets)

    @property
    def nbytes(self) -> int:
        """None: they are finished as they are."""
        return 0

    def finish(self) -> Ids:
        """All strings."""
        return Ids.strings(*self._interner.names())

    def place(self, external: Array, out: Array, edge: int, name: str) -> None:
        """They are nodes already."""
        out[:] = external


def _integers(ids: IdArray) -> npt.NDArray[np.int64]:
    assert isinstance(ids, np.ndarray)
    return ids


def _strings(ids: IdArray) -> Strings:
    assert isinstance(ids, Strings)
    return ids
