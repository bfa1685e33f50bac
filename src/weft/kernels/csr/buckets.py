"""The two steps from edges to rows: scatter into buckets of consecutive sources, sort the buckets.

Taken one after the other they need no more than a bucket in memory at a time, so an import can keep what
lies between them on disk. Shapes: B edges given, A edges scattered, K buckets, R rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Buckets", "Duplicates", "Run", "scatter_edges", "sort_buckets"]

Duplicates = Literal["keep", "drop", "sum"]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

_CODES = {"keep": 0, "drop": 1, "sum": 2}
# 64 Ki keys and their copy are 1 MiB: a bucket is sorted in the second-level cache. Beyond 4096 buckets
# the places that a scatter writes to leave that cache themselves.
_KEYS_IN_CACHE = 1 << 16
_MOST_BUCKETS = 1 << 12


@dataclass(frozen=True, slots=True)
class Buckets:
    """N nodes cut into ranges of ``2 ** shift`` consecutive ones."""

    num_nodes: int
    shift: int

    @classmethod
    def plan(cls, num_nodes: int, edges: int) -> Buckets:
        """Buckets that are sorted in cache, where edges are spread evenly."""
        wanted = min(_MOST_BUCKETS, max(1, edges // _KEYS_IN_CACHE))
        return cls(num_nodes, max(0, -(-num_nodes // wanted) - 1).bit_length())

    @property
    def count(self) -> int:
        """K."""
        return -(-self.num_nodes >> self.shift) if self.num_nodes else 0

    @property
    def dst_bits(self) -> int:
        """Bits of a destination in a key."""
        return max(0, self.num_nodes - 1).bit_length()

    @property
    def index_dtype(self) -> type[np.uint32] | type[np.int64]:
        """The dtype of destinations in rows."""
        return np.uint32 if self.num_nodes <= 1 << 32 else np.int64


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Scattered edges of consecutive buckets.

    Attributes:
        keys: uint64 ``[A]``.
        weight: float32 ``[A]``, or None.
        offsets: int64 ``[K+1]``; bucket b is ``keys[offsets[b] - offsets[0]:offsets[b+1] - offsets[0]]``.
    """

    keys: npt.NDArray[np.uint64]
    weight: F32 | None
    offsets: I64

    def select(self, begin: int, end: int) -> Run:
        """The buckets ``begin .. end-1`` alone; copies nothing."""
        first, last = (int(self.offsets[b] - self.offsets[0]) for b in (begin, end))
        weight = None if self.weight is None else self.weight[first:last]
        return Run(self.keys[first:last], weight, self.offsets[begin : end + 1])


def scatter_edges(
    src: npt.NDArray[Any],
    dst: npt.NDArray[Any],
    weight: F32 | None,
    buckets: Buckets,
    *,
    both_ways: bool,
    drop_loops: bool,
    out: tuple[npt.NDArray[np.uint64], F32 | None] | None = None,
) -> Run:
    """Group edges by the bucket of their source, in the order given.

    Args:
        src: nodes, int64 or uint32 ``[B]``.
        dst: as ``src``.
        weight: float32 ``[B]``, or None.
        buckets: the ranges.
        both_ways: also scatter the reverse of each edge, right behind it; of a self-loop there is none.
        drop_loops: leave out self-loops.
        out: where to put keys and weights: room for B edges, 2 B when ``both_ways``.

    Raises:
        WeftValueError: a node is not in ``0 .. num_nodes-1``.
    """
    room = len(src) * (2 if both_ways else 1)
    keys, weights = out or (np.empty(room, np.uint64), None if weight is None else np.empty(room, np.float32))
    offsets = np.empty(buckets.count + 1, np.int64)
    none = np.empty(0, np.float32)
    try:
        _core.scatter_edges(
            src,
            dst,
            none if weight is None else weight,
            buckets.num_nodes,
            buckets.shift,
            buckets.dst_bits,
            both_ways,
            drop_loops,
            offsets,
            keys,
            none if weight is None or weights is None else weights,
        )
    except (ValueError, IndexError) as error:
        raise WeftValueError(str(error)) from None
    total = int(offsets[-1])
    return Run(keys[:total], None if weight is None or weights is None else weights[:total], offsets)


def sort_buckets(
    runs: Sequence[Run], buckets: Buckets, first: int, duplicates: Duplicates
) -> tuple[I64, npt.NDArray[Any], F32 | None, I64, I64]:
    """Sort consecutive buckets of several runs into rows.

    Args:
        runs: in the order of the input, each with the same K consecutive buckets.
        buckets: all ranges.
        first: which bucket is the first of these.
        duplicates: what becomes of edges with one source and one destination.

    Returns:
        ``degree`` int64 ``[R]`` of the rows of these buckets; ``indices`` ``[A]`` and ``weight``
        float32 ``[A]`` (or None), where bucket b fills ``counts[b]`` places from ``starts[b]``;
        ``starts`` and ``counts``, int64 ``[K]``.
    """
    count = len(runs[0].offsets) - 1
    sizes = np.sum([np.diff(run.offsets) for run in runs], axis=0, dtype=np.int64)
    total = int(sizes.sum())
    rows = min(buckets.num_nodes, (first + count) << buckets.shift) - (first << buckets.shift)
    weighted = duplicates == "sum" or runs[0].weight is not None
    degree, counts = np.empty(rows, np.int64), np.empty(count, np.int64)
    indices = np.empty(total, buckets.index_dtype)
    weight = np.empty(total if weighted else 0, np.float32)
    none = np.empty(0, np.float32)
    try:
        _core.sort_buckets(
            [run.keys for run in runs],
            [none if run.weight is None else run.weight for run in runs],
            [run.offsets for run in runs],
            buckets.shift,
            buckets.dst_bits,
            _CODES[duplicates],
            degree,
            indices,
            weight,
            counts,
        )
    except (ValueError, IndexError) as error:
        raise WeftValueError(str(error)) from None
    return degree, indices, weight if weighted else None, np.cumsum(sizes) - sizes, counts
