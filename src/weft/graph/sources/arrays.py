"""Edges that are in memory already. Shapes: E edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft.errors import ParseError, WeftTypeError, WeftValueError
from weft.graph.ids import Strings
from weft.graph.sources.base import EdgeChunk, IdArray, IdKind, ReadReport

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHUNK", "ArraySource", "check_weights", "slice_strings"]

# Rows of a chunk: 1 Mi edges are 16 MiB of ids, and row groups of Parquet files are often as long.
CHUNK = 1 << 20
_MOST = np.iinfo(np.int64).max


class ArraySource:
    """Edges in arrays.

    Args:
        src: integers, or strings, ``[E]``; with integers past int64 all ids become strings.
        dst: as ``src``.
        weight: numbers ``[E]``, finite and not negative.
        name: what messages call the arrays.
        num_nodes: ids are 0 .. num_nodes - 1, whether or not an edge names them.
        isolated: ids of further nodes, as ``src``.

    Raises:
        WeftTypeError: ids are neither integers nor strings.
        WeftValueError: lengths differ.
        ParseError: a weight is out of range, the message gives its position; or a string is no Unicode.
    """

    rereadable = True

    def __init__(
        self,
        src: npt.ArrayLike | Strings,
        dst: npt.ArrayLike | Strings,
        weight: npt.ArrayLike | None = None,
        *,
        name: str = "arrays",
        num_nodes: int | None = None,
        isolated: npt.ArrayLike | Strings | None = None,
    ) -> None:
        self.name = name
        self.num_nodes = num_nodes
        self.position = 0
        self._src, self._dst = _ids(name, "source", src), _ids(name, "target", dst)
        if isinstance(self._src, Strings) != isinstance(self._dst, Strings):
            self._src, self._dst = _texts(self._src), _texts(self._dst)
        self.isolated: IdArray | None = None
        if isolated is not None:
            more = _ids(name, "isolated node", isolated)
            self.isolated = _texts(more) if isinstance(self._src, Strings) else _int64(more)
        self._weight = None if weight is None else _numbers(name, weight)
        lengths = [len(self._src), len(self._dst), *([] if self._weight is None else [len(self._weight)])]
        if len(set(lengths)) > 1:
            raise WeftValueError(f"{name}: sources, targets and weights must be equally many (got {lengths})")
        self.num_edges: int | None = lengths[0]

    @property
    def id_kind(self) -> IdKind:
        """What the arrays hold."""
        return "string" if isinstance(self._src, Strings) else "int"

    @property
    def weighted(self) -> bool:
        """Whether weights were given."""
        return self._weight is not None

    def size_hint(self) -> int:
        """Bytes of the ids."""
        return len(self._src) * 16

    def chunks(self) -> Iterator[EdgeChunk]:
        """The edges in order."""
        for begin in range(0, len(self._src), CHUNK):
            end = min(begin + CHUNK, len(self._src))
            weight = None
            if self._weight is not None:
                weight = check_weights(self.name, self._weight[begin:end], begin, "edge")
            self.position = end * 16
            yield EdgeChunk(_cut(self._src, begin, end), _cut(self._dst, begin, end), weight)

    def as_strings(self) -> ArraySource:
        """The same edges with ids in decimal; nodes without edges stay."""
        more = None if self.isolated is None else _texts(self.isolated)
        if self.num_nodes is not None:
            more = _texts(np.arange(self.num_nodes))
        return ArraySource(_texts(self._src), _texts(self._dst), self._weight, name=self.name, isolated=more)

    def without_weights(self) -> ArraySource:
        """The same edges, all alike."""
        kept = {"name": self.name, "num_nodes": self.num_nodes, "isolated": self.isolated}
        return ArraySource(self._src, self._dst, **kept)

    def report(self) -> ReadReport:
        """Nothing was guessed."""
        return ReadReport()


def check_weights(name: str, weight: npt.NDArray[Any], first: int, row: str) -> npt.NDArray[np.float32]:
    """Weights as float32.

    Raises:
        ParseError: one is not finite or is negative.
    """
    with np.errstate(over="ignore"):
        out = weight.astype(np.float32) + np.float32(0)
    bad = ~(np.isfinite(out) & (out >= 0))
    if bad.any():
        at = int(bad.argmax())
        raise ParseError(
            f"{name} {row} {first + at + 1:,} has the weight {weight[at]}, expected a finite number that is "
            "not negative"
        )
    return out


def slice_strings(strings: Strings, begin: int, end: int) -> Strings:
    """Strings ``begin .. end``, without a copy of their bytes."""
    offsets = strings.offsets[begin : end + 1]
    return Strings(strings.data[offsets[0] : offsets[-1]], offsets - offsets[0])


def _ids(name: str, what: str, values: npt.ArrayLike | Strings) -> npt.NDArray[Any] | Strings:
    if isinstance(values, Strings):
        return values
    array = np.asarray(values)
    if array.ndim != 1:
        raise WeftValueError(f"{name}: {what} ids must be one-dimensional (got {list(array.shape)})")
    if array.dtype.kind in "UO" and all(isinstance(v, str) for v in array.tolist()):
        return _packed(name, what, array.tolist())
    if array.dtype.kind == "O" and all(type(v) is int for v in array.tolist()):
        return Strings.of([str(v) for v in array.tolist()])  # NumPy keeps as objects what passes 64 bits
    if array.dtype.kind not in "iu" and array.size > 0:
        raise WeftTypeError(f"{name}: {what} ids must be integers or strings (got {array.dtype})")
    if array.dtype == np.uint64 and array.size > 0 and array.max() > _MOST:
        return Strings.of([str(v) for v in array.tolist()])
    return array


def _packed(name: str, what: str, strings: list[str]) -> Strings:
    try:
        return Strings.of(strings)
    except UnicodeEncodeError as e:
        raise ParseError(f"{name}: the {what} id {e.object!r:.60} is no valid Unicode ({e.reason})") from None


def _numbers(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "fiub":
        raise WeftValueError(
            f"{name}: weights must be numbers in one dimension (got {array.dtype} {list(array.shape)})"
        )
    return array


def _texts(ids: npt.NDArray[Any] | Strings) -> Strings:
    return ids if isinstance(ids, Strings) else Strings.of([str(i) for i in ids.tolist()])


def _int64(ids: npt.NDArray[Any] | Strings) -> npt.NDArray[np.int64]:
    if isinstance(ids, Strings):
        raise WeftTypeError("isolated nodes must have ids of the kind that edges have, integers")
    return ids.astype(np.int64)


def _cut(ids: npt.NDArray[Any] | Strings, begin: int, end: int) -> IdArray:
    if isinstance(ids, Strings):
        return slice_strings(ids, begin, end)
    return np.ascontiguousarray(ids[begin:end], np.int64)
