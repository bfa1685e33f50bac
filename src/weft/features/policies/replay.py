"""What a policy would have read in a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from weft import _core
from weft.errors import WeftValueError
from weft.features.policies.heat import heat_classes, hottest

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["POLICIES", "make", "replay"]

POLICIES = ("lookahead", "static", "lru", "sieve")
"""Names of the policies, the one that is taken when none is named first."""

_WINDOW = 1 << 24

Array = npt.NDArray[Any]


def make(
    policy: str, rows: int, width: int, slots: int, *, window: int = 64, hotness: Array | None = None
) -> tuple[_core.RowCache, npt.NDArray[np.uint32]]:
    """A native cache of ``slots`` rows of ``width`` bytes, and the rows that it waits for from the start.

    Raises:
        WeftValueError: there is no such policy, ``static`` has no hotness, or a number does not fit.
    """
    if policy not in POLICIES:
        raise WeftValueError(f"features: policy must be one of {', '.join(POLICIES)} (got {policy!r})")
    if slots < 1:
        raise WeftValueError(f"features: a cache keeps at least one row (got {slots})")
    if isinstance(window, bool) or not isinstance(window, int | np.integer) or not 1 <= window <= _WINDOW:
        raise WeftValueError(f"features: window must be 1 to {_WINDOW:,} batches (got {window!r})")
    if policy == "static" and hotness is None:
        raise WeftValueError(
            "features: policy 'static' keeps the hottest rows; give hotness, such as the nodes' degrees"
        )
    none = np.empty(0, np.uint32)
    try:
        if policy == "static" and hotness is not None:
            kept = hottest(hotness, rows, slots)
            return _core.RowCache(rows, width, kept), kept
        if policy != "lookahead":
            return _core.RowCache(rows, width, slots, policy == "sieve"), none
        heat = np.empty(0, np.uint8) if hotness is None else heat_classes(hotness, rows)
        return _core.RowCache(rows, width, slots, window, heat), none
    except ValueError as error:
        raise WeftValueError(str(error)) from None


def replay(
    trace: Sequence[Array],
    rows: int,
    slots: int,
    policy: str = "lookahead",
    *,
    window: int = 64,
    hotness: Array | None = None,
) -> npt.NDArray[np.int64]:
    """How many rows of each batch a cache would have had to read.

    Args:
        trace: ids of each batch, integers ``[M]``, each once.
        rows: N.
        slots: rows that are kept, at most.
        policy: one of :data:`POLICIES`.
        window: batches that ``lookahead`` knows, the one that is served included.
        hotness: numbers ``[N]``: what ``static`` keeps, and by which ``lookahead`` tells apart rows without a
            known use.

    Returns:
        int64 ``[batches]``.

    Raises:
        WeftValueError: an argument does not fit.
    """
    cache, kept = make(policy, rows, 0, slots, window=window, hotness=hotness)
    nothing, read = np.empty(0, np.uint8), np.zeros(len(trace), np.int64)
    cache.fill(kept, nothing)
    told = 0
    try:
        for number, ids in enumerate(trace):
            while policy == "lookahead" and told < min(len(trace), number + window):
                cache.expect(np.ascontiguousarray(trace[told], np.uint32))
                told += 1
            ids_M = np.ascontiguousarray(ids, np.uint32)
            read[number] = cache.begin(ids_M, nothing, np.empty(len(ids_M), np.int64))
            cache.end(ids_M, nothing, True)
    except ValueError as error:
        raise WeftValueError(str(error)) from None
    return read
