"""Tiers chosen by memory: one number is all that a user sets."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.config import parse_bytes, show_at_least, show_bytes, show_rows
from weft.errors import BudgetError, FormatError, StorageError, WeftTypeError, WeftValueError
from weft.features.cached import CachedTable, least_memory
from weft.features.codec import Decoded, codec_of, raw_header
from weft.features.disk import DiskTable, read_bytes
from weft.features.memory import MemoryTable
from weft.features.policies import POLICIES
from weft.features.table import checked_table
from weft.npy import open_npy, read_header

if TYPE_CHECKING:
    from weft.features.table import Array, FeatureTable
    from weft.kernels.codec import Codec

__all__ = ["describe", "open", "uncached"]

_SHARE = 16  # of the memory for reads under way: one in so many
_LEAST, _MOST = 512 << 10, 128  # bytes of reads under way, and how many


def open(
    source: str | os.PathLike[str] | Array | FeatureTable,
    memory: int | str,
    *,
    policy: str = POLICIES[0],
    hotness: Array | None = None,
    window: int = 64,
    decode: bool = True,
    verbose: bool = True,
) -> FeatureTable:
    """Rows from wherever they are, within a budget of memory.

    What fits is loaded, on huge pages; of what does not, the rows that are needed soon are kept and
    the others read from disk past the page cache.

    Args:
        source: a ``.npy`` file, an array ``[N, F]`` (a CPU tensor too; a memory-mapped ``.npy`` file
            counts as the file), or a table.
        memory: bytes, or a text such as ``"2GiB"``, for everything that the table takes.
        policy: what the cache keeps; see :class:`CachedTable`.
        hotness: numbers ``[N]`` such as the nodes' degrees; see :class:`CachedTable`.
        window: see :class:`CachedTable`.
        decode: give float32 of rows that are stored as float16, bfloat16 or int8 (:func:`encode`); in memory
            and in the cache they stay as they are stored. Otherwise float16 is given as it is, and the others
            as bytes.
        verbose: say on stderr what was chosen.

    Raises:
        BudgetError: the memory does not suffice for a cache of one row.
        FormatError: the file holds no features.
        StorageError: it cannot be read.
        WeftTypeError: the source is nothing that NumPy has an array for.
        WeftValueError: the array holds none, or an option is none.
    """
    budget = parse_bytes(memory)
    if policy not in POLICIES:
        raise WeftValueError(f"features: policy must be one of {', '.join(POLICIES)} (got {policy!r})")
    codec = _codec(source) if decode else None
    table = _tier(source, budget)
    if not isinstance(table, MemoryTable) and _size(table) > _left(table, budget):
        try:
            _check_room(table, budget, policy)
            table = CachedTable(table, _left(table, budget), policy=policy, hotness=hotness, window=window)
        except BaseException:
            table.close()
            raise
    if codec is not None:
        table = Decoded(table, codec)
    if verbose:
        sys.stderr.write(show_rows(describe(table)))
    return table


def describe(table: FeatureTable) -> dict[str, str]:
    """Where the rows of a table are, for people: a name and a text for each fact."""
    rows, columns = checked_table(table).shape
    facts = {"features": f"{rows:,} × {columns:,} {table.dtype}, {show_bytes(_size(table))}"}
    if isinstance(table, Decoded):
        base, codec = table.base, table.codec
        facts["features"] = f"{rows:,} × {columns:,} {table.dtype}, {show_bytes(_size(base))} as {codec}"
        table = base
    if isinstance(table, MemoryTable):
        mapped = isinstance(table.rows, np.memmap)
        return facts | {"tiers": "a mapped file, through the page cache" if mapped else "all in memory"}
    base: Any = table
    if isinstance(table, CachedTable):
        base = table.base
        share = 100 * table.rows_kept / max(1, rows)
        facts["cache"] = (
            f"{show_bytes(table.memory)}: {table.rows_kept:,} rows ({share:.1f} %), policy {table.policy}"
        )
    if isinstance(base, DiskTable):
        how = (
            f"{base.io}, {'past' if base.direct else 'through'} the page cache, {base.depth} reads under way"
        )
        facts["disk"] = f"{base.path} by {how}"
    return facts


def uncached(table: FeatureTable) -> FeatureTable:
    """The table behind a cache, for one who reads all rows once: they would push out what others need."""
    if isinstance(table, Decoded):
        return Decoded(uncached(table.base), table.codec)
    return uncached(table.base) if isinstance(table, CachedTable) else table


def _size(table: FeatureTable) -> int:
    return table.shape[0] * table.shape[1] * table.dtype.itemsize


def _left(table: FeatureTable, budget: int) -> int:
    """What of the budget is left for a cache."""
    if not isinstance(table, DiskTable):
        return budget
    return budget - table.depth * read_bytes(table.shape[1] * table.dtype.itemsize)


def _check_room(table: FeatureTable, budget: int, policy: str) -> None:
    """Refuse a budget in which a cache has no room for a row."""
    least, reads = least_memory(table, policy), budget - _left(table, budget)
    if _left(table, budget) < least:
        # Reads may take a part of the memory, and so more of more.
        enough = max(least + max(reads, _LEAST if reads else 0), math.ceil(least * _SHARE / (_SHARE - 1)) + 1)
        raise BudgetError(
            f"features: {show_bytes(budget)} hold no row of {table.shape[0]:,}: what is noted of each takes "
            f"{show_bytes(least)}" + (f", reading {show_bytes(reads)}" if reads else "") + "; give at least "
            f"{show_at_least(enough)}"
        )


def _codec(source: Any) -> Codec | None:  # noqa: ANN401
    """How the rows of a file or an array are stored, where they have to be decoded."""
    if not (isinstance(source, str | np.ndarray) or hasattr(source, "__fspath__")):
        return None
    codec = codec_of(source)
    return None if codec == "float32" else codec


def _tier(source: Any, budget: int) -> FeatureTable:  # noqa: ANN401
    """The source as a table: all in memory if it fits."""
    if hasattr(source, "take") and hasattr(source, "submit"):
        return source
    if isinstance(source, np.memmap):
        path = _file_of(source)
        return MemoryTable(source, copy=source.nbytes <= budget) if path is None else _file(path, budget)
    if isinstance(source, str | Path) or hasattr(source, "__fspath__"):
        return _file(Path(source), budget)
    try:
        rows = np.asarray(source.detach() if hasattr(source, "detach") else source)
    except (TypeError, ValueError) as error:
        raise WeftTypeError(
            f"features: a {type(source).__name__} is no array ({error}); give a dense array or CPU tensor of "
            "float32 or float16"
        ) from None
    # An array is in memory already; a copy on huge pages is worth it where there is room.
    return MemoryTable(rows, copy=rows.nbytes <= budget or not rows.flags.c_contiguous)


def _file(path: Path, budget: int) -> FeatureTable:
    header, width = raw_header(read_header(path)), 0
    # A file that is no features, or empty, is told apart by DiskTable.
    if len(header.shape) == 2 and not header.fortran and header.dtype.kind in "fiub":
        width = header.shape[1] * header.dtype.itemsize
        if header.shape[0] * width <= budget:
            return MemoryTable(open_npy(path))
    each = read_bytes(width)
    depth = max(1, min(_MOST, max(_LEAST, budget // _SHARE) // each))
    if depth * each >= budget:
        raise BudgetError(
            f"features: {path} does not fit into {show_bytes(budget)}, and reading it a part at a time takes "
            f"{show_bytes(depth * each)}; give more memory"
        )
    return DiskTable(path, depth=depth)


def _file_of(mapped: np.memmap[Any, Any]) -> Path | None:
    """The ``.npy`` file whose whole array is mapped."""
    if mapped.filename is None:
        return None
    path = Path(os.fspath(mapped.filename))
    try:
        header = read_header(path)
    except (FormatError, StorageError):
        return None
    whole = header.shape == mapped.shape and header.dtype == mapped.dtype and header.offset == mapped.offset
    return path if whole and not header.fortran and mapped.flags.c_contiguous else None
